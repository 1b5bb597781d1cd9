//! Derived keys: values of sensors and records in, values of keys out, on a clock of their own.

use std::time::Duration;

use proptest::prelude::*;

use super::tests::TestSensors;
use crate::core::Instant;

pub(super) const PHASES: &str = "
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

#[test]
fn the_phases_of_one_instant_are_added_once() {
    let mut home = TestSensors::new(PHASES);
    assert_eq!(home.sensors.filters().len(), 3);
    let phase = |number: u8| format!("shellies/em/emeter/{number}/power");
    home.say(&phase(0), "100").wait(50).say(&phase(1), "200").expect(&["l1=100", "l2=200"]);
    // All are new: nobody has to wait.
    home.wait(50).say(&phase(2), "-700").expect(&["l3=-700", "net=-400 for 299.9s"]);
    home.wait(10_000).say(&phase(1), "0").wait(199).expect(&["l2=0"]);
    home.wait(1).expect(&["net=-600 for 289.7s"]);
    home.wait(10_000).expect(&[]);
}

#[test]
fn without_one_phase_there_is_no_sum() {
    let mut home = TestSensors::new(PHASES);
    let phase = |number: u8| format!("shellies/em/emeter/{number}/power");
    home.say(&phase(0), "100").say(&phase(1), "200").wait(1_000).expect(&["l1=100", "l2=200"]);
    assert_eq!(home.sensors.warnings(), ["power.derived.net: no value, as `l3` has not come yet"]);
    home.say(&phase(2), "300").wait(200).expect(&["l3=300", "net=600 for 298.8s"]);
    assert!(home.sensors.warnings().is_empty());
    // The third falls silent: 5 minutes after its last value it is missing.
    for _ in 0..4 {
        home.wait(60_000).say(&phase(0), "1").say(&phase(1), "2").wait(200).log.clear();
    }
    home.wait(58_800).say(&phase(0), "1").wait(200).expect(&["l1=1", "net=303 for 0s"]);
    home.wait(1_000).say(&phase(0), "1").wait(200).expect(&["l1=1"]);
    assert_eq!(home.sensors.warnings(), ["power.derived.net: no value, as `l3` has expired"]);
}

#[test]
fn keys_are_made_of_records_sensors_and_other_keys() {
    let mut home = TestSensors::new(
        "
        [[power.sensor]]
        key = 'solar'
        topic = 'pv'
        expire_after = '1m'
        [power.derived]
        net = 'used - (solar + roof)'
        used = 'house + garage'",
    );
    home.say("pv", "1000").record(&[("house", 300.0), ("garage", 50.0), ("roof", 10.0), ("net", 4.0), ("used", 9.0)]);
    // `used` and `net` of the record give way; nobody waits, as everything is new.
    home.expect(&["solar=1000", "house=300", "garage=50", "roof=10", "used=350 for 300s", "net=-660 for 60s"]);
    home.wait(5_000).record(&[("house", 400.0)]).expect(&["house=400"]);
    home.wait(200).expect(&["used=450 for 294.8s", "net=-560 for 54.8s"]);
    // What comes late in a chain waits no longer than its first change.
    home.wait(5_000).say("pv", "1").wait(150).record(&[("house", 1.0)]).wait(50).expect(&[
        "solar=1",
        "house=1",
        "net=439 for 59.8s",
    ]);
    home.wait(150).expect(&["used=51 for 289.45s", "net=40 for 59.65s"]);
}

#[test]
fn a_result_that_is_no_finite_number_changes_nothing_and_is_told() {
    let check = |expression: &str, expect: &str| {
        let toml = format!("[power.derived]\nnet = \"{expression}\"");
        TestSensors::new(&toml).record(&[("a", 1.0), ("b", 0.0)]).wait(200).expect(&["a=1", "b=0", expect]);
    };
    check("max(a, b) - min(a, b) + abs(-a)", "net=2 for 300s");
    check("a if b > 0 else -a", "net=-1 for 300s");
    check("a / b", "power.derived.net: invalid operation: unable to calculate 1.0 / 0.0");
    check("a * 1e308 * 10", "power.derived.net: expected a finite number, the result is inf");
    check("a > b", "power.derived.net: expected a number, the result is a bool");
    check("[a, b]", "power.derived.net: expected a number, the result is a sequence");
    check("a if b", "power.derived.net: expected a number, the result is a undefined");
    check("b.c.d + a", "power.derived.net: undefined value");
    check("range(100000) | list | length + a + b", "power.derived.net: `range`: expected a value of at most 256 KiB");
}

#[test]
fn implausible_values_do_not_spread() {
    let mut home = TestSensors::new("[[power.sensor]]\nkey = 'a'\ntopic = 'a'\n[power.derived]\nnet = 'a * 2'");
    home.say("a", "1e9").record(&[("a", 1e9)]).wait(200).expect(&["a=1000000000", "a=1000000000"]);
    home.say("a", "3").expect(&["a=3", "net=6 for 300s"]);
}

proptest! {
    #[test]
    fn no_order_of_values_makes_a_sum_of_what_is_missing(
        steps in proptest::collection::vec((0_u8..3, 0_u64..400_000, -5_000_i32..5_000), 1..40),
    ) {
        let mut home = TestSensors::new(PHASES);
        let mut last: [Option<(i32, Instant)>; 3] = [None; 3];
        for (phase, pause, value) in steps {
            home.say(&format!("shellies/em/emeter/{phase}/power"), &value.to_string());
            last[usize::from(phase)] = Some((value, home.now));
            let due = home.now + Duration::from_millis(200);
            home.wait(pause.max(200));
            let alive = last.iter().flatten().filter(|(_, at)| due.since(*at) <= Duration::from_secs(300));
            let sum = (alive.clone().count() == 3).then(|| alive.map(|(value, _)| f64::from(*value)).sum::<f64>());
            let told: Vec<f64> = home.log.drain(..).filter_map(|line| {
                line.strip_prefix("net=")?.split(' ').next()?.parse().ok()
            }).collect();
            prop_assert_eq!(told, sum.into_iter().collect::<Vec<_>>());
        }
    }
}
