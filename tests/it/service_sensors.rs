//! Sensors and derived keys over a real Mosquitto: topics of others, as devices publish them.

use serde_json::{Value, json};
use sunward::config::Protocol;

use crate::home::{Cycle, Home, both};

const PHASES: &str = "
    [[power.sensor]]
    key = 'l1'
    topic = 'shellies/em/emeter/0/power'
    [[power.sensor]]
    key = 'l2'
    topic = 'shellies/em/emeter/1/power'
    [[power.sensor]]
    key = 'l3'
    topic = 'shellies/em/emeter/2/power'
    [power.derived]
    net = 'l1 + l2 + l3'";

async fn phase(home: &Home, number: u8, watts: i32) {
    home.say(&format!("shellies/em/emeter/{number}/power"), watts.to_string()).await;
}

/// Cycles until one has a record.
async fn record(home: &mut Home) -> Cycle {
    loop {
        let cycle = home.cycle().await;
        if !cycle.report["record"].is_null() {
            return cycle;
        }
    }
}

#[tokio::test]
async fn three_phases_on_three_topics_start_what_they_pay_for() {
    both(async |protocol| {
        let mut home = Home::new(protocol, PHASES).await;
        home.register("heater", json!({"power": 2000})).await;
        home.running("heater", false).await;
        phase(&home, 0, 500).await;
        phase(&home, 1, -1500).await;
        assert_eq!(home.cycle().await.report["skipped"], "no_record");
        phase(&home, 2, -1000).await;
        let cycle = home.cycle().await;
        assert_eq!(cycle.report["record"], json!({"@heater": 0, "net": -2000, "l1": 500, "l2": -1500, "l3": -1000}));
        assert_eq!(cycle.commands, ["heater=start"]);
        // One of them moves; the others had their 200 ms to follow.
        phase(&home, 0, 700).await;
        let record = record(&mut home).await.report["record"].clone();
        assert_eq!(record, json!({"@heater": 0, "net": -1800, "l1": 700, "l2": -1500, "l3": -1000}));
    })
    .await;
}

#[tokio::test]
async fn a_topic_is_subscribed_to_once_however_many_keys_it_feeds() {
    both(async |protocol| {
        let toml = "
            [power]
            topic = 'house/meter'
            [[power.sensor]]
            key = 'net'
            topic = 'house/meter'
            value_template = '{{ value_json.grid }}'
            unit_of_measurement = 'kW'
            scale = -1
            [[power.sensor]]
            key = 'solar'
            topic = 'house/meter'
            value_template = '{{ value_json.strings | sum }}'
            [[power.sensor]]
            key = \"{{ topic.split('/')[1] }}\"
            topic = 'house/+'
            value_template = '{{ value_json.power }}'";
        let mut home = Home::new(protocol, toml).await;
        home.say("house/meter", r#"{"grid": "1.5", "strings": [1000, 800], "battery": 40}"#).await;
        home.say("house/pump", r#"{"power": 70}"#).await;
        home.say("house/lamp", r#"{"state": "ON"}"#).await;
        let report = home.cycle().await.report;
        assert_eq!(report["record"], json!({"net": -1500, "solar": 1800, "battery": 40, "pump": 70}));
        // Each of the three templates and the record refuse it, once.
        home.say("house/meter", "off").await;
        let state = home.scheduler(|state| state["rejected"] == 4).await;
        assert_eq!(state["last_error"]["topic"], "house/meter");
        home.cycle().await;
        assert_eq!(home.scheduler(|_| true).await["rejected"], 4);
    })
    .await;
}

#[tokio::test]
async fn what_was_retained_is_no_new_value_but_for_what_never_expires() {
    both(async |protocol| {
        let toml = "
            [[power.sensor]]
            key = 'grid'
            topic = 'meter/grid'
            [[power.sensor]]
            key = 'soc'
            topic = 'battery/soc'
            expire_after = 0
            [power.derived]
            net = 'grid - (1000 if soc > 50 else 0)'";
        let mut home = Home::empty(protocol, toml).await;
        home.peer.publish_retained("meter/grid", "-5000").await;
        home.peer.publish_retained("battery/soc", "80").await;
        home.register("heater", json!({"power": 1200})).await;
        home.running("heater", false).await;
        home.start().await;
        assert_eq!(home.cycle().await.report["skipped"], "no_record");
        home.say("meter/grid", "-200").await;
        let cycle = record(&mut home).await;
        assert_eq!(cycle.report["record"], json!({"@heater": 0, "grid": -200, "soc": 80, "net": -1200}));
        assert_eq!(cycle.commands, ["heater=start"]);
        // The broker tells it again with the next connection, and that says nothing about the grid.
        home.cut().await;
        assert_eq!(home.cycle().await.report["skipped"], "no_record");
    })
    .await;
}

#[tokio::test]
async fn a_message_without_the_field_keeps_the_last_value_and_is_no_fault() {
    let toml = "
        [[power.sensor]]
        key = 'heater'
        topic = 'shellies/plus1pm/events/rpc'
        value_template = \"{{ value_json.params['switch:0'].apower }}\"";
    let mut home = Home::new(Protocol::V5, toml).await;
    let notify = |status: Value| json!({"method": "NotifyStatus", "params": {"ts": 1, "switch:0": status}}).to_string();
    const RPC: &str = "shellies/plus1pm/events/rpc";
    home.say(RPC, notify(json!({"id": 0, "apower": 1830.4}))).await;
    home.say(RPC, notify(json!({"id": 0, "output": true}))).await;
    home.say(RPC, notify(json!({"id": 0, "apower": null}))).await;
    assert_eq!(home.cycle_with(json!({"net": 0})).await.report["record"], json!({"net": 0, "heater": 1830.4}));
    assert_eq!(home.cycle_with(json!({"net": 0})).await.report["record"]["heater"], 1830.4);
    assert_eq!(home.scheduler(|_| true).await["rejected"], 0);
    for _ in 0..20 {
        home.say(RPC, "{}").await;
    }
    home.cycle().await;
    assert_eq!(home.scheduler(|_| true).await["warnings"], json!([]), "it had a value before");
}

#[tokio::test]
async fn faults_of_sensors_and_of_derived_keys_are_told() {
    let toml = "
        [[power.sensor]]
        key = 'house'
        topic = 'meter'
        [power.derived]
        net = 'house / solar'
        gain = 'house - roof'";
    let mut home = Home::new(Protocol::V311, toml).await;
    home.say("meter", "broken").await;
    let state = home.scheduler(|state| state["rejected"] == 1).await;
    assert_eq!(state["last_error"]["topic"], "meter");
    assert_eq!(state["last_error"]["error"], "expected a number, found \"broken\"");
    home.say("meter", "100").await;
    home.power(json!({"solar": 0, "net": 5})).await;
    let state = home.scheduler(|state| state["rejected"] == 2).await;
    assert_eq!(state["last_error"]["topic"], "power.derived.net");
    assert_eq!(state["last_error"]["error"], "invalid operation: unable to calculate 100.0 / 0.0");
    // The derived key wins over the record's.
    assert_eq!(home.cycle().await.report["skipped"], "no_record");
    let missing = "power.derived.gain: no value, as `roof` has not come yet";
    home.scheduler(|state| state["warnings"].as_array().is_some_and(|all| all.contains(&json!(missing)))).await;
    home.power(json!({"solar": 2})).await;
    assert_eq!(record(&mut home).await.report["record"]["net"], 50);
}

#[tokio::test]
async fn one_topic_tells_the_state_of_a_plug_and_its_power() {
    both(async |protocol| {
        let toml = "
            [[power.sensor]]
            key = \"{{ topic.split('/')[1] }}\"
            topic = 'zigbee2mqtt/+'
            value_template = '{{ value_json.power }}'
            [[task]]
            id = 'pump'
            power = 500
            keys = ['pump']
            min_on = 0
            command_topic = 'zigbee2mqtt/pump/set'
            payload_on = '{\"state\": \"ON\"}'
            payload_off = '{\"state\": \"OFF\"}'
            state_topic = 'zigbee2mqtt/pump'
            value_template = '{{ value_json.state }}'
            state_on = 'ON'
            state_off = 'OFF'";
        let mut home = Home::new(protocol, toml).await;
        home.say("zigbee2mqtt/pump", r#"{"state": "ON", "power": 480, "voltage": null}"#).await;
        home.report("pump", |report| report["status"] == "running").await;
        let cycle = home.cycle_with(json!({"net": -100})).await;
        assert_eq!(cycle.report["record"], json!({"net": -100, "pump": 480}), "{}", cycle.report);
        assert_eq!(home.scheduler(|_| true).await["rejected"], 0);
        // Once for the sensor and once for the task: it came once.
        home.say("zigbee2mqtt/pump", "nonsense").await;
        home.scheduler(|state| state["rejected"] == 2).await;
        home.cycle().await;
        assert_eq!(home.scheduler(|_| true).await["rejected"], 2);
    })
    .await;
}
