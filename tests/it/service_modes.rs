//! Modes and priorities as they cross a real broker, and what is left of them after a restart.

use serde_json::{Value, json};
use sunward::config::Protocol;

use crate::home::{Home, both};

const MODE: &str = "sunward/task/heater/mode";
const MODE_SET: &str = "sunward/task/heater/mode/set";
const PRIORITY: &str = "sunward/task/heater/priority";
const PRIORITY_SET: &str = "sunward/task/heater/priority/set";

async fn with_heater(protocol: Protocol, running: bool) -> Home {
    let mut home = Home::new(protocol, "").await;
    home.register("heater", json!({"power": 2000, "keys": ["heater"]})).await;
    home.running("heater", running).await;
    home
}

/// Waits until a topic says something.
async fn says(home: &mut Home, topic: &str, payload: &str) {
    home.until(&format!("{topic} {payload:?}"), |home| (home.seen(topic) == payload).then_some(())).await;
}

fn rejected(count: u64) -> impl Fn(&Value) -> bool {
    move |state| state["rejected"] == count
}

#[tokio::test]
async fn a_mode_acts_at_once_and_is_retained_as_a_plain_word() {
    both(async |protocol| {
        let mut home = with_heater(protocol, false).await;
        says(&mut home, MODE, "auto").await;
        home.say(MODE_SET, " ON\n").await;
        says(&mut home, MODE, "on").await;
        home.commanded(&["heater=start"]).await;
        home.running("heater", true).await;
        home.report("heater", |report| report["mode"] == "on" && report["reason"] == "mode is on").await;
        // Neither rain nor a pause matters.
        assert!(home.cycle_with(json!({"net": 5000, "heater": 2000})).await.commands.is_empty());
        home.command("pause").await;
        home.say(MODE_SET, "off").await;
        home.commanded(&["heater=stop"]).await;
        says(&mut home, MODE, "off").await;
        assert!(home.cycle().await.commands.is_empty(), "only a change acts while paused");
        home.command("resume").await;
        let cycle = home.cycle().await;
        assert_eq!((cycle.commands, &cycle.report["stopped"][0]["rule"]), (vec!["heater=stop".into()], &json!("mode")));
        home.running("heater", false).await;
        home.say(MODE_SET, "Auto").await;
        says(&mut home, MODE, "auto").await;
        home.cycle_with(json!({"net": -9000, "heater": 0})).await;
        // The first record of the sun had rain before it.
        assert_eq!(home.cycle_with(json!({"net": -9000, "heater": 0})).await.commands, ["heater=start"]);
        assert_eq!(home.retained().await[MODE], "auto");
    })
    .await;
}

#[tokio::test]
async fn what_is_not_understood_or_meant_for_nobody_changes_nothing_and_is_told() {
    let mut home = with_heater(Protocol::V5, false).await;
    says(&mut home, MODE, "auto").await;
    home.say(MODE_SET, "sideways").await;
    let state = home.scheduler(rejected(1)).await;
    assert_eq!(state["last_error"]["topic"], MODE_SET);
    home.say(PRIORITY_SET, "vital").await;
    home.scheduler(rejected(2)).await;
    home.say("sunward/task/stranger/mode/set", "on").await;
    let state = home.scheduler(rejected(3)).await;
    let error = state["last_error"]["error"].as_str().unwrap();
    assert_eq!(error, "no task `stranger` is registered: expected the id of one that is");
    home.say(MODE_SET, "").await;
    assert!(home.cycle().await.commands.is_empty());
    assert_eq!((home.seen(MODE), home.seen(PRIORITY)), ("auto", "auto"));
    assert_eq!(home.seen("sunward/task/stranger/mode"), "");
}

#[tokio::test]
async fn modes_and_priorities_survive_a_clean_end_and_a_power_cut() {
    both(async |protocol| {
        let mut home = with_heater(protocol, true).await;
        home.say(MODE_SET, "on 2h").await;
        home.say(PRIORITY_SET, "HIGH").await;
        let told =
            home.report("heater", |report| report["mode_until"].is_string() && report["priority"] == "high").await;
        for clean in [true, false] {
            if clean {
                home.stop().await
            } else {
                home.kill().await
            }
            for topic in [MODE, PRIORITY, "sunward/task/heater/report"] {
                assert!(home.retained().await.contains_key(topic), "{topic}");
            }
            home.start().await;
            assert!(home.cycle_with(json!({"net": 5000, "heater": 2000})).await.commands.is_empty());
            let report = home.report("heater", |report| report["reason"] == told["reason"]).await;
            assert_eq!(report["mode_until"], told["mode_until"]);
            assert_eq!((home.seen(MODE), home.seen(PRIORITY)), ("on", "high"));
        }
        // It is enforced again, not just remembered.
        home.stop().await;
        home.running("heater", false).await;
        home.start().await;
        assert_eq!(home.cycle().await.commands, ["heater=start"]);
        home.say(PRIORITY_SET, "auto").await;
        says(&mut home, PRIORITY, "auto").await;
        home.report("heater", |report| report["priority"] == "low").await;
    })
    .await;
}

#[tokio::test]
async fn a_mode_whose_time_is_over_ends_by_itself() {
    let mut home = with_heater(Protocol::V5, true).await;
    home.say(MODE_SET, "on 1s").await;
    says(&mut home, MODE, "on").await;
    says(&mut home, MODE, "auto").await;
    assert_eq!(home.cycle_with(json!({"net": 5000, "heater": 2000})).await.commands, ["heater=stop"]);
    // It ended while nobody was there.
    home.say(MODE_SET, "on 2h").await;
    home.report("heater", |report| report["mode_until"].is_string()).await;
    home.stop().await;
    let mut report: Value = serde_json::from_str(home.seen("sunward/task/heater/report")).unwrap();
    report["mode_until"] = json!("2026-01-01T00:00:00.000Z");
    home.retain("sunward/task/heater/report", &report.to_string()).await;
    home.start().await;
    says(&mut home, MODE, "auto").await;
}

#[tokio::test]
async fn of_a_mode_and_a_report_that_a_power_cut_parted_the_report_counts_which_knows_the_end() {
    const REPORT: &str = "sunward/task/heater/report";
    let mut home = with_heater(Protocol::V5, true).await;
    home.say(MODE_SET, "on 2h").await;
    home.report("heater", |report| report["mode_until"].is_string()).await;
    let on = home.seen(REPORT).to_owned();
    home.say(MODE_SET, "auto").await;
    home.report("heater", |report| report["mode"] == "auto").await;
    let auto = home.seen(REPORT).to_owned();
    for (mode, report) in [("on", &auto), ("auto", &on)] {
        home.stop().await;
        home.retain(MODE, mode).await;
        home.retain(REPORT, report).await;
        home.start().await;
        let told: Value = serde_json::from_str(report).unwrap();
        says(&mut home, MODE, told["mode"].as_str().unwrap()).await;
        home.report("heater", |report| report["mode_until"] == told["mode_until"]).await;
    }
}

#[tokio::test]
async fn a_retained_mode_or_priority_to_set_is_obeyed_once_after_the_start_up_and_cleared() {
    both(async |protocol| {
        let mut home = Home::empty(protocol, "").await;
        home.register("heater", json!({"power": 2000})).await;
        home.running("heater", false).await;
        home.retain(MODE_SET, "on").await;
        home.retain(PRIORITY_SET, "urgent").await;
        home.start().await;
        home.commanded(&["heater=start"]).await;
        says(&mut home, PRIORITY, "urgent").await;
        for topic in [MODE_SET, PRIORITY_SET] {
            says(&mut home, topic, "").await;
        }
        home.say(MODE_SET, "auto").await;
        says(&mut home, MODE, "auto").await;
        home.cut().await;
        home.cycle().await;
        assert_eq!(home.seen(MODE), "auto");
        let retained = home.retained().await;
        assert!(!retained.contains_key(MODE_SET) && !retained.contains_key(PRIORITY_SET), "{retained:?}");
    })
    .await;
}

#[tokio::test]
async fn who_unregisters_leaves_nothing_behind() {
    let mut home = with_heater(Protocol::V5, false).await;
    home.say(MODE_SET, "off").await;
    says(&mut home, MODE, "off").await;
    home.unregister("heater").await;
    for topic in [MODE, PRIORITY] {
        says(&mut home, topic, "").await;
    }
    home.register("heater", json!({"power": 2000, "keys": ["heater"]})).await;
    says(&mut home, MODE, "auto").await;
    home.say(MODE_SET, "off").await;
    says(&mut home, MODE, "off").await;
    home.stop().await;
    home.unregister("heater").await;
    home.start().await;
    for topic in [MODE, PRIORITY, "sunward/task/heater/report"] {
        says(&mut home, topic, "").await;
    }
    let retained = home.retained().await;
    assert!(!retained.keys().any(|topic| topic.contains("heater/mode") || topic.contains("priority")), "{retained:?}");
}
