//! What ends and comes back: the broker, the connection, the program itself.

use serde_json::json;
use sunward::config::Protocol;

use crate::home::{AVAILABILITY, CYCLE, Home, STATE, both};

const REPORT: &str = "sunward/task/heater/report";

#[tokio::test]
async fn a_broker_that_lost_everything_is_told_everything_again_and_scheduling_goes_on() {
    both(async |protocol| {
        let mut home = Home::new(protocol, "").await;
        home.register("heater", json!({"power": 2000})).await;
        home.running("heater", false).await;
        home.cycle_with(json!({"net": -1000})).await;
        let report = home.report("heater", |report| report["ratio"] == 0.5).await;
        home.restart_broker().await;
        assert_eq!(home.report("heater", |report| report["ratio"] == 0.5).await, report);
        home.scheduler(|state| state["tasks"] == 1 && state["state"] == "active").await;
        let retained = home.retained().await;
        for topic in [AVAILABILITY, STATE, CYCLE, REPORT] {
            assert!(retained.contains_key(topic), "{topic} is missing: {retained:?}");
        }
        home.cycle_with(json!({"net": -2000})).await;
        assert_eq!(home.cycle_with(json!({"net": -2000})).await.commands, ["heater=start"]);
    })
    .await;
}

#[tokio::test]
async fn what_a_broker_replays_after_a_reconnect_is_no_change() {
    both(async |protocol| {
        let mut home = Home::new(protocol, "").await;
        home.register("ev", json!({"power": 2000})).await;
        home.running("ev", false).await;
        home.register("heater", json!({"power": 500, "keys": ["heater"], "min_on": "1h"})).await;
        home.running("heater", false).await;
        home.running("heater", true).await;
        home.retain("sunward/power", r#"{"net": -2000, "heater": 500}"#).await;
        assert_eq!(home.cycle().await.commands, ["ev=start"]);
        home.cut().await;
        let cycle = home.cycle().await;
        assert_eq!(cycle.report["skipped"], "no_record", "a replayed record counted: {}", cycle.report);
        home.report("ev", |report| report["reason"].as_str().is_some_and(|reason| reason.contains("start was sent")))
            .await;
        home.report("heater", |report| report["starts_today"] == 1).await;
        // The heater's first minutes are still its first: nothing but `min_on` keeps it running.
        assert!(home.cycle_with(json!({"net": 5000, "heater": 500})).await.commands.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_replay_does_not_make_an_old_state_young() {
    let mut home = Home::new(Protocol::V5, "").await;
    home.register("heater", json!({"power": 2000, "expire_after": "1s"})).await;
    home.running("heater", false).await;
    while home.cycle().await.report.is_object() {
        if home.seen(REPORT).contains("unreachable") {
            break;
        }
        home.until("its report", |home| (!home.seen(REPORT).is_empty()).then_some(())).await;
    }
    home.cut().await;
    assert!(home.cycle_with(json!({"net": -2000})).await.commands.is_empty(), "{home}");
    home.running("heater", false).await;
    assert_eq!(home.cycle_with(json!({"net": -2000})).await.commands, ["heater=start"]);
}

#[tokio::test]
async fn it_is_offline_after_its_end_however_it_ended() {
    both(async |protocol| {
        let mut home = Home::new(protocol, "").await;
        for clean in [true, false] {
            if clean {
                home.stop().await
            } else {
                home.kill().await
            }
            assert_eq!(home.retained().await[AVAILABILITY], "offline");
            home.start().await;
            assert_eq!(home.retained().await[AVAILABILITY], "online");
        }
    })
    .await;
}

#[tokio::test]
async fn it_waits_for_a_broker_that_starts_later() {
    both(async |protocol| {
        let mut home = Home::empty(protocol, "").await;
        home.broker.kill();
        home.peer.disconnected().await;
        home.launch();
        home.restart_broker().await;
        assert_eq!(home.cycle().await.report["skipped"], "no_record");
    })
    .await;
}

#[tokio::test]
async fn it_ends_well_without_its_broker() {
    let mut home = Home::new(Protocol::V5, "").await;
    home.broker.kill();
    let mut sunward = home.sunward.take().unwrap();
    let status = sunward.stop().await;
    assert!(status.success(), "{status}: {}", sunward.log());
}
