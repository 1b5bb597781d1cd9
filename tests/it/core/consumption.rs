//! What tasks consume: together now, and each of them today.

use std::time::Duration;

use sunward::core::{Consumption, Counted, Settings, TaskId, TaskSnapshot, UserCommand::Pause};
use sunward::units::{KilowattHours, Share, Watts};

use super::Do::{self, Cycle, Meter, Off, On, User, Wait};
use super::{Appliance, Home, plain};

const MINUTE: Do = Wait(60);

/// A record in which boiler and pump use something, and nothing that starts or stops either.
const BOTH: Do = Meter(&[("net", -5000.0), ("boiler", 1200.0), ("pump", 600.0)]);

fn both() -> Vec<Appliance> {
    vec![plain("boiler", 1000.0).running(), plain("pump", 500.0).running()]
}

fn after(appliances: Vec<Appliance>, steps: &[Do]) -> Home {
    let mut home = Home::new(appliances);
    for step in steps {
        home.apply(step);
    }
    home
}

/// Watt hours of today.
#[track_caller]
fn used(home: &Home, expect: &[(&str, f64)]) {
    for (id, expect) in expect {
        let energy = home.view(id).energy_today.0 * 1000.0;
        assert!((energy - expect).abs() < 1e-6, "{id}: {energy} Wh, expected {expect}");
    }
}

#[test]
fn energy_is_what_records_say_over_the_time_between_them() {
    let home = after(both(), &[BOTH, Cycle, MINUTE, BOTH, Cycle, MINUTE, BOTH, Cycle]);
    used(&home, &[("boiler", 40.0), ("pump", 20.0)]);
    // A cycle without a record is part of the next one that has one; nothing is known before the first.
    let home = after(both(), &[MINUTE, BOTH, Cycle, MINUTE, Cycle, MINUTE, BOTH, Cycle]);
    used(&home, &[("boiler", 40.0), ("pump", 20.0)]);
}

#[test]
fn a_pause_does_not_stop_the_count_and_missing_data_does() {
    let home = after(both(), &[BOTH, Cycle, User(Pause), MINUTE, BOTH, Cycle]);
    used(&home, &[("boiler", 20.0)]);
    let home = after(both(), &[User(Pause), BOTH, Cycle, Wait(181), BOTH, Cycle, MINUTE, BOTH, Cycle]);
    used(&home, &[("boiler", 20.0)]);
}

#[test]
fn owners_of_one_circuit_share_what_flows_there_those_that_ran_first() {
    let shared = |id: &str| plain(id, 1000.0).with(|registration| registration.keys = vec!["plug".into()]);
    let record = Meter(&[("net", -5000.0), ("plug", 1200.0)]);
    let steps = [record.clone(), Cycle, MINUTE, record, Cycle];
    let home = after(vec![shared("eco").running(), shared("fast")], &steps);
    used(&home, &[("eco", 20.0), ("fast", 0.0)]);
    let deaf = |id| shared(id).criteria(99.0, 99.0).deaf();
    used(&after(vec![deaf("eco"), deaf("fast")], &steps), &[("eco", 10.0), ("fast", 10.0)]);
}

#[test]
fn a_task_without_keys_counts_with_what_it_says_or_its_power() {
    let keyless = |registration: &mut sunward::core::Registration| registration.keys.clear();
    let says = |usage| Do::Say("boiler", if usage { |state| state.usage = Some(Watts(600.0)) } else { |_| {} });
    let net = || Meter(&[("net", -5000.0)]);
    for (usage, expect) in [(true, 10.0), (false, 1000.0 / 60.0)] {
        let steps = [says(usage), net(), Cycle, MINUTE, net(), Cycle];
        used(&after(vec![plain("boiler", 1000.0).running().with(keyless)], &steps), &[("boiler", expect)]);
    }
}

#[test]
fn the_count_begins_anew_at_local_midnight() {
    let settings = Settings { time_zone: jiff::tz::TimeZone::get("Europe/Berlin").unwrap(), ..Settings::default() };
    // Midnight in Berlin is at 22:00 in UTC.
    let mut home = Home::at("2026-06-01T21:58:00Z", settings, both());
    for step in [BOTH, Cycle, MINUTE, BOTH, Cycle] {
        home.apply(&step);
    }
    used(&home, &[("boiler", 20.0)]);
    home.wait(60);
    home.apply(&Cycle);
    used(&home, &[("boiler", 0.0)]);
    for step in [BOTH, Cycle, MINUTE, BOTH, Cycle] {
        home.apply(&step);
    }
    used(&home, &[("boiler", 40.0)]);
}

#[test]
fn what_an_earlier_run_counted_today_goes_on_and_what_it_counted_yesterday_does_not() {
    for (at, expect) in [("2026-06-01T00:00:00Z", 520.0), ("2026-05-31T23:59:59Z", 20.0)] {
        let mut home = Home::new(both());
        let counted = Counted {
            at: at.parse().unwrap(),
            running: None,
            on_today: Duration::ZERO,
            starts_today: 0,
            energy_today: KilowattHours(0.5),
            daily: None,
        };
        let known = TaskSnapshot { counted: Some(counted.clone()), ..TaskSnapshot::default() };
        home.restore(&TaskId::new("boiler").unwrap(), known);
        for step in [BOTH, Cycle, MINUTE, BOTH, Cycle] {
            home.apply(&step);
        }
        used(&home, &[("boiler", expect)]);
    }
}

#[test]
fn the_covered_share_of_all_tasks_is_what_was_not_imported() {
    let check = |values: &[(&str, f64)], power: f64, covered: Option<f64>| {
        let mut home = Home::new(both());
        home.meter(values);
        let expect = Consumption { power: Watts(power), covered: covered.map(Share) };
        assert_eq!(home.cycle().consumption, Some(expect), "{values:?}");
    };
    check(&[("net", -1.0), ("boiler", 1200.0), ("pump", 800.0)], 2000.0, Some(1.0));
    check(&[("net", 500.0), ("boiler", 1200.0), ("pump", 800.0)], 2000.0, Some(0.75));
    check(&[("net", 3000.0), ("boiler", 1200.0), ("pump", 800.0)], 2000.0, Some(0.0));
    check(&[("net", 500.0), ("boiler", 0.0), ("pump", 0.0)], 0.0, None);
}

#[test]
fn a_cycle_says_when_data_is_missing_whatever_is_paused() {
    let mut home = after(both(), &[User(Pause), BOTH, Cycle, Off("pump"), On("pump")]);
    home.now = home.now + Duration::from_secs(100);
    let report = home.cycle();
    assert_eq!((report.no_data, report.consumption), (false, None));
    home.wait(100);
    assert!(home.cycle().no_data);
}
