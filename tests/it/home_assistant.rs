//! Home Assistant's devices over a real broker: they appear, change, come again and go.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sunward::config::Protocol;
use sunward::mqtt::Incoming;

use crate::home::{AVAILABILITY, Home, both};
use crate::peer::Peer;

const SUNWARD: &str = "homeassistant/device/sunward/config";
const HEATER: &str = "homeassistant/device/sunward_task_heater/config";
const BIRTH: &str = "homeassistant/status";
const OFF: &str = "[homeassistant]\ndiscovery = false";

fn device(home: &Home, topic: &str) -> Value {
    serde_json::from_str(home.seen(topic)).unwrap_or_default()
}

/// Waits for a device with this name.
async fn named(home: &mut Home, topic: &str, name: &str) -> Value {
    home.until(topic, |home| Some(device(home, topic)).filter(|device| device["device"]["name"] == name)).await
}

/// Waits until nothing is retained on a topic.
async fn cleared(home: &mut Home, topic: &str) {
    home.until(topic, |home| home.seen(topic).is_empty().then_some(())).await;
}

fn unique_ids(device: &Value) -> BTreeMap<&String, &Value> {
    let components = device["components"].as_object().unwrap().iter();
    components.map(|(key, component)| (key, &component["unique_id"])).collect()
}

#[tokio::test]
async fn a_task_is_a_device_for_as_long_as_it_is_registered() {
    both(async |protocol| {
        let mut home = Home::new(protocol, "").await;
        named(&mut home, SUNWARD, "Sunward").await;
        home.register("heater", json!({"power": 2000})).await;
        let plain = named(&mut home, HEATER, "heater").await;
        assert_eq!(plain["device"]["via_device"], device(&home, SUNWARD)["device"]["identifiers"][0]);

        home.register("heater", json!({"name": "Boiler", "power": 2000})).await;
        let renamed = named(&mut home, HEATER, "Boiler").await;
        assert_eq!(unique_ids(&renamed), unique_ids(&plain));
        assert_eq!(renamed["components"]["setpoint"], json!({"platform": "sensor"}));
        home.register("heater", json!({"name": "EV", "power": 2000, "max_power": 4000, "auto_adjust": true})).await;
        let adjustable = named(&mut home, HEATER, "EV").await;
        assert_eq!(adjustable["components"]["setpoint"]["state_topic"], "sunward/task/heater/report");
        // A registration that is refused changes nothing.
        home.register("heater", json!({"name": "Nonsense", "power": -1})).await;
        home.report("heater", |report| report["error"].is_string()).await;
        assert_eq!(device(&home, HEATER), adjustable);

        home.unregister("heater").await;
        cleared(&mut home, HEATER).await;
        home.scheduler(|state| state["tasks"] == 0).await;
        home.cycle().await;
        let left: Vec<String> = home.retained().await.into_keys().filter(|topic| topic.contains("heater")).collect();
        assert!(left.is_empty(), "{left:?}");
    })
    .await;
}

#[tokio::test]
async fn what_went_while_sunward_was_away_goes_when_it_is_back() {
    let mut home = Home::new(Protocol::V5, "").await;
    home.register("heater", json!({"power": 2000})).await;
    named(&mut home, HEATER, "heater").await;
    home.stop().await;
    // The last will and the last word are what makes every entity unavailable.
    assert_eq!(device(&home, HEATER)["availability_topic"], AVAILABILITY);
    home.unregister("heater").await;
    home.start().await;
    cleared(&mut home, HEATER).await;
    named(&mut home, SUNWARD, "Sunward").await;
}

#[tokio::test]
async fn without_discovery_nothing_remains_of_an_earlier_run_and_others_keep_theirs() {
    both(async |protocol| {
        let mut home = Home::new(protocol, "").await;
        home.register("heater", json!({"power": 2000})).await;
        named(&mut home, HEATER, "heater").await;
        let others = ["homeassistant/device/sunward2/config", "homeassistant/device/plug/config"];
        for topic in others {
            home.retain(topic, "{}").await;
        }
        home.stop().await;
        home.configure(OFF);
        home.start().await;
        cleared(&mut home, HEATER).await;
        cleared(&mut home, SUNWARD).await;
        home.register("pump", json!({"power": 500})).await;
        home.say(BIRTH, "online").await;
        home.cycle().await;
        let retained = home.retained().await;
        let left: Vec<&String> = retained.keys().filter(|topic| topic.starts_with("homeassistant/")).collect();
        assert_eq!(left, [others[1], others[0]]);
        home.scheduler(|state| state["rejected"] == 0).await;
    })
    .await;
}

#[tokio::test]
async fn home_assistant_is_told_everything_again_when_it_has_started_and_not_at_once() {
    let mut home = Home::new(Protocol::V5, "").await;
    let tasks = 60;
    for n in 0..tasks {
        home.register(&format!("t{n}"), json!({"power": 100})).await;
    }
    home.scheduler(|state| state["tasks"] == tasks).await;
    named(&mut home, &format!("homeassistant/device/sunward_task_t{}/config", tasks - 1), "t59").await;
    let mut other = Peer::new(&home.broker.url(), &["homeassistant/device/+/config", "sunward/#"]).await;
    let (mut devices, mut told, mut began) = (BTreeMap::new(), BTreeMap::new(), None);
    home.say(BIRTH, "online").await;
    other
        .until("everything again", |item| {
            let Incoming::Message(message) = item else { return None };
            if message.retain {
                return None;
            }
            began.get_or_insert_with(Instant::now);
            let seen = if message.topic.starts_with("homeassistant/") { &mut devices } else { &mut told };
            *seen.entry(message.topic.clone()).or_insert(0) += 1;
            let complete = told.contains_key("sunward/scheduler/state") && told.len() == 60 + 2;
            complete.then_some(())
        })
        .await;
    assert_eq!(devices.len(), 61, "{devices:?}");
    assert!(devices.values().all(|times| *times == 1), "{devices:?}");
    // 20 at a time, 123 in all.
    assert!(began.unwrap().elapsed() > Duration::from_millis(400), "they came in a flood");
}

#[tokio::test]
async fn a_broker_that_forgot_everything_is_told_the_devices_again() {
    let mut home = Home::new(Protocol::V5, "").await;
    home.register("heater", json!({"power": 2000})).await;
    let before = named(&mut home, HEATER, "heater").await;
    home.restart_broker().await;
    assert_eq!(named(&mut home, HEATER, "heater").await, before);
    named(&mut home, SUNWARD, "Sunward").await;
}

#[tokio::test]
async fn a_device_that_somebody_removed_stays_away_until_it_changes() {
    both(async |protocol| {
        let mut home = Home::new(protocol, "").await;
        home.register("heater", json!({"power": 2000})).await;
        named(&mut home, HEATER, "heater").await;
        // As Home Assistant does when its user deletes the device.
        home.retain(HEATER, "").await;
        home.say(BIRTH, "online").await;
        home.register("pump", json!({"power": 500})).await;
        named(&mut home, "homeassistant/device/sunward_task_pump/config", "pump").await;
        home.cycle().await;
        assert_eq!(home.seen(HEATER), "");
        home.register("heater", json!({"name": "Boiler", "power": 2000})).await;
        named(&mut home, HEATER, "Boiler").await;
        // Our own clearing is nobody's wish.
        home.unregister("heater").await;
        cleared(&mut home, HEATER).await;
        home.register("heater", json!({"name": "Boiler", "power": 2000})).await;
        named(&mut home, HEATER, "Boiler").await;
    })
    .await;
}

#[tokio::test]
async fn energy_of_today_and_what_was_last_survive_a_restart() {
    let mut home = Home::new(Protocol::V5, "").await;
    // So powerful that milliseconds count.
    let record = json!({"net": -9e6, "heater": 9e6});
    home.register("heater", json!({"name": "Boiler", "power": 2000, "keys": ["heater"]})).await;
    home.running("heater", false).await;
    let cycle = home.cycle_with(json!({"net": -9000})).await;
    assert_eq!(cycle.report["last_started"]["name"], "Boiler");
    home.running("heater", true).await;
    let energy = |report: &Value| report["energy_today"].as_f64().unwrap();
    let mut before = json!({"energy_today": 0.0});
    while energy(&before) < 0.1 {
        home.cycle_with(record.clone()).await;
        before = home.report("heater", |report| report["power"] == 9_000_000).await;
    }
    home.stop().await;
    home.start().await;
    let cycle = home.cycle_with(record).await;
    assert_eq!(cycle.report["last_started"]["task"], "heater");
    let after = home.report("heater", |report| report["power"] == 9_000_000).await;
    assert!(energy(&after) >= energy(&before), "{before} {after}");
}

#[tokio::test]
async fn a_refused_message_is_a_problem_and_missing_data_is_one() {
    let mut home = Home::new(Protocol::V5, "scheduler.max_record_gap = 1").await;
    home.scheduler(|state| state["problem"] == "no power record arrives").await;
    home.power(json!({"net": 0})).await;
    home.scheduler(|state| state["problem"].is_null()).await;
    home.say("sunward/power", "nonsense").await;
    home.scheduler(|state| state["problem"].as_str().is_some_and(|why| why.starts_with("sunward/power: "))).await;
}
