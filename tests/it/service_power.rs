//! Records and their absence: what counts as a reading, and what happens without one.

use serde_json::{Value, json};
use sunward::config::Protocol;

use crate::home::{Home, both};

/// Data is missing as soon as nothing came for a second.
const IMPATIENT: &str = "[scheduler]\nmax_record_gap = '1s'";

fn no_data(state: &Value) -> bool {
    state["state"] == "no_data" && state["paused"] == false
}

fn active(state: &Value) -> bool {
    state["state"] == "active"
}

#[tokio::test]
async fn a_retained_record_never_starts_anything() {
    both(async |protocol| {
        let mut home = Home::empty(protocol, "").await;
        home.register("heater", json!({"power": 2000})).await;
        home.running("heater", false).await;
        for topic in ["sunward/power", "sunward/power/fallback"] {
            home.retain(topic, r#"{"net": -5000}"#).await;
        }
        home.start().await;
        for _ in 0..2 {
            let cycle = home.cycle().await;
            assert_eq!((&cycle.report["skipped"], &cycle.report["record"]), (&json!("no_record"), &Value::Null));
            assert!(cycle.commands.is_empty(), "{:?}", cycle.commands);
        }
        home.scheduler(|state| state["rejected"] == 0).await;
        assert_eq!(home.cycle_with(json!({"net": -2000})).await.commands, ["heater=start"]);
    })
    .await;
}

#[tokio::test]
async fn records_of_one_cycle_are_averaged_and_old_ones_refused() {
    let mut home = Home::new(Protocol::V5, "").await;
    home.register("heater", json!({"power": 2000, "keys": ["heater"]})).await;
    home.running("heater", false).await;
    home.power(json!({"net": -1500, "solar": "3 kW"})).await;
    home.power(json!({"net": -2500.5, "time": "2026-01-01T00:00:00Z"})).await;
    let now = jiff::Timestamp::now();
    home.power(json!({"net": -2500.5, "time": now.to_string()})).await;
    home.power(json!({"net": -2500, "time": now.as_second()})).await;
    let cycle = home.cycle().await;
    assert_eq!(cycle.report["record"], json!({"heater": 0, "net": -2166.8}), "{}", cycle.report);
    assert_eq!(cycle.commands, ["heater=start"]);
    let state = home.scheduler(|state| state["rejected"] == 1).await;
    let error = state["last_error"]["error"].as_str().unwrap();
    assert!(error.contains("at most 3m are allowed (scheduler.max_record_gap)"), "{error}");
    // The plug is silent: it counts as what the heater is for.
    home.running("heater", true).await;
    let cycle = home.cycle_with(json!({"net": -100})).await;
    assert_eq!(cycle.report["record"]["heater"], 2000, "{}", cycle.report);
}

#[tokio::test]
async fn without_records_tasks_are_stopped_unless_they_are_to_be_kept() {
    both(async |protocol| {
        let mut home = Home::new(protocol, IMPATIENT).await;
        home.register("heater", json!({"power": 2000})).await;
        home.register("fridge", json!({"power": 100, "on_no_data": "keep"})).await;
        home.register("pump", json!({"power": 500})).await;
        for (id, running) in [("heater", true), ("fridge", true), ("pump", false)] {
            home.running(id, running).await;
        }
        home.scheduler(no_data).await;
        home.cycle_with(json!({"net": 0})).await;
        home.scheduler(active).await;
        // Nobody asks for a cycle: a timer notices.
        home.scheduler(no_data).await;
        home.commanded(&["heater=stop"]).await;
        home.report("fridge", |report| report["reason"] == "no power record arrives").await;
        for _ in 0..2 {
            let cycle = home.cycle().await;
            assert_eq!(cycle.commands, ["heater=stop"]);
            assert_eq!(cycle.report["skipped"], "no_record");
            assert_eq!(cycle.report["stopped"][0]["rule"], "no_data", "{}", cycle.report);
        }
        home.running("heater", false).await;
        assert!(home.cycle().await.commands.is_empty());
        home.power(json!({"net": -5000})).await;
        home.scheduler(active).await;
    })
    .await;
}

#[tokio::test]
async fn records_from_before_the_silence_are_forgotten() {
    let mut home = Home::new(Protocol::V5, IMPATIENT).await;
    home.register("heater", json!({"power": 2000})).await;
    home.running("heater", false).await;
    home.scheduler(no_data).await;
    home.cycle_with(json!({"net": 0})).await;
    home.scheduler(active).await;
    home.scheduler(no_data).await;
    // With the old record in the window two would have to agree.
    assert_eq!(home.cycle_with(json!({"net": -2000})).await.commands, ["heater=start"]);
}

#[tokio::test]
async fn missing_data_stops_nothing_while_a_user_paused() {
    let mut home = Home::new(Protocol::V5, IMPATIENT).await;
    home.power(json!({"net": 0})).await;
    home.command("pause").await;
    home.scheduler(|state| state["paused"] == true && state["warnings"] == json!([])).await;
    home.register("heater", json!({"power": 2000})).await;
    home.running("heater", true).await;
    home.scheduler(|state| state["paused"] == true && state["warnings"] != json!([])).await;
    let cycle = home.cycle().await;
    assert_eq!((&cycle.report["skipped"], cycle.commands.len()), (&json!("paused"), 0));
    home.command("resume").await;
    home.scheduler(no_data).await;
    assert_eq!(home.cycle().await.commands, ["heater=stop"]);
}

#[tokio::test]
async fn the_fallback_stands_in_for_a_silent_meter_only() {
    both(async |protocol| {
        let mut home = Home::new(protocol, IMPATIENT).await;
        home.register("heater", json!({"power": 2000})).await;
        home.running("heater", false).await;
        home.scheduler(no_data).await;
        home.say("sunward/power/fallback", r#"{"net": -2000}"#).await;
        let cycle = home.cycle().await;
        assert_eq!(cycle.report["source"], "fallback", "{}", cycle.report);
        assert_eq!(cycle.commands, ["heater=start"]);
        home.scheduler(active).await;
        home.say("sunward/power/fallback", r#"{"net": -2000}"#).await;
        let cycle = home.cycle_with(json!({"net": 700})).await;
        assert_eq!((&cycle.report["source"], &cycle.report["record"]["net"]), (&json!("meter"), &json!(700)));
        home.say("sunward/power/fallback", r#"{"net": -2000}"#).await;
        let cycle = home.cycle().await;
        assert_eq!(cycle.report["skipped"], "no_record", "the meter spoke a moment ago: {}", cycle.report);
    })
    .await;
}

#[tokio::test]
async fn nothing_starts_on_a_single_record() {
    let mut home = Home::new(Protocol::V5, "[scheduler]\nconfirm_records = 2").await;
    home.register("heater", json!({"power": 2000})).await;
    home.running("heater", false).await;
    let cycle = home.cycle_with(json!({"net": -2500})).await;
    assert!(cycle.commands.is_empty(), "{:?}", cycle.commands);
    home.report("heater", |report| report["reason"] == "waits for a second record" && report["ratio"] == 1.25).await;
    assert_eq!(home.cycle_with(json!({"net": -2500})).await.commands, ["heater=start"]);
}
