//! Guards as they cross a real broker: switches by hand, leases, and run times that survive a restart.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sunward::config::Protocol;

use crate::home::{CYCLE, Home, both};

const REPORT: &str = "sunward/task/heater/report";

async fn with_heater(protocol: Protocol, extra: serde_json::Value) -> Home {
    let mut home = Home::new(protocol, "").await;
    let mut registration = json!({"power": 2000, "keys": ["heater"]});
    registration.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    home.register("heater", registration).await;
    home.running("heater", false).await;
    home
}

#[tokio::test]
async fn a_switch_by_hand_is_held_and_a_followed_command_is_none() {
    both(async |protocol| {
        let mut home = with_heater(protocol, json!({"manual_hold": "2h"})).await;
        assert_eq!(home.cycle_with(json!({"net": -9000, "heater": 0})).await.commands, ["heater=start"]);
        home.running("heater", true).await;
        let report = home.report("heater", |report| report["status"] == "running").await;
        assert!(report["held"].is_null(), "{report}");
        home.running("heater", false).await;
        let told = home.report("heater", |report| report["held"]["mode"] == "off").await;
        assert!(told["reason"].as_str().unwrap().starts_with("held off by hand until "), "{told}");
        assert!(home.cycle_with(json!({"net": -9000, "heater": 0})).await.commands.is_empty());
        // It is still somebody's wish after a restart.
        home.kill().await;
        home.start().await;
        assert!(home.cycle_with(json!({"net": -9000, "heater": 0})).await.commands.is_empty());
        let report = home.report("heater", |report| report["held"]["mode"] == "off").await;
        assert_eq!(report["held"], told["held"]);
        home.say("sunward/task/heater/mode/set", "auto").await;
        home.report("heater", |report| report["held"].is_null()).await;
        assert_eq!(home.cycle_with(json!({"net": -9000, "heater": 0})).await.commands, ["heater=start"]);
    })
    .await;
}

#[tokio::test]
async fn a_switch_by_hand_is_still_held_if_the_plug_speaks_long_after_the_restart() {
    let mut home = with_heater(Protocol::V5, json!({"manual_hold": "2h"})).await;
    home.running("heater", true).await;
    let told = home.report("heater", |report| report["held"]["mode"] == "on").await;
    home.kill().await;
    home.retain("sunward/task/heater/state", "").await;
    home.start().await;
    home.report("heater", |report| report["status"] == "unreachable" && report["held"] == told["held"]).await;
    home.running("heater", true).await;
    home.report("heater", |report| report["status"] == "running").await;
    assert!(home.cycle_with(json!({"net": 9000, "heater": 2000})).await.commands.is_empty());
    home.report("heater", |report| report["power"] == 2000 && report["held"] == told["held"]).await;
}

#[tokio::test]
async fn what_changed_while_sunward_was_cut_off_is_nobodys_wish() {
    let mut home = with_heater(Protocol::V5, json!({"manual_hold": "2h"})).await;
    home.cut_while(async |home| home.running("heater", true).await).await;
    let report = home.report("heater", |report| report["status"] == "running").await;
    assert!(report["held"].is_null(), "{report}");
}

#[tokio::test]
async fn a_lease_is_renewed_in_time_and_at_once_after_a_restart() {
    let mut home = with_heater(Protocol::V5, json!({"lease": "10s", "on_no_data": "keep"})).await;
    assert_eq!(home.cycle_with(json!({"net": -9000, "heater": 0})).await.commands, ["heater=start"]);
    home.running("heater", true).await;
    home.commanded(&["heater=start"]).await;
    home.kill().await;
    home.start().await;
    home.commanded(&["heater=start"]).await;
    home.command("pause").await;
    home.commanded(&["heater=start"]).await;
}

#[tokio::test]
async fn run_time_and_starts_survive_a_restart() {
    both(async |protocol| {
        let mut home = with_heater(protocol, json!({"daily": {"on_for": "2h", "by": "00:00"}})).await;
        home.running("heater", true).await;
        home.report("heater", |report| report["starts_today"] == 1).await;
        let report = home.report("heater", |report| report["daily"]["settled"] == false).await;
        home.cycle().await;
        home.stop().await;
        home.start().await;
        home.cycle().await;
        home.report("heater", |report| report["starts_today"] == 1 && report["status"] == "running").await;
        // As an earlier run may have left it.
        home.stop().await;
        home.running("heater", false).await;
        let now = Timestamp::now();
        let daily = json!({"by": report["daily"]["by"], "on_for": 5400, "settled": true});
        let told = json!({"status": "running", "on_today": 3600, "starts_today": 7, "daily": daily});
        home.retain(REPORT, &told.to_string()).await;
        home.retain(CYCLE, &json!({"time": now}).to_string()).await;
        home.start().await;
        home.cycle().await;
        let report = home.report("heater", |report| report["starts_today"] == 7).await;
        assert_eq!((&report["on_today"], &report["daily"]), (&json!(3600), &daily));
        // What speaks of another day is not taken over.
        home.stop().await;
        home.retain(REPORT, &told.to_string()).await;
        home.retain(CYCLE, &json!({"time": now - SignedDuration::from_hours(48)}).to_string()).await;
        home.start().await;
        home.cycle().await;
        let report = home.report("heater", |report| report["starts_today"] == 0).await;
        assert_eq!((&report["on_today"], &report["daily"]), (&json!(0), &daily));
    })
    .await;
}

#[tokio::test]
async fn a_compressor_is_not_restarted_by_a_restart_of_sunward() {
    both(async |protocol| {
        let mut home = with_heater(protocol, json!({"min_off": "2h"})).await;
        home.running("heater", true).await;
        home.report("heater", |report| report["status"] == "running").await;
        home.running("heater", false).await;
        let told = home.report("heater", |report| report["status"] == "unrunnable").await;
        assert!(told["since"].as_str().unwrap().ends_with('Z'), "{told}");
        home.kill().await;
        home.start().await;
        assert!(home.cycle_with(json!({"net": -9000, "heater": 0})).await.commands.is_empty());
        let report = home.report("heater", |report| report["reason"] == "min_off holds it").await;
        assert_eq!(report["since"], told["since"]);
        // It was switched while Sunward was away, nobody knows when.
        home.stop().await;
        let long_ago = json!({"status": "running", "on_today": 0, "starts_today": 0, "since": "2026-01-01T00:00:00Z"});
        home.retain(REPORT, &long_ago.to_string()).await;
        home.start().await;
        assert!(home.cycle_with(json!({"net": -9000, "heater": 0})).await.commands.is_empty());
        // It was off for all that time.
        home.stop().await;
        home.retain(REPORT, &long_ago.to_string().replace("running", "stopped")).await;
        home.start().await;
        assert_eq!(home.cycle_with(json!({"net": -9000, "heater": 0})).await.commands, ["heater=start"]);
        // It was done.
        home.stop().await;
        let finished = json!({"below": 50, "for": "10m", "rest": "12h"});
        home.register("heater", json!({"power": 2000, "keys": ["heater"], "finished": finished})).await;
        let rests =
            json!({"status": "unrunnable", "on_today": 0, "starts_today": 0, "rests_until": "2100-01-01T00:00:00Z"});
        home.retain(REPORT, &rests.to_string()).await;
        home.start().await;
        assert!(home.cycle_with(json!({"net": -9000, "heater": 0})).await.commands.is_empty());
        home.report("heater", |report| report["rests_until"] == "2100-01-01T00:00:00.000Z").await;
    })
    .await;
}

#[tokio::test]
async fn without_a_record_a_deadline_starts_a_task() {
    let mut home = with_heater(Protocol::V5, json!({"daily": {"on_for": "24h", "by": "06:30"}})).await;
    let cycle = home.cycle().await;
    assert_eq!((cycle.commands, &cycle.report["started"][0]["rule"]), (vec!["heater=start".into()], &json!("daily")));
    home.report("heater", |report| report["priority"] == "urgent").await;
}

#[tokio::test]
async fn what_an_older_version_left_does_no_harm() {
    let mut home = Home::empty(Protocol::V5, "").await;
    home.register("heater", json!({"power": 2000})).await;
    home.running("heater", false).await;
    home.retain(REPORT, r#"{"status": "stopped", "reason": 1}"#).await;
    home.retain(CYCLE, "[]").await;
    home.retain("sunward/task/heater/mode", "sideways").await;
    home.retain("sunward/task/heater/priority", "\u{0}").await;
    home.start().await;
    home.until("auto", |home| (home.seen("sunward/task/heater/mode") == "auto").then_some(())).await;
    home.cycle_with(json!({"net": -2000})).await;
    home.report("heater", |report| report["status"] == "stopped" && report["mode"] == "auto").await;
}
