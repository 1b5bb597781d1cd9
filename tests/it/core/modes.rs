//! Modes and priorities that a user sets.

use std::time::Duration;

use sunward::core::Mode::{Auto, Off as Never, On as Always};
use sunward::core::UserCommand::{Pause, Resume, StopAll};
use sunward::core::{Event, Mode, Priority, Refusal, Status, TaskId};

use super::Do::{self, Available, Cycle, Meter, Off, On, Prefer, Say, Set, Steady, User, Wait};
use super::{Appliance, Home, check, plain};

const SUN: Do = Steady(&[("net", -5000.0), ("boiler", 0.0)]);
const RAIN: Do = Meter(&[("net", 5000.0), ("boiler", 1000.0)]);

fn boiler() -> Appliance {
    plain("boiler", 1000.0)
}

fn set(mode: Mode) -> Do {
    Set("boiler", mode, None)
}

#[test]
fn a_change_of_mode_acts_at_once_also_during_a_pause_and_without_data() {
    for before in [vec![], vec![User(Pause)], vec![Wait(0)]] {
        let steps = |mode| [&before[..], &[set(mode)]].concat();
        check(vec![boiler()], &steps(Always), &["0:00 start boiler mode"]);
        check(vec![boiler().running()], &steps(Never), &["0:00 stop boiler mode"]);
        check(vec![boiler().running()], &steps(Always), &[]);
        check(vec![boiler()], &steps(Never), &[]);
        check(vec![boiler()], &steps(Auto), &[]);
    }
    check(vec![boiler()], &[Wait(300), Cycle, set(Always)], &["5:00 start boiler mode"]);
    check(vec![boiler()], &[Available("boiler", Some(false)), set(Always)], &[]);
    check(vec![boiler()], &[Say("boiler", |state| state.runnable = false), set(Always)], &[]);
}

#[test]
fn a_mode_that_is_not_followed_is_asked_for_in_every_cycle_but_while_paused() {
    let deaf = || vec![boiler().deaf()];
    // With a record, without one, and with missing data.
    let steps = [set(Always), Wait(60), SUN, Cycle, Wait(60), Cycle, Wait(240), Cycle];
    let starts = ["0:00", "1:00", "2:00", "6:00"].map(|time| format!("{time} start boiler mode"));
    check(deaf(), &steps, &starts.each_ref().map(String::as_str));
    let paused = [set(Always), User(Pause), Wait(60), SUN, Cycle, User(Resume), Wait(60), Cycle];
    check(deaf(), &paused, &["0:00 start boiler mode", "2:00 start boiler mode"]);
    // The same mode again is no change.
    check(deaf(), &[set(Always), User(Pause), Wait(1), set(Always)], &["0:00 start boiler mode"]);
    let off = [set(Never), Wait(60), RAIN, Cycle, Wait(60), Cycle];
    let stops = ["0:00", "1:00", "2:00"].map(|time| format!("{time} stop boiler mode"));
    check(vec![boiler().running().deaf()], &off, &stops.each_ref().map(String::as_str));
}

#[test]
fn no_rule_stops_who_is_on_or_starts_who_is_off() {
    check(vec![boiler().running()], &[set(Always), RAIN, Cycle, Wait(300), Cycle], &[]);
    check(vec![boiler()], &[set(Never), SUN, Cycle, Wait(60), SUN, Cycle], &[]);
    let hungry = || plain("ev", 1000.0).high();
    // Nobody takes its place either.
    check(vec![boiler().running(), hungry()], &[set(Always), Steady(&[("net", 0.0), ("boiler", 1000.0)]), Cycle], &[]);
    // Back in auto, the rules judge it.
    let steps = [set(Always), RAIN, Cycle, set(Auto), Wait(60), RAIN, Cycle];
    check(vec![boiler().running()], &steps, &["1:00 stop boiler failing_criteria"]);
}

#[test]
fn a_task_that_shares_a_key_with_one_that_is_on_yields_to_it() {
    let on_tank = |id: &str, power| plain(id, power).with(|registration| registration.keys = vec!["tank".into()]);
    const SUN: Do = Steady(&[("net", -5000.0), ("tank", 1000.0)]);
    let both = || vec![on_tank("boiler", 500.0).running(), on_tank("pump", 1000.0).running()];
    check(both(), &[set(Always), SUN, Cycle], &["0:00 stop pump conflicting_keys"]);
    let waits = || vec![on_tank("boiler", 500.0).running(), on_tank("pump", 1000.0)];
    check(waits(), &[set(Always), SUN, Cycle], &[]);
    // Switched off, it leaves its key in the same cycle.
    let off = [set(Never), Wait(60), SUN, Cycle];
    check(waits(), &off, &["0:00 stop boiler mode", "1:00 start pump elected"]);
}

#[test]
fn who_was_only_just_switched_on_counts_at_its_power() {
    for (sun, expect) in [
        (Meter(&[("net", -1500.0), ("boiler", 0.0)]), &["0:01 start boiler mode", "1:01 start pump elected"][..]),
        (Meter(&[("net", -1499.0), ("boiler", 0.0)]), &["0:01 start boiler mode"]),
    ] {
        // In the first record it did not run yet; in the second it does.
        let able = |able: fn(&mut sunward::core::TaskState)| Say("pump", able);
        let now = Meter(&[("net", -500.0), ("boiler", 1000.0)]);
        let steps = [able(|state| state.runnable = false), Wait(1), sun, Cycle, set(Always)];
        let then = [able(|state| state.runnable = true), Wait(60), now, Cycle];
        let two = vec![boiler().criteria(2.0, 0.5), plain("pump", 500.0)];
        check(two, &[&steps[..], &then].concat(), expect);
    }
    // One that is told to start is reckoned with, but not for ever if it never answers.
    let mut home = Home::new(vec![boiler().deaf(), plain("pump", 500.0)]);
    home.apply(&set(Always));
    for (minute, runs) in [(1, &[][..]), (2, &[]), (3, &["pump"])] {
        home.apply(&Wait(60));
        home.apply(&Meter(&[("net", -1499.0)]));
        home.cycle();
        assert_eq!(home.runs(), runs, "minute {minute}");
    }
}

#[test]
fn a_switched_off_task_gives_its_power_to_others_in_the_cycle_that_stops_it() {
    let two = || vec![boiler().running().deaf(), plain("pump", 500.0)];
    const CLOUD: Do = Steady(&[("net", 500.0), ("boiler", 1000.0)]);
    let stops = ["0:00 stop boiler mode", "1:00 stop boiler mode"];
    check(two(), &[set(Never), Wait(60), CLOUD, Cycle], &[&stops[..], &["1:00 start pump elected"]].concat());
    // One that can't be stopped yet stays base load.
    let held = || boiler().running().with(|registration| registration.interruptible = false);
    check(vec![held(), plain("pump", 500.0)], &[set(Never), Wait(60), CLOUD, Cycle], &[]);
}

#[test]
fn guards_hold_for_modes_too() {
    let min_on = || boiler().with(|registration| registration.min_on = Duration::from_secs(300));
    for (wait, expect) in [(299, &[][..]), (301, &["5:01 stop boiler mode"])] {
        check(vec![min_on()], &[On("boiler"), Wait(1), set(Never), Wait(wait - 1), RAIN, Cycle], expect);
    }
    let min_off = || boiler().running().with(|registration| registration.min_off = Duration::from_secs(300));
    for (wait, expect) in [(299, &[][..]), (301, &["5:01 start boiler mode"])] {
        check(vec![min_off()], &[Off("boiler"), Wait(1), set(Always), Wait(wait - 1), RAIN, Cycle], expect);
    }
}

#[test]
fn a_mode_for_a_time_ends_by_itself() {
    let for_two_hours = |mode| Set("boiler", mode, Some(7200));
    for (wait, expect) in [(7199, &[][..]), (7200, &["120:00 stop boiler failing_criteria"])] {
        let steps = [for_two_hours(Always), Wait(wait), RAIN, Cycle];
        check(vec![boiler().running()], &steps, expect);
    }
    for (wait, expect) in [(7199, &[][..]), (7200, &["120:00 start boiler elected"])] {
        check(vec![boiler()], &[for_two_hours(Never), Wait(wait), SUN, Cycle], expect);
    }
    let mut home = Home::new(vec![boiler()]);
    home.apply(&for_two_hours(Always));
    let view = home.view("boiler");
    assert_eq!((view.mode, view.reason.as_str()), (Always, "mode is on until 2026-06-01 12:00"));
    assert_eq!(view.mode_until, Some("2026-06-01T12:00:00Z".parse().unwrap()));
    // A new length counts from now on, and one without an end has none.
    home.apply(&Wait(3600));
    home.apply(&for_two_hours(Always));
    assert_eq!(home.view("boiler").mode_until, Some("2026-06-01T13:00:00Z".parse().unwrap()));
    home.apply(&set(Always));
    assert_eq!(home.view("boiler").mode_until, None);
    home.apply(&Set("boiler", Always, Some(60)));
    home.apply(&Wait(60));
    assert_eq!((home.view("boiler").mode, home.view("boiler").mode_until), (Auto, None));
}

#[test]
fn stop_all_stops_who_is_on_and_it_stays_off_until_the_pause_ends_or_somebody_wants_it() {
    let stop = ["0:00 stop boiler stop_all"];
    let steps = [set(Always), User(StopAll), Wait(60), SUN, Cycle];
    check(vec![boiler().running()], &steps, &stop);
    let resumed = [&steps[..], &[User(Resume), Wait(60), Cycle]].concat();
    check(vec![boiler().running()], &resumed, &["0:00 stop boiler stop_all", "2:00 start boiler mode"]);
    // The newer wish counts, whether it has stopped or not.
    let wanted = [User(StopAll), Wait(10), set(Always), Wait(50), Cycle];
    check(vec![boiler().running()], &wanted, &["0:00 stop boiler stop_all", "0:10 start boiler mode"]);
    check(vec![boiler().running().deaf()], &wanted, &stop);
}

#[test]
fn a_user_sets_the_priority_over_state_and_registration() {
    let mut home = Home::new(vec![boiler()]);
    let mut after = |steps: &[Do]| {
        steps.iter().for_each(|step| home.apply(step));
        let view = home.view("boiler");
        (view.priority, view.preferred)
    };
    assert_eq!(after(&[]), (Priority::Low, None));
    assert_eq!(after(&[Say("boiler", |state| state.priority = Some(Priority::High))]), (Priority::High, None));
    let medium = Some(Priority::Medium);
    assert_eq!(after(&[Prefer("boiler", medium)]), (Priority::Medium, medium));
    assert_eq!(after(&[Prefer("boiler", None)]), (Priority::High, None));
    // It decides who comes first.
    let two = || vec![boiler(), plain("pump", 900.0)];
    let sun = Steady(&[("net", -1000.0)]);
    check(two(), &[sun.clone(), Cycle], &["0:00 start boiler elected"]);
    check(two(), &[Prefer("pump", medium), sun, Cycle], &["0:00 start pump elected"]);
}

#[test]
fn modes_and_priorities_belong_to_registered_tasks() {
    let mut home = Home::new(vec![boiler()]);
    let boiler = home.appliances[0].id.clone();
    let stranger = TaskId::new("stranger").unwrap();
    let refused = Err(Refusal::UnknownTask(stranger.clone()));
    assert_eq!(home.scheduler.handle(Event::Mode(stranger.clone(), Always, None), home.now), refused);
    assert_eq!(home.scheduler.handle(Event::Priority(stranger, None), home.now), refused);
    // Who unregisters and comes again begins anew.
    [set(Never), Prefer("boiler", Some(Priority::High))].iter().for_each(|step| home.apply(step));
    home.scheduler.handle(Event::Unregistered(boiler), home.now).unwrap();
    home.apply(&Do::Register("boiler", |_| {}));
    let view = home.view("boiler");
    assert_eq!((view.mode, view.preferred), (Auto, None));
}

#[test]
fn reports_say_in_plain_words_what_a_mode_does() {
    let says = |appliance: Appliance, steps: &[Do], status: Status, reason: &str| {
        let mut home = Home::new(vec![appliance]);
        steps.iter().for_each(|step| home.apply(step));
        let view = home.view("boiler");
        assert_eq!((view.status, view.reason.as_str()), (status, reason));
    };
    says(boiler(), &[set(Always)], Status::Running, "mode is on");
    says(boiler().deaf(), &[set(Always)], Status::Stopped, "mode is on: it is told to start");
    says(boiler().deaf(), &[set(Always), User(Pause)], Status::Stopped, "Sunward is paused");
    says(boiler(), &[set(Always), set(Auto)], Status::Running, "no cycle has judged it yet");
    says(boiler(), &[set(Never)], Status::Stopped, "mode is off");
    says(boiler().running().deaf(), &[set(Never)], Status::Running, "mode is off: it is told to stop");
    let held = || boiler().with(|registration| registration.min_on = Duration::from_secs(300));
    says(held(), &[On("boiler"), set(Never)], Status::Running, "mode is off, but min_on holds it");
    let runs_through = boiler().running().with(|registration| registration.interruptible = false);
    says(runs_through, &[set(Never)], Status::Running, "mode is off, but it may not be stopped now");
    let rests = || boiler().running().with(|registration| registration.min_off = Duration::from_secs(300));
    says(rests(), &[Off("boiler"), set(Always)], Status::Unrunnable, "mode is on, but min_off holds it");
}
