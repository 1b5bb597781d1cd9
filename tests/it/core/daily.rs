//! What has to run each day, and how long it may.

use std::time::Duration;

use jiff::civil::Time;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use sunward::core::UserCommand::Pause;
use sunward::core::{Counted, Daily, DailyView, Finished, Mode, OnNoData, Priority, Settings, Status, TaskSnapshot};
use sunward::units::Watts;

use super::Do::{self, Cycle, Meter, Off, On, Say, Set, Steady, User, Wait};
use super::{Appliance, Home, check, plain};

const SUN: Do = Steady(&[("net", -5000.0), ("boiler", 1000.0)]);
const RAIN: Do = Meter(&[("net", 5000.0), ("boiler", 0.0)]);

const CLOUD: Do = Meter(&[("net", 5000.0), ("boiler", 1000.0)]);

/// Homes begin at 10:00.
fn noon() -> Time {
    Time::new(12, 0, 0, 0).unwrap()
}

fn daily(on_for: u64, by: Time, max: Option<u64>) -> Appliance {
    let seconds = Duration::from_secs;
    let daily = Daily { on_for: seconds(on_for), by, max: max.map(seconds) };
    plain("boiler", 1000.0).with(|registration| {
        registration.daily = Some(daily);
        registration.on_no_data = OnNoData::Keep;
    })
}

/// One hour until noon.
fn boiler() -> Appliance {
    daily(3600, noon(), None)
}

#[test]
fn it_starts_when_the_time_left_is_what_it_owes_and_one_cycle_with_or_without_a_record() {
    let start = "59:00 start boiler daily";
    for steps in [&[RAIN, Cycle][..], &[Cycle]] {
        let after = |seconds| [&[Wait(seconds)], steps].concat();
        check(vec![boiler()], &after(3539), &[]);
        check(vec![boiler()], &after(3540), &[start]);
        let high = plain("ev", 6000.0).high();
        check(vec![high, boiler()], &after(3540), &[start]);
    }
    check(vec![boiler()], &[User(Pause), Wait(3540), RAIN, Cycle], &[]);
    check(vec![boiler()], &[Set("boiler", Mode::Off, None), Wait(3540), RAIN, Cycle], &[]);
    check(vec![boiler()], &[Say("boiler", |state| state.runnable = false), Wait(3540), Cycle], &[]);
}

#[test]
fn it_runs_on_until_nothing_is_owed() {
    // Rain all day: the records of the last hour are not asked.
    let mut home = Home::new(vec![boiler()]);
    home.sun = -500.0;
    home.minutes(125);
    assert_eq!(home.log, ["59:00 start boiler daily", "120:00 stop boiler failing_criteria"]);
    // No records at all.
    let mut home = Home::new(vec![boiler().with(|registration| registration.on_no_data = OnNoData::Stop)]);
    for _ in 0..125 {
        home.wait(60);
        home.cycle();
    }
    assert_eq!(home.log, ["59:00 start boiler daily", "120:00 stop boiler no_data"]);
    // What it ran on the sun counts.
    let half = [On("boiler"), Wait(1800), Off("boiler")];
    check(vec![boiler()], &[&half[..], &[Wait(3539), RAIN, Cycle]].concat(), &[]);
    check(vec![boiler()], &[&half[..], &[Wait(3540), RAIN, Cycle]].concat(), &["89:00 start boiler daily"]);
    // Also what somebody else started, and what still runs.
    check(
        vec![boiler()],
        &[On("boiler"), Wait(3601), CLOUD, Cycle, Wait(3000), CLOUD, Cycle],
        &["60:01 stop boiler failing_criteria"],
    );
}

#[test]
fn while_it_runs_for_its_deadline_it_is_urgent_and_says_so() {
    let mut home = Home::new(vec![boiler()]);
    [RAIN, Cycle].iter().for_each(|step| home.apply(step));
    assert_eq!(home.view("boiler").priority, Priority::Low);
    [Wait(3540), RAIN, Cycle, Wait(60), RAIN, Cycle].iter().for_each(|step| home.apply(step));
    let view = home.view("boiler");
    let reason = "59m of run time are owed by its deadline at 2026-06-01 12:00";
    assert_eq!((view.priority, view.status, view.reason.as_str()), (Priority::Urgent, Status::Running, reason));
    let by = "2026-06-01T12:00:00Z".parse().unwrap();
    let ran = Duration::from_millis(59_999);
    assert_eq!(view.daily, Some(DailyView { by, ran, settled: false }));
}

#[test]
fn who_registers_without_it_owes_nothing_any_more() {
    let mut home = Home::new(vec![boiler()]);
    [Wait(3540), RAIN, Cycle, Do::Register("boiler", |registration| registration.daily = None)]
        .iter()
        .for_each(|step| home.apply(step));
    assert_eq!((home.view("boiler").priority, home.view("boiler").daily), (Priority::Low, None));
    [Wait(60), CLOUD, Cycle].iter().for_each(|step| home.apply(step));
    assert_eq!(home.log, ["59:00 start boiler daily", "60:00 stop boiler failing_criteria"]);
}

#[test]
fn without_a_record_it_takes_its_key_from_the_less_important_only() {
    let on_tank = |id: &str| plain(id, 1000.0).with(|registration| registration.keys = vec!["tank".into()]).running();
    let keeps = |appliance: Appliance| appliance.with(|registration| registration.on_no_data = OnNoData::Keep);
    let boiler = || boiler().with(|registration| registration.keys = vec!["tank".into()]);
    let steps = [Wait(3540), Cycle];
    let both = ["59:00 stop pump lower_priority", "59:00 start boiler daily"];
    check(vec![boiler(), keeps(on_tank("pump"))], &steps, &both);
    let fixed = keeps(on_tank("pump")).with(|registration| registration.interruptible = false);
    check(vec![boiler(), fixed], &steps, &[]);
    let on = [&[Set("pump", Mode::On, None)], &steps[..]].concat();
    check(vec![boiler(), on_tank("pump")], &on, &[]);
}

#[test]
fn finished_settles_what_is_owed() {
    let full = boiler().with(|registration| {
        let (lasting, rest) = (Duration::from_secs(60), Duration::ZERO);
        registration.finished = Some(Finished { below: Watts(50.0), lasting, rest });
    });
    const LOW: Do = Meter(&[("net", 5000.0), ("boiler", 5.0)]);
    let steps = [On("boiler"), Wait(1), LOW, Wait(60), LOW, Cycle];
    let done = "1:01 stop boiler finished";
    check(vec![full.clone()], &[&steps[..], &[Wait(3540), RAIN, Cycle]].concat(), &[done]);
    // The next period owes again.
    let tomorrow = [&steps[..], &[Wait(7200 - 61 + 86_400 - 3660), RAIN, Cycle]].concat();
    check(vec![full], &tomorrow, &[done, "1499:00 start boiler daily"]);
}

#[test]
fn it_is_stopped_when_it_ran_as_long_as_it_may_and_not_started_again_in_the_period() {
    let limited = || daily(0, noon(), Some(1800));
    let stop = "30:01 stop boiler daily";
    check(vec![limited()], &[On("boiler"), Wait(1800), SUN, Cycle], &[]);
    check(vec![limited()], &[On("boiler"), Wait(1801), SUN, Cycle], &[stop]);
    check(vec![limited()], &[On("boiler"), Wait(1801), Cycle], &[stop]);
    let later = |wait: u64| [On("boiler"), Wait(1801), SUN, Cycle, Wait(wait - 1801), SUN, Cycle];
    check(vec![limited()], &later(7199), &[stop]);
    check(vec![limited()], &later(7200), &[stop, "120:00 start boiler elected"]);
    let mut home = Home::new(vec![limited()]);
    later(3600).iter().for_each(|step| home.apply(step));
    let reason = "it ran 30m 1s, daily.max allows no more before 2026-06-01 12:00";
    let view = home.view("boiler");
    assert_eq!((view.status, view.reason.as_str()), (Status::Unrunnable, reason));
    // Who is on is never stopped by a rule, but not started again either.
    let on = [Set("boiler", Mode::On, None), Wait(1801), SUN, Cycle, Off("boiler"), Wait(60), SUN, Cycle];
    check(vec![limited()], &on, &["0:00 start boiler mode"]);
    // Its other guards hold.
    let fixed = limited().with(|registration| registration.interruptible = false);
    check(vec![fixed], &[On("boiler"), Wait(1801), SUN, Cycle], &[]);
}

/// When one hour is owed in Berlin: whether it starts at that moment.
#[track_caller]
fn in_berlin(begin: &str, by: (i8, i8), at: &str, expect: bool) {
    let settings = Settings { time_zone: TimeZone::get("Europe/Berlin").unwrap(), ..Settings::default() };
    let mut home = Home::at(begin, settings, vec![daily(3600, Time::new(by.0, by.1, 0, 0).unwrap(), None)]);
    let at: jiff::Timestamp = at.parse().unwrap();
    home.wait(u64::try_from(at.duration_since(home.now.wall).as_secs()).unwrap());
    home.cycle();
    assert_eq!(home.log.len(), usize::from(expect), "{at}: {:?}", home.log);
}

#[test]
fn deadlines_are_local_on_the_days_when_the_clock_changes() {
    let spring = "2026-03-28T20:00:00Z";
    // 06:30 is 04:30 UTC.
    in_berlin(spring, (6, 30), "2026-03-29T03:28:59Z", false);
    in_berlin(spring, (6, 30), "2026-03-29T03:29:00Z", true);
    // There is no 02:30: it is 03:30, 01:30 UTC.
    in_berlin(spring, (2, 30), "2026-03-29T00:28:59Z", false);
    in_berlin(spring, (2, 30), "2026-03-29T00:29:00Z", true);
    let autumn = "2026-10-24T20:00:00Z";
    // 06:30 is 05:30 UTC.
    in_berlin(autumn, (6, 30), "2026-10-25T04:28:59Z", false);
    in_berlin(autumn, (6, 30), "2026-10-25T04:29:00Z", true);
    // 02:30 comes twice: the first counts, 00:30 UTC.
    in_berlin(autumn, (2, 30), "2026-10-24T23:28:59Z", false);
    in_berlin(autumn, (2, 30), "2026-10-24T23:29:00Z", true);
    // In the hour that comes again the next period has begun.
    in_berlin("2026-10-25T01:00:00Z", (2, 30), "2026-10-25T01:29:00Z", false);
    in_berlin("2026-10-25T01:00:00Z", (2, 30), "2026-10-26T00:28:59Z", false);
    in_berlin("2026-10-25T01:00:00Z", (2, 30), "2026-10-26T00:29:00Z", true);
}

#[test]
fn run_time_over_a_change_of_the_clock_is_what_passed() {
    let settings = Settings { time_zone: TimeZone::get("Europe/Berlin").unwrap(), ..Settings::default() };
    for (begin, hours) in [("2026-03-28T22:30:00Z", 3), ("2026-10-24T21:30:00Z", 3)] {
        let boiler = daily(3600, Time::new(6, 0, 0, 0).unwrap(), None).running();
        let mut home = Home::at(begin, settings.clone(), vec![boiler]);
        home.wait(hours * 3600);
        home.cycle();
        let view = home.view("boiler");
        // Half an hour of it was yesterday.
        assert_eq!(view.on_today, Duration::from_secs(hours * 3600 - 1800), "{begin}");
        assert_eq!(view.daily.unwrap().ran, Duration::from_secs(hours * 3600), "{begin}");
    }
}

/// What is counted after a restart at 10:00, of what an earlier run had told.
#[track_caller]
fn restored(appliance: Appliance, counted: &Counted, expect: (u64, u32, u64, bool)) {
    let mut home = Home::new(vec![appliance]);
    let id = home.appliances[0].id.clone();
    home.restore(&id, TaskSnapshot { counted: Some(counted.clone()), ..TaskSnapshot::default() });
    let view = home.view("boiler");
    let daily = view.daily.unwrap();
    assert_eq!((view.on_today.as_secs(), view.starts_today, daily.ran.as_secs(), daily.settled), expect);
}

#[test]
fn run_time_and_starts_survive_a_restart_within_their_day_and_period() {
    let daily = |by: &str| DailyView { by: by.parse().unwrap(), ran: Duration::from_secs(900), settled: true };
    let told = |at: &str, running, by| Counted {
        at: at.parse().unwrap(),
        running,
        on_today: Duration::from_secs(600),
        starts_today: 2,
        energy_today: sunward::units::KilowattHours::default(),
        daily: Some(daily(by)),
    };
    let (today, ours) = ("2026-06-01T09:59:00Z", "2026-06-01T12:00:00Z");
    restored(boiler(), &told(today, Some(false), ours), (600, 2, 900, true));
    // It ran before and runs after: it ran in between, if that wasn't long.
    restored(boiler().running(), &told(today, Some(true), ours), (660, 2, 960, true));
    restored(boiler().running(), &told("2026-06-01T09:57:00Z", Some(true), ours), (780, 2, 1080, true));
    restored(boiler().running(), &told("2026-06-01T09:56:59Z", Some(true), ours), (600, 2, 900, true));
    // It was started meanwhile, nobody knows when.
    restored(boiler().running(), &told(today, Some(false), ours), (600, 3, 900, true));
    restored(boiler().running(), &told(today, None, ours), (600, 2, 900, true));
    // Another day, another period.
    restored(boiler(), &told("2026-05-31T23:59:00Z", Some(false), ours), (0, 0, 900, true));
    restored(boiler(), &told(today, Some(false), "2026-06-01T09:00:00Z"), (600, 2, 0, false));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn what_is_owed_is_always_run(
        minutes in 1_u64..1_380,
        hours_of_sun in prop::collection::vec(-2_000_i32..6_000, 24),
        records in prop::bool::weighted(0.8),
        rival in 200_u32..3_000,
    ) {
        let by = Time::new(10, 0, 0, 0).unwrap();
        let mut home = Home::new(vec![daily(minutes * 60, by, None), plain("pump", rival.into()).high()]);
        let mut ran = 0;
        for sun in hours_of_sun {
            home.sun = sun.into();
            for _ in 0..60 {
                if records {
                    home.minute();
                } else {
                    home.wait(60);
                    home.cycle();
                }
                ran += u64::from(home.runs().contains(&"boiler"));
            }
        }
        // It is seen to run from the first cycle after the start on, and the last cycle is in the next period.
        prop_assert!(ran + 1 >= minutes, "{ran} of {minutes} minutes: {:#?}", home.log);
    }
}
