//! Criteria that are expressions, asked in a home.

use jiff::tz::TimeZone;
use serde_json::json;
use sunward::core::Settings;

use super::{Appliance, Home, plain};

/// A car of 1,400 W beside `net`, at 04:30 in UTC on a Monday: what is decided, and the reason that it then tells.
#[track_caller]
fn check(car: Appliance, time_zone: &str, net: f64, expect: (&str, &str)) {
    let settings = Settings { time_zone: TimeZone::posix(time_zone).unwrap(), ..Settings::default() };
    let mut home = Home::at("2026-06-01T04:30:00Z", settings, vec![car]);
    home.wait(90);
    let used = if home.runs().is_empty() { 0.0 } else { 1400.0 };
    home.steady(&[("net", net), ("ev", used), ("battery", 42.0)]);
    home.cycle();
    let decided = home.log.first().map_or("nothing", |line| line.split_once(' ').unwrap().1);
    assert_eq!((decided, home.view("ev").reason.as_str()), expect);
}

fn ev() -> Appliance {
    plain("ev", 1400.0)
}

/// A stopped car whose `start` is this, in UTC, without any sun.
#[track_caller]
fn starts(source: &str, expect: bool) {
    let mut home = Home::at("2026-06-01T04:30:00Z", Settings::default(), vec![ev().expressions(source, "true")]);
    home.says("ev", |state| {
        state.fields = [("running", json!(false)), ("soc", json!(15)), ("plug", json!("in"))].into_iter().collect()
    });
    home.wait(90);
    home.steady(&[("net", 100.0), ("ev", 0.0), ("battery", 42.0)]);
    home.cycle();
    assert_eq!(home.log.len(), usize::from(expect), "{source}: {}", home.view("ev").reason);
}

/// A running one whose `keep` is this.
#[track_caller]
fn keeps(source: &str, expect: bool) {
    let mut home =
        Home::at("2026-06-01T04:30:00Z", Settings::default(), vec![ev().expressions("false", source).running()]);
    home.wait(90);
    home.meter(&[("net", 1050.0), ("ev", 1400.0)]);
    home.cycle();
    assert_eq!(home.log.is_empty(), expect, "{source}: {}", home.view("ev").reason);
}

#[test]
fn a_start_may_ask_for_the_state_the_record_and_the_hour() {
    starts("ratio >= 1", false);
    starts("ratio == 0 and power == 0 and not running and priority == 1", true);
    starts("ratio >= 1 or state.soc < 20", true);
    starts("ratio >= 1 or state.soc < 15", false);
    starts("state.plug == 'in'", true);
    starts("record.battery > 40", true);
    starts("record.net == 100", true);
    starts("state.plug == 'in' and record.battery > 40 and record['net'] == 100", true);
    starts("now.hour == 4 and now.minute == 31 and now.weekday == 0", true);
    starts("now.hour >= 5", false);
    starts("off_for >= 90 and on_for == 0", true);
    starts("off_for > 90", false);
}

#[test]
fn a_keep_may_ask_for_what_it_uses_and_how_long() {
    keeps("ratio >= 0.25", true);
    keeps("ratio > 0.25", false);
    keeps("running and power == 1400", true);
    keeps("on_for >= 90 and off_for == 0", true);
    keeps("on_for < 90", false);
}

#[test]
fn the_hour_is_the_one_at_home() {
    let by_night = || ev().expressions("now.hour < 7", "now.hour < 7");
    let started = "0 W are available for its 1400 W, ratio 0.00 (now.hour < 7; now.hour is";
    check(by_night(), "UTC0", 100.0, ("start ev elected", &format!("{started} 4)")));
    check(by_night(), "CET-1CEST,M3.5.0,M10.5.0/3", 100.0, ("start ev elected", &format!("{started} 6)")));
    let waits = "start is not met (now.hour < 7): has ratio 0.00";
    check(by_night(), "EET-2EEST,M3.5.0/3,M10.5.0/4", 100.0, ("nothing", waits));
    let stopped = "keep is not met (now.hour < 7; now.hour is 7): the sun covers 0.00 of what it used, 1400 W now";
    check(by_night().running(), "EET-2EEST,M3.5.0/3,M10.5.0/4", 1500.0, ("stop ev failing_criteria", stopped));
    check(by_night().running(), "UTC0", 1500.0, ("nothing", "the sun covers 0.00 of it"));
}

#[test]
fn an_expression_that_fails_is_not_met_and_says_why() {
    let soc = || ev().expressions("state.soc < 20", "state.soc < 20");
    let waits = "start fails (undefined value): has ratio 2.00";
    check(soc(), "UTC0", -2800.0, ("nothing", waits));
    let stopped = "keep fails (undefined value): the sun covers 1.00 of what it used, 1400 W now";
    check(soc().running(), "UTC0", -500.0, ("stop ev failing_criteria", stopped));
    let endless = ev().expressions("range(1000000) | list | length > 3", "true");
    let waits = "start fails (`range`: expected a value of at most 64 KiB): has ratio 2.00";
    check(endless, "UTC0", -2800.0, ("nothing", waits));
}

#[test]
fn a_number_says_how_much_is_missing() {
    check(ev(), "UTC0", -700.0, ("nothing", "needs ratio 1.00, has 0.50: 700 W short"));
    let started = "1400 W are available for its 1400 W, ratio 1.00 (ratio >= 1.00)";
    check(ev(), "UTC0", -1400.0, ("start ev elected", started));
    check(ev().running(), "UTC0", 350.0, ("nothing", "the sun covers 0.75 of it"));
    let stopped = "keep is not met (ratio >= 0.75): the sun covers 0.74 of what it used, 1400 W now";
    check(ev().running(), "UTC0", 351.0, ("stop ev failing_criteria", stopped));
}

#[test]
fn what_the_state_says_of_its_criteria_stands_for_them() {
    let says = |meets| {
        let mut car = ev();
        car.state.meets_criteria = Some(meets);
        car
    };
    let started = "0 W are available for its 1400 W, ratio 0.00 (its state says so)";
    check(says(true), "UTC0", 100.0, ("start ev elected", started));
    let waits = "its state says that its criteria are not met, has ratio 2.00";
    check(says(false), "UTC0", -2800.0, ("nothing", waits));
    check(says(true).running(), "UTC0", 1500.0, ("nothing", "the sun covers 0.00 of it"));
    let stopped = "keep is not met (its state says so): the sun covers 1.00 of what it used, 1400 W now";
    check(says(false).running(), "UTC0", -500.0, ("stop ev failing_criteria", stopped));
}
