//! Set-points on the wire: retained, in time, and gone when nobody needs them.

use serde_json::{Value, json};
use sunward::config::Protocol;

use crate::home::{Home, both};

const SETPOINT: &str = "sunward/task/ev/setpoint";

/// Often enough for a test, and with an interval that it can see.
const FAST: &str = "[scheduler]\nsetpoint_interval = '1s'";

fn ev() -> Value {
    json!({"power": 1400, "max_power": 7400, "auto_adjust": true, "keys": ["ev"]})
}

async fn told(home: &mut Home, watts: &str) {
    home.until(watts, |home| (home.seen(SETPOINT) == watts).then_some(())).await;
}

#[tokio::test]
async fn a_setpoint_follows_the_sun_is_retained_and_ends_with_the_registration() {
    both(async |protocol| {
        let mut home = Home::new(protocol, FAST).await;
        home.register("ev", ev()).await;
        home.running("ev", false).await;
        told(&mut home, "1400").await;
        home.running("ev", true).await;
        home.power(json!({"net": -2000.4, "ev": 1400})).await;
        told(&mut home, "3400").await;
        assert_eq!(home.retained().await[SETPOINT], "3400");
        home.cycle().await;
        home.report("ev", |report| report["setpoint"].as_f64() == Some(3400.0)).await;
        home.power(json!({"net": 1000, "ev": 3400})).await;
        told(&mut home, "2400").await;
        home.running("ev", false).await;
        told(&mut home, "1400").await;
        home.unregister("ev").await;
        told(&mut home, "").await;
        assert!(!home.retained().await.contains_key(SETPOINT));
    })
    .await;
}

#[tokio::test]
async fn of_several_values_within_the_interval_the_last_one_counts_when_it_is_over() {
    let mut home = Home::new(Protocol::V5, "[scheduler]\nsetpoint_interval = '2s'").await;
    home.register("ev", ev()).await;
    home.running("ev", true).await;
    told(&mut home, "1400").await;
    let begin = std::time::Instant::now();
    for net in [-1000, -3000, -2000] {
        home.power(json!({"net": net, "ev": 1400})).await;
    }
    // Nobody publishes anything any more.
    home.until("another", |home| (home.seen(SETPOINT) != "1400").then_some(())).await;
    assert_eq!(home.seen(SETPOINT), "3400");
    assert!(begin.elapsed().as_secs_f64() > 1.5, "{:?}", begin.elapsed());
}

#[tokio::test]
async fn a_restart_takes_over_what_was_sent_and_clears_what_nobody_gets_any_more() {
    let mut home = Home::new(Protocol::V5, FAST).await;
    home.register("ev", ev()).await;
    home.running("ev", true).await;
    home.power(json!({"net": -2000, "ev": 1400})).await;
    told(&mut home, "3400").await;
    home.stop().await;
    home.retain("sunward/task/gone/setpoint", "5000").await;
    home.start().await;
    home.until("cleared", |home| home.seen("sunward/task/gone/setpoint").is_empty().then_some(())).await;
    home.cycle().await;
    assert_eq!(home.seen(SETPOINT), "3400", "a restart is no cloud");
    home.power(json!({"net": 1000, "ev": 3400})).await;
    told(&mut home, "2400").await;
}

#[tokio::test]
async fn a_dry_run_sends_none() {
    let mut home = Home::new(Protocol::V5, "[scheduler]\ndry_run = true\nsetpoint_interval = '0s'").await;
    home.register("ev", ev()).await;
    home.running("ev", true).await;
    home.cycle_with(json!({"net": -2000, "ev": 1400})).await;
    assert_eq!(home.seen(SETPOINT), "");
}

#[tokio::test]
async fn a_charger_of_the_configuration_is_told_in_its_own_words() {
    let toml = "[scheduler]\nsetpoint_interval = '0s'\n[[task]]\nid = 'ev'\npower = 1380\nmax_power = 3680\n\
        auto_adjust = true\nkeys = ['ev']\ncommand_topic = 'sunward-test/set'\nstate_topic = 'sunward-test/state'\n\
        setpoint_topic = 'sunward-test/amp'\nsetpoint_template = '{{ max(6, value // 230) }}'\n";
    let mut home = Home::empty(Protocol::V5, toml).await;
    home.peer.handle.subscribe("sunward-test/amp").unwrap();
    // A registration of the same id had one before.
    home.retain(SETPOINT, "3000").await;
    home.start().await;
    home.say("sunward-test/state", "ON").await;
    home.until("six", |home| (home.seen("sunward-test/amp") == "6").then_some(())).await;
    home.power(json!({"net": -1000, "ev": 1380})).await;
    home.until("ten", |home| (home.seen("sunward-test/amp") == "10").then_some(())).await;
    let retained = home.retained().await;
    assert!(!retained.contains_key("sunward-test/amp") && !retained.contains_key(SETPOINT), "{retained:?}");
}
