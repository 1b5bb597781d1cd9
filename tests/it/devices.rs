//! Off-the-shelf devices over a real broker: they never heard of Sunward, and get their own words on their own topics.

use serde_json::{Value, json};
use sunward::config::Protocol;

use crate::home::{Home, both};

/// A plug with Tasmota. Without guards, so that a test need not wait for them.
const TASMOTA: &str = r#"
[[task]]
id = "boiler"
power = 2000
keys = ["boiler"]
min_on = 0
min_off = 0
command_topic = "cmnd/boiler/POWER"
state_topic = "stat/boiler/RESULT"
value_template = "{{ value_json.POWER }}"
availability_topic = "tele/boiler/LWT"
payload_available = "Online"
payload_not_available = "Offline"
query_topic = "cmnd/boiler/STATE"
"#;

/// A relay that never says anything.
const SILENT: &str = r#"
[[task]]
id = "pump"
power = 500
keys = ["pump"]
min_on = 0
min_off = 0
command_topic = "garden/pump/set"
payload_on = "1"
payload_off = "0"
"#;

fn status(status: &'static str) -> impl Fn(&Value) -> bool {
    move |report| report["status"] == status
}

/// With a Tasmota that is there and off.
async fn with_boiler(protocol: Protocol, toml: &str) -> Home {
    let mut home = Home::empty(protocol, toml).await;
    home.retain("tele/boiler/LWT", "Online").await;
    home.start().await;
    home.report("boiler", |report| report["reason"] == "no state has come from it yet").await;
    home.say("stat/boiler/RESULT", r#"{"POWER":"OFF"}"#).await;
    home.report("boiler", status("stopped")).await;
    home.commanded(&["cmnd/boiler/STATE="]).await;
    home
}

#[tokio::test]
async fn a_plug_is_started_and_stopped_in_its_own_words_and_nothing_else_is_sent() {
    both(async |protocol| {
        let mut home = with_boiler(protocol, TASMOTA).await;
        let cycle = home.cycle_with(json!({"net": -2500, "boiler": 0})).await;
        assert_eq!(cycle.commands, ["cmnd/boiler/POWER=ON"]);
        // What isn't followed is sent again.
        assert_eq!(home.cycle_with(json!({"net": -2500, "boiler": 0})).await.commands, ["cmnd/boiler/POWER=ON"]);
        // A message about something else changes nothing.
        home.say("stat/boiler/RESULT", r#"{"TelePeriod":300}"#).await;
        home.say("stat/boiler/RESULT", r#"{"POWER":"ON"}"#).await;
        home.report("boiler", status("running")).await;
        assert!(home.cycle_with(json!({"net": -500, "boiler": 2000})).await.commands.is_empty());
        let cycle = home.cycle_with(json!({"net": 9000, "boiler": 2000})).await;
        assert_eq!(cycle.commands, ["cmnd/boiler/POWER=OFF"], "{}", cycle.report);
        assert!(!home.retained().await.keys().any(|topic| topic.starts_with("cmnd/")));
    })
    .await;
}

#[tokio::test]
async fn a_plug_is_unreachable_until_it_says_that_it_is_there() {
    let mut home = Home::new(Protocol::V5, TASMOTA).await;
    let offline = |report: &Value| report["reason"] == "its availability is offline";
    home.say("stat/boiler/RESULT", r#"{"POWER":"OFF"}"#).await;
    home.report("boiler", |report| report["reason"] == "its availability has not come yet").await;
    home.commanded(&["cmnd/boiler/STATE="]).await;
    assert!(home.cycle_with(json!({"net": -2500})).await.commands.is_empty());
    home.retain("tele/boiler/LWT", "Online").await;
    home.report("boiler", status("stopped")).await;
    home.retain("tele/boiler/LWT", "Offline").await;
    home.report("boiler", offline).await;
    // Back from its power cut it is asked how it is.
    home.retain("tele/boiler/LWT", "Online").await;
    home.report("boiler", status("stopped")).await;
    home.commanded(&["cmnd/boiler/STATE="]).await;
    assert_eq!(home.cycle_with(json!({"net": -2500})).await.commands, ["cmnd/boiler/POWER=ON"]);
}

#[tokio::test]
async fn a_plug_that_joins_after_sunward_is_asked_again() {
    let mut home = Home::empty(Protocol::V5, TASMOTA).await;
    home.retain("tele/boiler/LWT", "Online").await;
    home.start().await;
    home.commanded(&["cmnd/boiler/STATE="]).await;
    // The broker had kept that it was there; now it is.
    home.retain("tele/boiler/LWT", "Online").await;
    home.commanded(&["cmnd/boiler/STATE="]).await;
    home.say("stat/boiler/RESULT", r#"{"POWER":"OFF"}"#).await;
    home.report("boiler", status("stopped")).await;
}

#[tokio::test]
async fn what_a_plug_says_that_nobody_understands_is_reported() {
    let mut home = with_boiler(Protocol::V5, TASMOTA).await;
    home.say("stat/boiler/RESULT", r#"{"POWER":"BLINK"}"#).await;
    let report = home.report("boiler", |report| !report["error"].is_null()).await;
    let why = "expected \"ON\" (state_on) or \"OFF\" (state_off), found \"BLINK\"";
    assert_eq!((&report["status"], &report["error"]), (&json!("stopped"), &json!(format!("state: {why}"))));
    let state = home.scheduler(|state| state["rejected"] == 1).await;
    assert_eq!(state["last_error"]["topic"], "stat/boiler/RESULT");
    assert_eq!(state["last_error"]["error"], format!("task boiler: {why}"));
    home.say("stat/boiler/RESULT", r#"{"POWER":"OFF"}"#).await;
    home.report("boiler", |report| report["error"].is_null()).await;
}

#[tokio::test]
async fn the_configuration_wins_over_a_registration() {
    both(async |protocol| {
        let mut home = with_boiler(protocol, TASMOTA).await;
        home.register("boiler", json!({"power": 100})).await;
        let report = home.report("boiler", |report| !report["error"].is_null()).await;
        assert!(report["error"].as_str().unwrap().contains("[[task]], which wins"), "{report}");
        // Its own branch is not the way to speak for it.
        home.running("boiler", true).await;
        home.retain("sunward/task/boiler/availability", "offline").await;
        let state = home.scheduler(|state| state["rejected"] == 3).await;
        assert_eq!(state["last_error"]["topic"], "sunward/task/boiler/availability");
        assert!(
            home.cycle_with(json!({"net": -1500, "boiler": 0})).await.commands.is_empty(),
            "the power is not 100 W"
        );
        home.report("boiler", status("stopped")).await;
        // The next start finds all of that retained.
        home.stop().await;
        home.start().await;
        home.say("stat/boiler/RESULT", r#"{"POWER":"OFF"}"#).await;
        home.report("boiler", |report| report["status"] == "stopped" && !report["error"].is_null()).await;
        home.unregister("boiler").await;
        home.report("boiler", |report| report["status"] == "stopped" && report["error"].is_null()).await;
        home.commanded(&["cmnd/boiler/STATE="]).await;
        assert_eq!(home.cycle_with(json!({"net": -2500, "boiler": 0})).await.commands, ["cmnd/boiler/POWER=ON"]);
    })
    .await;
}

#[tokio::test]
async fn a_relay_that_never_answers_is_taken_at_its_command() {
    both(async |protocol| {
        let mut home = Home::new(protocol, SILENT).await;
        home.report("pump", status("stopped")).await;
        for clean in [true, false] {
            assert_eq!(home.cycle_with(json!({"net": -900, "pump": 0})).await.commands, ["garden/pump/set=1"]);
            home.report("pump", status("running")).await;
            assert!(home.cycle_with(json!({"net": -400, "pump": 500})).await.commands.is_empty());
            if clean {
                home.stop().await;
            } else {
                home.kill().await;
            }
            // After a restart it is what it was.
            home.start().await;
            home.report("pump", |report| report["status"] == "running" && report["reason"] != "").await;
            assert_eq!(home.cycle_with(json!({"net": 5000, "pump": 500})).await.commands, ["garden/pump/set=0"]);
            home.report("pump", status("stopped")).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_dry_run_commands_nothing_and_takes_nothing_for_done() {
    let mut home = Home::new(Protocol::V5, &format!("scheduler.dry_run = true\n{SILENT}{TASMOTA}")).await;
    // A question changes nothing.
    home.commanded(&["cmnd/boiler/STATE="]).await;
    for _ in 0..2 {
        let cycle = home.cycle_with(json!({"net": -900, "pump": 0})).await;
        assert_eq!((&cycle.report["started"][0]["task"], cycle.commands.len()), (&json!("pump"), 0));
    }
    home.report("pump", status("stopped")).await;
}

#[tokio::test]
async fn a_plug_that_keeps_no_state_is_asked_on_connect_and_before_it_expires() {
    both(async |protocol| {
        let toml = r#"
            [[task]]
            id = "plug"
            power = 500
            min_off = 0
            command_topic = "zigbee2mqtt/plug/set"
            state_topic = "zigbee2mqtt/plug"
            value_template = "{{ value_json.state }}"
            query_topic = "zigbee2mqtt/plug/get"
            query_payload = '{"state": ""}'
            expire_after = "3s"
            "#;
        let asked = async |home: &mut Home| {
            let commands = home.some_commands().await;
            assert!(commands.iter().all(|said| said == r#"zigbee2mqtt/plug/get={"state": ""}"#), "{commands:?}");
        };
        let plug = include_str!("../data/payloads/z2m_ts011f_plug.json");
        let plug: Value = serde_json::from_str(plug).unwrap();
        let answer = plug["payload"].as_str().unwrap();
        let mut home = Home::new(protocol, toml).await;
        asked(&mut home).await;
        home.say("zigbee2mqtt/plug", answer).await;
        home.report("plug", status("running")).await;
        // Nobody touches it: it is asked in time.
        asked(&mut home).await;
        home.say("zigbee2mqtt/plug", answer.replace("\"ON\"", "\"OFF\"")).await;
        home.report("plug", status("stopped")).await;
        // Without an answer it expires, and is asked on and on: after 2, 3 and 4 seconds.
        for _ in 0..3 {
            asked(&mut home).await;
        }
        home.cycle().await;
        home.report("plug", status("unreachable")).await;
        home.say("zigbee2mqtt/plug", answer).await;
        home.report("plug", status("running")).await;
    })
    .await;
}

#[tokio::test]
async fn a_plug_is_asked_again_after_every_reconnect() {
    both(async |protocol| {
        // What a broker had not confirmed when it died is sent once more: asked twice is asked, too.
        let asked = async |home: &mut Home| {
            let commands = home.some_commands().await;
            assert!(commands.iter().all(|command| command == "cmnd/boiler/STATE="), "{commands:?}");
        };
        let mut home = with_boiler(protocol, TASMOTA).await;
        home.cut().await;
        asked(&mut home).await;
        home.restart_broker().await;
        asked(&mut home).await;
    })
    .await;
}

#[tokio::test]
async fn a_car_that_is_not_plugged_in_holds_up_nobody() {
    let toml = r#"
        [[task]]
        id = "ev"
        power = 1380
        max_power = 3680
        auto_adjust = true
        min_on = 0
        min_off = 0
        command_topic = "charger/frc/set"
        payload_on = "2"
        payload_off = "1"
        state_topic = "charger/car"
        value_template = "{{ value | int == 2 }}"
        state_on = "true"
        state_off = "false"
        runnable_template = "{{ value | int > 1 }}"
        "#;
    let mut home = Home::empty(Protocol::V5, &format!("{SILENT}{toml}")).await;
    home.retain("charger/car", "1").await;
    home.start().await;
    home.report("ev", status("unrunnable")).await;
    assert_eq!(home.cycle_with(json!({"net": -2000, "pump": 0})).await.commands, ["garden/pump/set=1"]);
    home.retain("charger/car", "3").await;
    home.report("ev", status("stopped")).await;
    let cycle = home.cycle_with(json!({"net": -1500, "pump": 500})).await;
    assert_eq!(cycle.commands, ["charger/frc/set=2"], "{}", cycle.report);
    home.retain("charger/car", "2").await;
    home.report("ev", status("running")).await;
}

#[tokio::test]
async fn one_topic_may_be_a_meter_and_a_task() {
    let toml = r#"
        power.topic = "house"
        [[task]]
        id = "heater"
        power = 1000
        keys = ["heater"]
        min_on = 0
        min_off = 0
        command_topic = "house/set"
        state_topic = "house"
        value_template = "{{ value_json.relay }}"
        "#;
    let mut home = Home::new(Protocol::V5, toml).await;
    home.say("house", r#"{"net": -1500, "heater": 0, "relay": "OFF"}"#).await;
    let cycle = home.cycle().await;
    assert_eq!(
        (&cycle.report["record"]["net"], &cycle.commands[..]),
        (&json!(-1500), &["house/set=ON".to_owned()][..])
    );
    home.say("house", r#"{"net": -500, "heater": 1000, "relay": "ON"}"#).await;
    home.report("heater", status("running")).await;
    home.scheduler(|state| state["rejected"] == 0).await;
}
