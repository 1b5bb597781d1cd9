//! Full tanks and washes that are over.

use std::time::Duration;

use sunward::core::UserCommand::Pause;
use sunward::core::{Finished, Mode, OnNoData, Status};
use sunward::units::Watts;

use super::Do::{self, Cycle, Meter, Off, On, Say, Set, Steady, User, Wait};
use super::{Appliance, Home, check, plain};

/// Sun for everybody; the boiler draws 5 W, or 1,000 W.
const LOW: Do = Meter(&[("net", -5000.0), ("boiler", 5.0)]);
const SUN: Do = Steady(&[("net", -5000.0), ("boiler", 5.0)]);
const HIGH: Do = Meter(&[("net", -5000.0), ("boiler", 1000.0)]);

/// Done after ten minutes below 50 W, then it rests for an hour.
fn boiler() -> Appliance {
    plain("boiler", 1000.0).with(|registration| {
        registration.finished =
            Some(Finished { below: Watts(50.0), lasting: Duration::from_secs(600), rest: Duration::from_secs(3600) });
        registration.on_no_data = OnNoData::Keep;
    })
}

/// It starts, and draws next to nothing from the first second on, measured every 100 s for so long.
fn low_for(seconds: u64) -> Vec<Do> {
    let mut steps = vec![On("boiler"), Wait(1), LOW];
    for _ in 0..seconds / 100 {
        steps.extend([Wait(100), LOW]);
    }
    steps.extend([Wait(seconds % 100), LOW]);
    steps
}

/// Whether it is stopped as finished, and by nothing else, in a cycle after these steps.
#[track_caller]
fn finishes(appliance: Appliance, steps: &[Do], expect: bool) {
    let mut home = Home::new(vec![appliance]);
    steps.iter().chain([&Cycle]).for_each(|step| home.apply(step));
    let told: Vec<_> = home.log.iter().map(|line| line.split_once(' ').unwrap().1).collect();
    assert_eq!(told, ["stop boiler finished"][usize::from(!expect)..]);
}

#[test]
fn who_uses_next_to_nothing_for_long_enough_is_done() {
    finishes(boiler(), &low_for(599), false);
    finishes(boiler(), &low_for(600), true);
    // As it came: what a record calls standby is more than this boiler uses when it is full.
    const STANDBY: Do = Meter(&[("net", -5000.0), ("boiler", 50.0)]);
    let standby: Vec<_> =
        low_for(900).into_iter().map(|step| if matches!(step, Meter(_)) { STANDBY } else { step }).collect();
    finishes(boiler(), &standby, false);
    // Without a record, with missing data.
    finishes(boiler(), &[low_for(600), vec![Cycle]].concat(), true);
}

#[test]
fn one_value_in_between_begins_the_count_anew() {
    let interrupted = [low_for(599), vec![HIGH, LOW]].concat();
    finishes(boiler(), &interrupted, false);
    let wait = |seconds: u64| [&interrupted[..], &[Wait(300), LOW, Wait(seconds - 300), LOW]].concat();
    finishes(boiler(), &wait(599), false);
    finishes(boiler(), &wait(600), true);
}

#[test]
fn what_is_not_measured_since_its_start_is_not_known() {
    // Its plug spoke before the start, and not again.
    finishes(boiler(), &[LOW, On("boiler"), Wait(290)], false);
    finishes(boiler(), &[On("boiler"), Wait(700)], false);
    // The plug fell silent, and its value expired.
    finishes(boiler(), &[low_for(100), vec![Wait(500), Meter(&[("net", -5000.0)])]].concat(), false);
    finishes(boiler(), &[low_for(400), vec![Wait(200), Meter(&[("net", -5000.0)])]].concat(), true);
    // Only one of its circuits is measured.
    let two = boiler().with(|registration| registration.keys.push("pump".into()));
    finishes(two, &low_for(900), false);
}

#[test]
fn the_count_begins_with_the_start() {
    let mut steps = low_for(300);
    steps.extend([Off("boiler"), Wait(60)]);
    steps.extend(low_for(599));
    finishes(boiler(), &steps, false);
}

#[test]
fn a_task_without_keys_is_measured_by_what_its_state_says() {
    let own = || boiler().with(|registration| registration.keys.clear());
    let sun = Meter(&[("net", -5000.0)]);
    let says = |usage: fn(&mut sunward::core::TaskState)| vec![On("boiler"), Say("boiler", usage)];
    let after = |steps: Vec<Do>, wait| [&steps[..], &[Wait(wait), sun.clone()]].concat();
    finishes(own(), &after(says(|state| state.usage = Some(Watts(3.0))), 600), false);
    finishes(own(), &after(says(|state| state.usage = Some(Watts(3.0))), 601), true);
    finishes(own(), &after(says(|state| state.usage = Some(Watts(300.0))), 601), false);
    finishes(own(), &after(says(|state| state.usage = None), 601), false);
}

#[test]
fn it_rests_and_says_so() {
    let mut home = Home::new(vec![boiler()]);
    low_for(600).iter().chain([&Cycle]).for_each(|step| home.apply(step));
    let view = home.view("boiler");
    assert_eq!(
        (view.status, view.reason.as_str()),
        (Status::Unrunnable, "it is done: it rests until 2026-06-01 11:10")
    );
    for (wait, expect) in [
        (3599, &["10:01 stop boiler finished"][..]),
        (3600, &["10:01 stop boiler finished", "70:01 start boiler elected"]),
    ] {
        check(vec![boiler()], &[low_for(600), vec![Cycle, Wait(wait), SUN, Cycle]].concat(), expect);
    }
}

#[test]
fn a_wash_that_is_over_may_be_stopped_and_one_whose_state_forbids_it_may_not() {
    let washer = || boiler().with(|registration| registration.interruptible = false);
    finishes(washer(), &low_for(599), false);
    finishes(washer(), &low_for(600), true);
    let forbids = Say("boiler", |state| state.stoppable = Some(false));
    finishes(washer(), &[low_for(600), vec![forbids]].concat(), false);
    let min_on = || boiler().with(|registration| registration.min_on = Duration::from_secs(900));
    finishes(min_on(), &low_for(800), false);
    finishes(min_on(), &low_for(900), true);
}

#[test]
fn who_is_on_and_who_is_paused_is_never_finished() {
    finishes(boiler().running(), &[vec![Set("boiler", Mode::On, None)], low_for(600)].concat(), false);
    finishes(boiler(), &[low_for(600), vec![User(Pause)]].concat(), false);
}
