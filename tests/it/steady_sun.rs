//! Outages under a steady sun: the meter says the same all day, so nothing may be switched, whoever was away.
//!
//! The outages are slept through: how long nobody answers is what is tested, and nobody is there to tell of its end.

use std::time::Duration;

use serde_json::json;
use sunward::config::Protocol;
use sunward::mqtt::Outgoing;
use tokio::task::JoinHandle;
use tokio::time::{interval, sleep};

use crate::home::{CYCLE, Home, both};
use crate::mosquitto::Mosquitto;
use crate::peer::{Peer, settings};

/// Longer than the gap after which data is missing.
const OUTAGE: Duration = Duration::from_secs(4);

/// So long that broker and Sunward both notice that the other doesn't answer.
const LONG_OUTAGE: Duration = Duration::from_secs(17);

const TOML: &str = "[mqtt]\nkeep_alive = '5s'\n[scheduler]\ncycle = '1s'\nmax_record_gap = '2s'\nconfirm_records = 2";

/// A meter on a connection of its own, which comes back by itself.
struct Meter {
    task: JoinHandle<()>,
}

impl Meter {
    async fn start(broker: &Mosquitto) -> Self {
        let peer = Peer::subscribed_to(&settings(&broker.url(), Protocol::V5), &["nothing"]).await;
        let task = tokio::spawn(async move {
            // All of it: its connection ends when it is dropped.
            let peer = peer;
            let record = json!({"net": -300, "heater": 2000}).to_string();
            let mut pace = interval(Duration::from_millis(200));
            loop {
                pace.tick().await;
                let _ = peer.handle.publish(Outgoing::telemetry("sunward/power", record.clone()));
            }
        });
        Self { task }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Two tasks run and are paid for, one has not enough.
async fn sunny(protocol: Protocol) -> (Home, Meter) {
    let mut home = Home::new(protocol, TOML).await;
    let meter = Meter::start(&home.broker).await;
    home.register("heater", json!({"power": 2000, "keys": ["heater"]})).await;
    home.register("pump", json!({"power": 500})).await;
    home.register("ev", json!({"power": 2000})).await;
    for (id, running) in [("heater", true), ("pump", true), ("ev", false)] {
        home.running(id, running).await;
    }
    records(&mut home, 3).await;
    assert_eq!(home.taken_commands(), [""; 0], "{home}");
    (home, meter)
}

/// Waits for so many cycles that have a record.
async fn records(home: &mut Home, count: usize) {
    for _ in 0..count {
        let before = home.cycles();
        let has_record = |home: &Home| home.cycles() > before && home.seen(CYCLE).contains("\"skipped\":null");
        home.until("a cycle with a record", |home| has_record(home).then_some(())).await;
    }
}

/// Whatever happened is over: scheduling goes on, and nobody was told anything.
async fn nothing_was_switched(mut home: Home) {
    records(&mut home, 4).await;
    assert_eq!(home.taken_commands(), [""; 0], "{home}");
    assert!(!home.all.iter().any(|message| message.contains("\"state\":\"no_data\"")), "{home}");
    home.stop().await;
}

#[tokio::test]
async fn a_broker_that_was_away_switches_nothing() {
    both(async |protocol| {
        let (mut home, _meter) = sunny(protocol).await;
        home.broker.kill();
        sleep(OUTAGE).await;
        home.restart_broker_only().await;
        for (id, running) in [("heater", true), ("pump", true), ("ev", false)] {
            home.running(id, running).await;
        }
        nothing_was_switched(home).await;
    })
    .await;
}

#[tokio::test]
async fn a_broker_that_was_frozen_for_a_moment_switches_nothing() {
    both(async |protocol| {
        let (home, _meter) = sunny(protocol).await;
        home.broker.freeze();
        sleep(OUTAGE).await;
        home.broker.thaw();
        nothing_was_switched(home).await;
    })
    .await;
}

#[tokio::test]
async fn a_broker_that_was_frozen_for_long_switches_nothing() {
    both(async |protocol| {
        let (home, _meter) = sunny(protocol).await;
        home.broker.freeze();
        sleep(LONG_OUTAGE).await;
        home.broker.thaw();
        nothing_was_switched(home).await;
    })
    .await;
}

#[tokio::test]
async fn a_process_that_slept_switches_nothing() {
    both(async |protocol| {
        for (asleep, is_kicked) in [(OUTAGE, false), (LONG_OUTAGE, true)] {
            let (mut home, _meter) = sunny(protocol).await;
            home.sunward.as_ref().unwrap().signal("-STOP");
            sleep(asleep).await;
            if is_kicked {
                home.offline().await;
            }
            home.sunward.as_ref().unwrap().signal("-CONT");
            home.online().await;
            nothing_was_switched(home).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_meter_that_falls_silent_after_an_outage_is_missed_as_soon_as_ever() {
    both(async |protocol| {
        let (mut home, meter) = sunny(protocol).await;
        home.broker.freeze();
        sleep(OUTAGE).await;
        drop(meter);
        home.broker.thaw();
        home.until("no data", |home| home.all.iter().any(|all| all.contains("\"state\":\"no_data\"")).then_some(()))
            .await;
        let mut stops = Vec::new();
        while stops.len() < 2 {
            stops.extend(home.some_commands().await);
        }
        stops.sort();
        stops.dedup();
        assert_eq!(stops, ["heater=stop", "pump=stop"], "{home}");
        home.stop().await;
    })
    .await;
}
