//! `[power.estimate]`: a dead meter doesn't end the day.

use serde_json::{Value, json};
use sunward::config::Protocol;

use crate::home::{Cycle, Home, both};

/// A home on the equator where it is noon now, whenever the test runs: 5 kWp that lie flat under the sun.
fn noon(more: &str) -> String {
    let now = jiff::Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::UTC);
    let hours = f64::from(now.hour()) + f64::from(now.minute()) / 60.0;
    let longitude = (12.0 - hours) * 15.0;
    format!(
        "[scheduler]\nmax_record_gap = '1s'\n[power.estimate]\nlatitude = 0.0\nlongitude = {longitude:.2}\n\
         base_load = 300\npanels = [{{ azimuth = 0, tilt = 0, peak_power = 5000 }}]\n{more}"
    )
}

/// Has cycles run until one has a record from this source.
async fn cycle_from(home: &mut Home, source: &str) -> Cycle {
    let deadline = tokio::time::Instant::now() + crate::peer::PATIENCE;
    loop {
        let cycle = home.cycle().await;
        if cycle.report["source"] == source {
            return cycle;
        }
        assert!(tokio::time::Instant::now() < deadline, "never from the {source}: {}", cycle.report);
    }
}

fn watts(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

#[tokio::test]
async fn the_sun_stands_in_for_a_dead_meter() {
    both(async |protocol| {
        let mut home = Home::new(protocol, &noon("")).await;
        home.register("heater", json!({"power": 2000, "keys": ["heater"]})).await;
        home.running("heater", false).await;

        let cycle = cycle_from(&mut home, "fallback").await;
        let record = &cycle.report["record"];
        // 60 % of what 5 kWp give under a sun that stands at least 66° high.
        assert!((2100.0..2700.0).contains(&watts(&record["solar"])), "{record}");
        assert!((watts(&record["net"]) - 300.0 + watts(&record["solar"])).abs() < 0.2, "{record}");
        assert_eq!(
            (cycle.commands, &cycle.report["started"][0]["rule"]),
            (vec!["heater=start".into()], &json!("elected"))
        );

        // What the heater is declared to use is in the next estimate.
        home.running("heater", true).await;
        let cycle = cycle_from(&mut home, "fallback").await;
        let record = &cycle.report["record"];
        assert_eq!(record["heater"], 2000, "{record}");
        assert!((watts(&record["net"]) - 2300.0 + watts(&record["solar"])).abs() < 0.2, "{record}");
        assert!(cycle.commands.is_empty(), "the sun still pays for it: {:?}", cycle.commands);

        let state = home.scheduler(|state| state["warnings"][0].is_string()).await;
        assert_eq!(state["state"], "active", "{state}");
        assert!(state["warnings"][0].as_str().unwrap().starts_with("no power record from the meter since"), "{state}");
    })
    .await;
}

#[tokio::test]
async fn a_record_on_the_fallback_topic_and_a_meter_that_is_back_go_before_it() {
    let mut home = Home::new(Protocol::V5, &noon("")).await;
    cycle_from(&mut home, "fallback").await;
    home.say("sunward/power/fallback", r#"{"net": 123}"#).await;
    let cycle = cycle_from(&mut home, "fallback").await;
    assert_eq!(cycle.report["record"]["net"], 123, "{}", cycle.report);
    let cycle = home.cycle_with(json!({"net": 456})).await;
    assert_eq!((&cycle.report["source"], &cycle.report["record"]["net"]), (&json!("meter"), &json!(456)));
}

#[tokio::test]
async fn without_a_place_nothing_is_estimated() {
    let mut home = Home::new(Protocol::V5, "[scheduler]\nmax_record_gap = '1s'").await;
    home.scheduler(|state| state["state"] == "no_data").await;
    assert_eq!(home.cycle().await.report["skipped"], "no_record");
}
