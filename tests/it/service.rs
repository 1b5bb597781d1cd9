//! The program from the outside: tasks, records and decisions as they cross a real broker.

use serde_json::json;
use sunward::config::Protocol;

use crate::home::{Home, STATE, both};

const HEATER: &str = "sunward/task/heater";

#[tokio::test]
async fn a_task_runs_on_the_sun_and_every_decision_says_why() {
    both(async |protocol| {
        let mut home = Home::new(protocol, "[scheduler]\nconfirm_records = 2").await;
        home.register("heater", json!({"power": 2000, "keys": ["heater"]})).await;
        home.running("heater", false).await;
        home.cycle_with(json!({"net": -2500, "solar": 3000})).await;
        let cycle = home.cycle_with(json!({"net": -2500, "solar": 3000})).await;
        assert_eq!(cycle.commands, ["heater=start"]);
        let mut report = cycle.report;
        let time = report["time"].take();
        assert!(time.is_string() && report["online_since"].take().is_string());
        let reason = "2500 W are available for its 2000 W, ratio 1.25 (ratio >= 1.00)";
        assert_eq!(
            report,
            json!({"time": null, "skipped": null, "source": "meter", "stopped": [],
                "record": {"heater": 0, "net": -2500, "solar": 3000},
                "started": [{"task": "heater", "rule": "elected", "reason": reason}],
                "no_data": false, "task_power": 0, "task_ratio": null, "last_stopped": null, "online_since": null,
                "last_started": {"task": "heater", "name": "heater", "rule": "elected", "reason": reason, "time": time}})
        );
        let waits = format!("its start was sent and is not followed yet: {reason}");
        let told = home.report("heater", |report| report["reason"] == waits).await;
        assert_eq!((&told["status"], &told["ratio"]), (&json!("stopped"), &json!(1.25)));

        home.running("heater", true).await;
        home.report("heater", |report| report["reason"] == reason && report["starts_today"] == 1).await;
        let cycle = home.cycle_with(json!({"net": -500, "heater": 2000})).await;
        assert!(cycle.commands.is_empty(), "{:?}", cycle.commands);
        home.report("heater", |report| report["reason"] == "the sun covers 1.00 of it" && report["power"] == 2000)
            .await;

        let cycle = home.cycle_with(json!({"net": 1900, "heater": 2000})).await;
        assert_eq!(cycle.commands, ["heater=stop"]);
        assert_eq!(cycle.report["stopped"][0]["rule"], "failing_criteria");
        home.running("heater", false).await;
        let cycle = home.cycle_with(json!({"net": -1500})).await;
        assert!(cycle.commands.is_empty(), "{:?}", cycle.commands);
        home.report("heater", |report| report["reason"] == "needs ratio 1.00, has 0.05: 1900 W short").await;
        assert!(!home.retained().await.contains_key("sunward/task/heater/set"), "a command was retained");
    })
    .await;
}

#[tokio::test]
async fn a_refused_registration_names_the_field_and_the_valid_one_stays_in_force() {
    both(async |protocol| {
        let mut home = Home::new(protocol, "").await;
        home.register("heater", json!({"power": 2000})).await;
        home.running("heater", false).await;
        home.register("heater", json!({"power": 1, "criteria": {"start": "ratio >="}})).await;
        home.register("pump", json!({"powr": 500})).await;
        home.running("pump", false).await;
        let report = home.report("heater", |report| report["error"].is_string()).await;
        assert!(report["error"].as_str().unwrap().starts_with("criteria.start: "), "{report}");
        assert_eq!(report["status"], "stopped");
        let report = home.report("pump", |report| report["status"] == "invalid").await;
        assert!(report["error"].as_str().unwrap().starts_with("powr: "), "{report}");
        let state = home.scheduler(|state| state["rejected"] == 2).await;
        assert_eq!((&state["tasks"], &state["last_error"]["topic"]), (&json!(1), &json!("sunward/task/pump/config")));
        // 1000 W would do for the refused one, not for the valid one.
        assert!(home.cycle_with(json!({"net": -1000})).await.commands.is_empty());
        home.cycle_with(json!({"net": -2000})).await;
        assert_eq!(home.cycle_with(json!({"net": -2000})).await.commands, ["heater=start"]);
        home.register("heater", json!({"power": 1000})).await;
        home.report("heater", |report| report["error"].is_null()).await;
        home.unregister("pump").await;
        home.until("the report of the pump is cleared", |home| {
            home.seen("sunward/task/pump/report").is_empty().then_some(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_task_that_unregisters_is_not_stopped_and_its_report_is_cleared() {
    let mut home = Home::new(Protocol::V5, "").await;
    home.register("heater", json!({"power": 2000})).await;
    home.running("heater", true).await;
    home.report("heater", |report| report["status"] == "running").await;
    home.unregister("heater").await;
    home.until("cleared", |home| home.seen(&format!("{HEATER}/report")).is_empty().then_some(())).await;
    assert!(home.cycle_with(json!({"net": 5000})).await.commands.is_empty());
    let retained = home.retained().await;
    assert!(!retained.contains_key(&format!("{HEATER}/report")), "{retained:?}");
    home.scheduler(|state| state["tasks"] == 0).await;
}

#[tokio::test]
async fn what_unregistered_while_nobody_was_there_leaves_no_report_behind() {
    let mut home = Home::new(Protocol::V5, "").await;
    home.register("heater", json!({"power": 2000})).await;
    home.report("heater", |report| report["status"] == "unreachable").await;
    home.stop().await;
    home.unregister("heater").await;
    home.start().await;
    home.until("cleared", |home| home.seen(&format!("{HEATER}/report")).is_empty().then_some(())).await;
}

#[tokio::test]
async fn plain_words_are_states_and_commands_are_what_the_task_wants_to_hear() {
    both(async |protocol| {
        let mut home = Home::new(protocol, "").await;
        // State may arrive before its registration.
        home.retain(&format!("{HEATER}/state"), "OFF").await;
        home.register("heater", json!({"power": 2000, "payload_on": "ON", "payload_off": "OFF"})).await;
        assert_eq!(home.cycle_with(json!({"net": -2000})).await.commands, ["heater=ON"]);
        home.retain(&format!("{HEATER}/state"), "on").await;
        home.report("heater", |report| report["status"] == "running").await;
        assert_eq!(home.cycle_with(json!({"net": 2000})).await.commands, ["heater=OFF"]);
    })
    .await;
}

#[tokio::test]
async fn an_offline_task_is_left_alone_until_it_is_back() {
    both(async |protocol| {
        let mut home = Home::new(protocol, "").await;
        let availability = format!("{HEATER}/availability");
        home.register("heater", json!({"power": 2000})).await;
        home.retain(&availability, "offline").await;
        home.running("heater", false).await;
        assert!(home.cycle_with(json!({"net": -2000})).await.commands.is_empty());
        home.report("heater", |report| {
            report["status"] == "unreachable" && report["reason"] == "its availability is offline"
        })
        .await;
        home.retain(&availability, "online").await;
        assert_eq!(home.cycle_with(json!({"net": -2000})).await.commands, ["heater=start"]);
    })
    .await;
}

#[tokio::test]
async fn stops_go_before_starts_on_the_wire() {
    both(async |protocol| {
        let mut home = Home::new(protocol, "").await;
        home.register("boiler", json!({"power": 1500, "keys": ["boiler"], "priority": "high"})).await;
        home.register("pump", json!({"power": 1000, "keys": ["pump"]})).await;
        home.running("boiler", false).await;
        home.running("pump", true).await;
        let cycle = home.cycle_with(json!({"net": -600, "pump": 1000})).await;
        assert_eq!(cycle.commands, ["pump=stop", "boiler=start"]);
        for action in ["stopped", "started"] {
            assert_eq!(cycle.report[action][0]["rule"], "lower_priority", "{}", cycle.report);
        }
    })
    .await;
}

#[tokio::test]
async fn after_three_unanswered_starts_it_is_the_turn_of_another() {
    both(async |protocol| {
        let mut home = Home::new(protocol, "[scheduler]\ncycle = '1s'").await;
        home.register("ev", json!({"power": 2000, "priority": "high"})).await;
        home.register("heater", json!({"power": 1900})).await;
        home.running("ev", false).await;
        home.running("heater", false).await;
        let mut commands = Vec::new();
        while commands.last().is_none_or(|last| last != "heater=start") {
            home.power(json!({"net": -2500})).await;
            commands.extend(home.next_cycle(home.cycles()).await.commands);
        }
        // Cycles of a busy computer lie closer together than half of one, now and then: those don't count.
        let asked = commands.iter().filter(|command| *command == "ev=start").count();
        assert!(asked >= 3 && asked == commands.len() - 1, "{commands:?}");
        home.running("heater", true).await;
        home.report("ev", |report| {
            report["unanswered"] == 3
                && report["reason"].as_str().is_some_and(|reason| reason.starts_with("it left 3 starts unanswered"))
        })
        .await;
        home.power(json!({"net": -2500})).await;
        assert!(home.next_cycle(home.cycles() + 1).await.commands.is_empty());
        // The car is plugged in.
        home.state("ev", json!({"running": false, "runnable": false})).await;
        home.running("ev", false).await;
        home.power(json!({"net": -2500})).await;
        home.commanded(&["ev=start"]).await;
    })
    .await;
}

#[tokio::test]
async fn who_asks_for_cycles_one_after_the_other_takes_no_start_for_unanswered() {
    both(async |protocol| {
        let mut home = Home::new(protocol, "").await;
        home.register("heater", json!({"power": 2000})).await;
        home.running("heater", false).await;
        for _ in 0..6 {
            assert_eq!(home.cycle_with(json!({"net": -2500})).await.commands, ["heater=start"]);
        }
        let report = home.report("heater", |report| report["ratio"] == 1.25).await;
        assert_eq!(report["unanswered"], 0, "{report}");
    })
    .await;
}

#[tokio::test]
async fn what_can_not_be_read_is_counted_and_changes_nothing() {
    both(async |protocol| {
        let mut home = Home::new(protocol, "").await;
        home.register("heater", json!({"power": 2000})).await;
        home.running("heater", false).await;
        let deep = "[".repeat(100_000);
        let huge = "x".repeat(900_000);
        let bytes: Vec<u8> = (0..=255).collect();
        let mut sent = 0;
        for topic in ["power", "power/fallback", "scheduler/set", "task/heater/config", "task/heater/state"] {
            for payload in [deep.as_bytes(), huge.as_bytes(), &bytes, b"{\"net\": }", b"[]", b"null", b"\0"] {
                home.say(&format!("sunward/{topic}"), payload).await;
                sent += 1;
            }
        }
        home.say("sunward/task/heater/availability", "maybe").await;
        home.say("sunward/task/heater/mode/set", "sideways").await;
        home.say("sunward/task/no such id/config", "{}").await;
        home.say("sunward/somewhere/else", "{}").await;
        home.say("sunward/power", r#"{"net": -1e8, "heater": "much"}"#).await;
        let state = home.scheduler(|state| state["rejected"] == sent + 4).await;
        assert_eq!(state["last_error"]["topic"], "sunward/power");
        assert!(state["last_error"]["error"].as_str().unwrap().contains("within ±10 MW"), "{state}");
        let payload = home.seen(STATE).len();
        assert!(payload < 2000, "the state has {payload} bytes");
        let cycle = home.cycle().await;
        assert_eq!((&cycle.report["skipped"], cycle.commands.len()), (&json!("no_record"), 0));
        assert_eq!(home.cycle_with(json!({"net": -2000})).await.commands, ["heater=start"]);
        let state = home.scheduler(|state| state["state"] == "active").await;
        assert_eq!((&state["tasks"], &state["rejected"]), (&json!(1), &json!(sent + 4)));
    })
    .await;
}

#[tokio::test]
async fn a_meter_that_sends_nothing_but_nonsense_does_not_flood_the_state() {
    let mut home = Home::new(Protocol::V5, "").await;
    for n in 0..300 {
        home.say("sunward/power", n.to_string()).await;
    }
    let state = home.scheduler(|state| state["rejected"] == 300).await;
    assert_eq!(state["problem"], format!("sunward/power: {}", state["last_error"]["error"].as_str().unwrap()));
    let states = home.all.iter().filter(|message| message.starts_with(STATE)).count();
    assert!(states <= 5, "{states} states told of 300 messages");
}

#[tokio::test]
async fn a_dry_run_decides_and_reports_and_commands_nothing() {
    let mut home = Home::new(Protocol::V5, "[scheduler]\ndry_run = true").await;
    home.register("heater", json!({"power": 2000})).await;
    home.running("heater", false).await;
    for _ in 0..5 {
        let cycle = home.cycle_with(json!({"net": -2000})).await;
        assert_eq!(cycle.report["started"][0]["task"], "heater", "{}", cycle.report);
        assert!(cycle.commands.is_empty(), "{:?}", cycle.commands);
    }
    home.running("heater", true).await;
    home.command("stop_all").await;
    home.scheduler(|state| state["paused"] == true).await;
    let cycle = home.cycle().await;
    assert_eq!((&cycle.report["stopped"][0]["rule"], cycle.commands.len()), (&json!("stop_all"), 0));
}

#[tokio::test]
async fn topics_and_units_are_configurable() {
    let toml = "[mqtt]\nbase_topic = 'sunward/flat'\n[power]\ntopic = 'tele/meter'\nunit_of_measurement = 'kW'";
    let mut home = Home::empty(Protocol::V5, toml).await;
    home.launch();
    let base = "sunward/flat";
    home.until("online", |home| (home.seen(&format!("{base}/scheduler/availability")) == "online").then_some(())).await;
    home.say(&format!("{base}/task/heater/config"), r#"{"power": 2000}"#).await;
    home.say(&format!("{base}/task/heater/state"), "0").await;
    home.say("tele/meter", r#"{"net": -2.5}"#).await;
    home.say(&format!("{base}/scheduler/set"), "Schedule").await;
    home.until("a start", |home| (home.seen(&format!("{base}/task/heater/set")) == "start").then_some(())).await;
}

#[tokio::test]
async fn a_state_that_can_not_be_read_shows_until_one_can_and_hides_no_refused_registration() {
    let mut home = Home::new(Protocol::V5, "").await;
    home.register("heater", json!({"power": 2000})).await;
    home.running("heater", false).await;
    home.say(&format!("{HEATER}/state"), r#"{"running": "yes"}"#).await;
    let report = home.report("heater", |report| report["error"].is_string()).await;
    assert!(report["error"].as_str().unwrap().starts_with("state: running: "), "{report}");
    assert_eq!(report["status"], "stopped");
    home.running("heater", true).await;
    home.report("heater", |report| report["error"].is_null() && report["status"] == "running").await;

    home.register("heater", json!({"power": -1})).await;
    home.say(&format!("{HEATER}/state"), "maybe").await;
    home.running("heater", false).await;
    let report = home.report("heater", |report| report["status"] == "stopped").await;
    assert!(report["error"].as_str().unwrap_or_default().starts_with("power: "), "{report}");

    home.running("stranger", false).await;
    home.say("sunward/task/stranger/state", "maybe").await;
    home.scheduler(|state| state["rejected"] == 4).await;
    home.cycle().await;
    assert_eq!(home.seen("sunward/task/stranger/report"), "", "it never registered");
}
