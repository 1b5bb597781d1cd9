//! No records, pauses, `stop_all`, and what is warned of.

use std::time::Duration;

use sunward::core::UserCommand::{Pause, Resume, StopAll};
use sunward::core::{Activity, Event, Expiry, Instant, OnNoData, Sensed, Settings, Skipped, Source};
use sunward::units::Quantity;

use super::Do::{self, Cycle, Fallback, Meter, Off, On, Steady, User, Wait};
use super::{Appliance, Home, check, plain};

/// `net` pays for the boiler.
const SUN: Do = Meter(&[("net", -200.0), ("boiler", 1000.0)]);

fn boiler() -> Appliance {
    plain("boiler", 1000.0).running()
}

/// What the scheduler is doing after some steps.
#[track_caller]
fn is(steps: &[Do], expect: Activity) {
    let mut home = Home::new(vec![boiler()]);
    for step in steps {
        home.apply(step);
    }
    assert_eq!(home.scheduler.activity(), expect);
}

#[test]
fn data_is_missing_after_max_record_gap_and_the_tasks_are_stopped_at_once() {
    is(&[SUN, Wait(180)], Activity::Active);
    is(&[SUN, Wait(181)], Activity::NoData);
    // Counted from the start too.
    is(&[Wait(180)], Activity::Active);
    is(&[Wait(181)], Activity::NoData);
    // Cycles don't count, records do.
    is(&[SUN, Wait(100), Cycle, Wait(80), Cycle], Activity::Active);
    is(&[SUN, Wait(100), SUN, Wait(180)], Activity::Active);
    is(&[SUN, Wait(100), Meter(&[("boiler", 1000.0)]), Wait(81)], Activity::NoData);
    check(vec![boiler()], &[SUN, Wait(180), Cycle], &[]);
    check(vec![boiler()], &[SUN, Wait(181)], &["3:00 stop boiler no_data"]);
}

#[test]
fn a_broker_that_was_away_at_the_start_is_no_silent_meter() {
    let mut home = Home::new(vec![boiler()]);
    home.now = home.now + std::time::Duration::from_secs(3600);
    home.scheduler.begin(home.now);
    [Wait(180), Cycle].iter().for_each(|step| home.apply(step));
    assert_eq!((home.scheduler.activity(), home.log.as_slice()), (Activity::Active, &[][..]));
    home.apply(&Wait(1));
    assert_eq!(home.log, ["3:00 stop boiler no_data"].map(|line| line.replace("3:00", "63:00")));
}

#[test]
fn an_older_record_counts_from_when_it_was_measured() {
    for (age, wait, expect) in [(100, 80, Activity::Active), (100, 81, Activity::NoData), (0, 180, Activity::Active)] {
        let mut home = Home::new(vec![boiler()]);
        home.wait(170);
        let measured = Some(home.now.wall - Duration::from_secs(age));
        let values = vec![("net".to_owned(), Quantity(0.0))];
        home.scheduler.handle(Event::Power { source: Source::Meter, values, measured }, home.now).unwrap();
        home.wait(wait);
        assert_eq!(home.scheduler.activity(), expect, "{age} s old, {wait} s ago");
    }
}

#[test]
fn a_stop_for_missing_data_is_repeated_every_cycle_until_it_is_followed() {
    let steps = [SUN, Wait(180), Cycle, Wait(60), Cycle, Wait(60), Cycle];
    let stops = ["3:00 stop boiler no_data", "4:00 stop boiler no_data", "5:00 stop boiler no_data"];
    check(vec![boiler().deaf()], &steps, &stops);
    check(vec![boiler()], &steps, &stops[..1]);
    check(vec![boiler().deaf()], &[&steps[..], &[Off("boiler"), Wait(60), Cycle]].concat(), &stops);
}

#[test]
fn missing_data_stops_only_who_may_be_stopped_and_does_not_want_to_be_kept() {
    let keeps = boiler().with(|registration| registration.on_no_data = OnNoData::Keep);
    check(vec![keeps], &[SUN, Wait(200), Cycle], &[]);
    let uninterruptible = boiler().with(|registration| registration.interruptible = false);
    check(vec![uninterruptible], &[SUN, Wait(200), Cycle], &[]);
    check(vec![plain("boiler", 1000.0)], &[SUN, Wait(200), Cycle], &[]);
    check(vec![boiler()], &[Do::Available("boiler", Some(false)), Wait(200), Cycle], &[]);
    // Who could not be stopped at first is stopped by a later cycle.
    let held = boiler().with(|registration| registration.min_on = Duration::from_secs(240));
    check(vec![held], &[SUN, Wait(200), Cycle, Wait(40), Cycle], &["4:00 stop boiler no_data"]);
}

#[test]
fn the_first_record_after_missing_data_ends_it_and_clears_the_window() {
    is(&[Wait(200), SUN], Activity::Active);
    // An hour of sun; then silence; then a cloud. Were the sun still in the window, the boiler would be kept.
    let mut home = Home::new(vec![boiler().with(|registration| registration.on_no_data = OnNoData::Keep)]);
    for _ in 0..12 {
        home.meter(&[("net", -200.0), ("boiler", 1000.0)]);
        home.cycle();
        home.wait(60);
    }
    home.wait(200);
    home.meter(&[("net", 500.0), ("boiler", 1000.0)]);
    home.cycle();
    assert_eq!(home.log, ["15:20 stop boiler failing_criteria"]);
}

#[test]
fn the_fallback_stands_in_for_a_silent_meter() {
    const SUN: Do = Fallback(&[("net", -1500.0)]);
    let boiler = || vec![plain("boiler", 1000.0)];
    // The meter isn't silent for long enough.
    check(boiler(), &[Wait(120), SUN, Cycle, Wait(60), SUN, Cycle], &[]);
    check(boiler(), &[Wait(60), SUN, Wait(121), SUN, Cycle, Wait(60), SUN, Cycle], &["4:01 start boiler elected"]);
    is(&[Wait(100), SUN, Wait(180)], Activity::Active);
    is(&[Wait(100), SUN, Wait(181)], Activity::NoData);

    let mut home = Home::new(vec![]);
    let mut report = |wait, meter: Option<f64>, fallback: Option<f64>| {
        home.wait(wait);
        if let Some(net) = meter {
            home.meter(&[("net", net)]);
        }
        if let Some(net) = fallback {
            home.power(Source::Fallback, &[("net", net)]).unwrap();
        }
        let report = home.cycle();
        (
            report.source,
            report.skipped,
            report.source.and_then(|_| home.scheduler.latest_record().next()).map(|(_, net)| net.0),
        )
    };
    let from = |source, net| (Some(source), None, Some(net));
    assert_eq!(report(60, Some(1.0), Some(2.0)), from(Source::Meter, 1.0));
    assert_eq!(report(180, None, Some(3.0)), (None, Some(Skipped::NoRecord), None));
    assert_eq!(report(1, None, Some(4.0)), from(Source::Fallback, 4.0));
    assert_eq!(report(60, None, None), (None, Some(Skipped::NoRecord), None));
    assert_eq!(report(60, None, Some(5.0)), from(Source::Fallback, 5.0));
    assert_eq!(report(60, Some(6.0), Some(7.0)), from(Source::Meter, 6.0));
}

#[test]
fn a_pause_holds_every_start_and_stop_back_and_the_window_fills() {
    let cloud = Meter(&[("net", 900.0), ("boiler", 1000.0)]);
    check(vec![boiler()], &[User(Pause), cloud.clone(), Cycle, Wait(300), Cycle], &[]);
    check(vec![plain("boiler", 1000.0)], &[User(Pause), Steady(&[("net", -2000.0)]), Cycle], &[]);
    // Missing data before the pause is still missing after it.
    check(vec![boiler()], &[User(Pause), Wait(300), Cycle, User(Resume), Cycle], &["5:00 stop boiler no_data"]);
    // A minute of sun is in the window although nobody decided: two records confirm a start.
    let home = || vec![plain("boiler", 1000.0)];
    let paused = |net: Do| [User(Pause), net, Cycle, User(Resume), Wait(60), Meter(&[("net", -2000.0)]), Cycle];
    check(home(), &paused(Meter(&[("net", -2000.0)])), &["1:00 start boiler elected"]);
    check(home(), &paused(Meter(&[("net", 0.0)])), &[]);
    is(&[User(Pause)], Activity::Paused);
    is(&[User(Pause), Wait(300)], Activity::Paused);
    is(&[User(Pause), User(Resume)], Activity::Active);
    is(&[User(Pause), Wait(300), User(Resume)], Activity::NoData);
    is(&[Wait(300), User(Pause), User(Resume)], Activity::NoData);
}

#[test]
fn since_tells_when_the_activity_changed() {
    let mut home = Home::new(vec![]);
    let start = home.now.wall;
    let mut after = |step: Do| {
        home.apply(&step);
        home.scheduler.since().duration_since(start).as_secs()
    };
    assert_eq!(after(Wait(60)), 0);
    assert_eq!(after(User(Pause)), 60);
    assert_eq!(after(Wait(60)), 60);
    assert_eq!(after(User(Pause)), 60);
    // Missing since 180, but paused until 300.
    assert_eq!(after(Wait(180)), 60);
    assert_eq!(after(User(Resume)), 300);
    assert_eq!(after(Wait(10)), 300);
    assert_eq!(after(SUN), 310);
    assert_eq!(after(Wait(300)), 490);
}

#[test]
fn stop_all_stops_whoever_runs_until_it_has_stopped_and_then_pauses() {
    let two = || vec![boiler(), plain("pump", 500.0).running().deaf(), plain("fan", 100.0)];
    let stops = ["0:00 stop boiler stop_all", "0:00 stop pump stop_all"];
    check(two(), &[SUN, User(StopAll)], &stops);
    is(&[User(StopAll)], Activity::Paused);
    let repeated = ["1:00 stop pump stop_all", "2:00 stop pump stop_all"];
    let cycles = [User(StopAll), Wait(60), Cycle, Wait(60), SUN, Cycle];
    check(two(), &cycles, &[&stops[..], &repeated].concat());
    // Whoever stopped, and is switched on again by somebody, is left alone.
    check(
        two(),
        &[&cycles[..], &[Off("pump"), On("pump"), Wait(60), Cycle]].concat(),
        &[&stops[..], &repeated].concat(),
    );
    // Resuming ends it.
    check(two(), &[&cycles[..], &[User(Resume), Wait(60), Cycle]].concat(), &[&stops[..], &repeated].concat());
    // Only those that ran then.
    check(two(), &[User(StopAll), On("fan"), Off("pump"), Wait(60), Cycle], &stops);
}

#[test]
fn stop_all_stops_who_follows_an_earlier_start_only_afterwards() {
    let slow = vec![plain("pump", 500.0).deaf()];
    const SUN: Do = Steady(&[("net", -5000.0), ("pump", 0.0)]);
    let steps = [SUN, Cycle, User(StopAll), Wait(5), On("pump"), Wait(55), Cycle];
    check(slow.clone(), &steps, &["0:00 start pump elected", "1:00 stop pump stop_all"]);
    // Later it is somebody else's start.
    let steps = [SUN, Cycle, User(StopAll), Wait(60), Cycle, On("pump"), Wait(60), Cycle];
    check(slow, &steps, &["0:00 start pump elected"]);
}

#[test]
fn stop_all_stops_nobody_who_may_not_be_stopped() {
    let uninterruptible = boiler().with(|registration| registration.interruptible = false);
    check(vec![uninterruptible], &[User(StopAll), Wait(60), Cycle], &[]);
}

/// What is warned of when `net` comes every so often, for a time, as one of two values in turn.
#[track_caller]
fn warns(interval: u64, values: [f64; 2], times: u32, expect: &[&str]) {
    let mut home = Home::with(Settings::default(), vec![boiler()]);
    for time in 0..times {
        home.meter(&[("net", values[time as usize % 2]), ("boiler", 1000.0)]);
        home.cycle();
        if time + 1 < times {
            home.wait(interval);
        }
    }
    assert_eq!(home.scheduler.warnings(home.now), expect);
}

#[test]
fn a_slow_meter_is_warned_of() {
    warns(180, [1.0, 2.0], 5, &[]);
    let slow = "the meter is slow: `net` came 3m 1s after the one before, scheduler.max_record_gap is 3m";
    warns(181, [1.0, 2.0], 5, &[slow]);
    let slow = "the meter is slow: `net` came 5m 1s after the one before, scheduler.max_record_gap is 3m";
    let plug = "`boiler` is slow: it came 5m 1s after the one before, power.expire_after is 5m";
    warns(301, [1.0, 2.0], 5, &[slow, plug]);
}

#[test]
fn a_frozen_meter_is_warned_of() {
    // 15 minutes and ten values.
    warns(60, [500.0, 500.0], 15, &[]);
    warns(60, [500.0, 500.0], 16, &["the meter looks frozen: `net` has been exactly 500 W since 2026-06-01 10:00"]);
    warns(60, [500.0, 500.5], 30, &[]);
    warns(100, [500.0, 500.0], 10, &["the meter looks frozen: `net` has been exactly 500 W since 2026-06-01 10:00"]);
    warns(120, [500.0, 500.0], 9, &[]);
    // A home may neither take nor give.
    warns(60, [0.0, 0.0], 60, &[]);
}

#[test]
fn a_silent_meter_is_warned_of() {
    let mut home = Home::new(vec![]);
    home.wait(180);
    assert_eq!(home.scheduler.warnings(home.now), [""; 0]);
    home.wait(1);
    assert_eq!(home.scheduler.warnings(home.now), ["no power record from the meter since 2026-06-01 10:00"]);
}

#[test]
fn a_key_that_nobody_measures_is_warned_of_once_its_task_runs() {
    let check = |running: bool, seconds: u64, record: &[(&str, f64)], expect: &[&str]| {
        let boiler = plain("boiler", 2000.0);
        let boiler = if running { boiler.running() } else { boiler };
        let mut home = Home::with(Settings::default(), vec![boiler]);
        for step in [seconds / 2, seconds - seconds / 2] {
            home.wait(step);
            home.meter(record);
        }
        assert_eq!(home.scheduler.warnings(home.now), expect, "{running} {seconds} {record:?}");
    };
    let never = "task boiler: nothing has measured its key `boiler`: its declared power stands in for it";
    check(true, 300, &[("net", 1.0), ("boilr", 2000.0)], &[]);
    check(true, 301, &[("net", 1.0), ("boilr", 2000.0)], &[never]);
    check(true, 301, &[("net", 1.0), ("boiler", 2000.0)], &[]);
    check(false, 301, &[("net", 1.0), ("boilr", 2000.0)], &[]);
}

#[test]
fn a_slow_sensor_is_warned_of_by_its_own_limit() {
    let check = |expiry: Expiry, interval: u64, expect: &[&str]| {
        let mut home = Home::new(vec![]);
        for value in [1.0, 2.0] {
            home.wait(interval);
            let sensed = Sensed { key: "solar".into(), value: Quantity(value), measured: home.now.at, expiry };
            home.scheduler.handle(Event::Sensed(sensed), home.now).unwrap();
            home.meter(&[("net", value), ("nobody's", value)]);
        }
        let warnings = home.scheduler.warnings(home.now);
        let warnings: Vec<_> = warnings.into_iter().filter(|warning| !warning.contains("the meter is slow")).collect();
        assert_eq!(warnings, expect);
    };
    let after = |seconds| Expiry::After(Duration::from_secs(seconds));
    check(after(30), 30, &[]);
    check(after(30), 31, &["`solar` is slow: it came 31s after the one before, its expire_after is 30s"]);
    check(after(300), 301, &["`solar` is slow: it came 5m 1s after the one before, power.expire_after is 5m"]);
    check(after(900), 301, &[]);
    check(Expiry::Never, 100_000, &[]);
    check(Expiry::At(Instant::START), 1_000, &[]);
}
