//! What somebody switches by hand is a wish, for a while.

use std::time::Duration;

use sunward::core::Mode::{Auto, Off as Never, On as Always};
use sunward::core::UserCommand::StopAll;
use sunward::core::{Event, Mode, Settings, TaskSnapshot, TaskState};

use super::Do::{self, Available, Cycle, Meter, Off, On, Reconnect, Say, Set, Steady, User, Wait};
use super::{Appliance, Home, check, plain};

const SUN: Do = Steady(&[("net", -5000.0), ("boiler", 0.0)]);
const RAIN: Do = Meter(&[("net", 5000.0), ("boiler", 1000.0)]);

fn boiler() -> Appliance {
    plain("boiler", 1000.0).with(|registration| registration.manual_hold = Duration::from_secs(7200))
}

/// What is held after some steps.
#[track_caller]
fn held(appliance: Appliance, steps: &[Do], expect: Option<Mode>) {
    held_with(Settings::default(), appliance, steps, expect);
}

#[track_caller]
fn held_with(settings: Settings, appliance: Appliance, steps: &[Do], expect: Option<Mode>) {
    let mut home = Home::with(settings, vec![appliance]);
    steps.iter().for_each(|step| home.apply(step));
    assert_eq!(home.view("boiler").hold.map(|(mode, _)| mode), expect);
}

#[test]
fn a_start_or_stop_by_hand_is_held_for_its_time() {
    held(boiler(), &[On("boiler")], Some(Always));
    held(boiler().running(), &[Off("boiler")], Some(Never));
    // The state comes a millisecond after the step.
    for (wait, expect) in [(7200, &[][..]), (7201, &["120:01 stop boiler failing_criteria"])] {
        check(vec![boiler()], &[On("boiler"), Wait(wait), RAIN, Cycle], expect);
    }
    for (wait, expect) in [(7200, &[][..]), (7201, &["120:01 start boiler elected"])] {
        check(vec![boiler().running()], &[Off("boiler"), Wait(wait), SUN, Cycle], expect);
    }
    // Missing data doesn't stop it either.
    check(vec![boiler()], &[On("boiler"), Wait(600), Cycle], &[]);
    let mut home = Home::new(vec![boiler()]);
    home.apply(&On("boiler"));
    let view = home.view("boiler");
    assert_eq!((view.mode, view.reason.as_str()), (Auto, "held on by hand until 2026-06-01 12:00"));
    assert_eq!(view.starts_today, 1);
    // Without manual_hold it is just a start.
    held(plain("boiler", 1000.0), &[On("boiler")], None);
    check(vec![plain("boiler", 1000.0)], &[On("boiler"), Wait(1), RAIN, Cycle], &["0:01 stop boiler failing_criteria"]);
}

#[test]
fn what_a_command_explains_is_not_by_hand() {
    held(boiler(), &[SUN, Cycle], None);
    held(boiler().running(), &[RAIN, Cycle], None);
    held(boiler(), &[Set("boiler", Always, None)], None);
    // Followed late, within three cycles; the same command again counts anew.
    let late = |wait| [SUN, Cycle, Wait(wait), On("boiler")];
    held(boiler().deaf(), &late(179), None);
    held(boiler().deaf(), &late(181), Some(Always));
    held(boiler().deaf(), &[SUN, Cycle, Wait(120), SUN, Cycle, Wait(179), On("boiler")], None);
    // A command explains one change, and not the opposite one.
    held(boiler().deaf(), &[SUN, Cycle, On("boiler"), Wait(20), Off("boiler"), Wait(20), On("boiler")], Some(Always));
    held(boiler().running().deaf(), &[SUN, Cycle, Off("boiler")], Some(Never));
    // A stop that was followed after the next start was sent.
    let both = [RAIN, Cycle, Set("boiler", Always, None), Set("boiler", Auto, None), Off("boiler")];
    held(boiler().running().deaf(), &both, None);
}

#[test]
fn what_comes_with_runnable_or_availability_is_not_by_hand() {
    let plugged = |state: &mut TaskState| (state.running, state.runnable) = (true, true);
    let unplugged = || Say("boiler", |state| state.runnable = false);
    held(boiler(), &[unplugged(), Wait(60), Say("boiler", plugged)], None);
    let runnable = || Say("boiler", |state| state.runnable = true);
    let before = |wait| [unplugged(), Wait(60), runnable(), Wait(wait), On("boiler")];
    held(boiler(), &before(9), None);
    held(boiler(), &before(11), Some(Always));
    let after = |wait| [unplugged(), Wait(60), On("boiler"), Wait(wait), runnable()];
    held(boiler(), &after(9), None);
    held(boiler(), &after(11), Some(Always));
    let away = |wait| [Available("boiler", Some(false)), Available("boiler", Some(true)), Wait(wait), On("boiler")];
    held(boiler(), &away(9), None);
    held(boiler(), &away(11), Some(Always));
    // What changed while nobody could be heard is told in one go.
    let back = |wait| [Wait(600), Reconnect(60), Wait(wait), On("boiler")];
    held(boiler(), &back(9), None);
    held(boiler(), &back(11), Some(Always));
    // Nobody knows what happened while it was silent.
    let expires = || boiler().with(|registration| registration.expire_after = Some(Duration::from_secs(90)));
    held(expires(), &[Wait(89), On("boiler")], Some(Always));
    held(expires(), &[Wait(91), On("boiler")], None);
}

#[test]
fn the_first_state_is_no_wish() {
    held(boiler().running(), &[], None);
    let dry = Settings { dry_run: true, ..Settings::default() };
    held_with(dry, boiler(), &[On("boiler")], None);
}

#[test]
fn what_an_earlier_run_held_waits_for_the_first_state_and_holds_if_that_agrees() {
    for (mode, running, silent) in [Always, Never].into_iter().flat_map(|mode| {
        [(mode, true, 0), (mode, false, 0), (mode, true, 600), (mode, false, 600), (mode, mode == Always, 7201)]
    }) {
        let appliance = if running { boiler().running() } else { boiler() };
        let (id, state) = (appliance.id.clone(), appliance.state.clone());
        let mut home = Home::new(vec![appliance]);
        if silent > 0 {
            home.scheduler.handle(Event::StateCleared(id.clone()), home.now).unwrap();
        }
        let until = home.now + Duration::from_secs(7200);
        home.restore(&id, TaskSnapshot { manual_override: Some((mode, until.wall)), ..TaskSnapshot::default() });
        if silent > 0 {
            // A further restart would find it again.
            assert_eq!(home.view("boiler").hold, Some((mode, until.wall)));
        }
        home.wait(silent);
        home.scheduler.handle(Event::State(id, Box::new(state)), home.now).unwrap();
        let agrees = (mode == Always) == running && silent < 7200;
        let held = home.view("boiler").hold.map(|(mode, _)| mode);
        assert_eq!(held, agrees.then_some(mode), "held {mode}, runs: {running}, after {silent} s");
    }
}

#[test]
fn an_opposite_switch_replaces_it_and_a_mode_or_stop_all_ends_it() {
    held(boiler(), &[On("boiler"), Wait(60), Off("boiler")], Some(Never));
    held(boiler(), &[On("boiler"), Set("boiler", Auto, None)], None);
    let mut home = Home::new(vec![boiler()]);
    for step in [On("boiler"), Wait(60), Set("boiler", Never, None)] {
        home.apply(&step);
    }
    assert_eq!((home.log.as_slice(), home.view("boiler").hold), (&["1:00 stop boiler mode".to_owned()][..], None));
    held(boiler(), &[On("boiler"), User(StopAll)], None);
    // Against the user's mode it holds; back to it, nothing has to be held.
    let off = Set("boiler", Never, None);
    held(boiler(), &[off.clone(), On("boiler")], Some(Always));
    held(boiler(), &[off.clone(), On("boiler"), Wait(60), Off("boiler")], None);
    check(vec![boiler()], &[off, On("boiler"), Wait(7201), RAIN, Cycle], &["120:01 stop boiler mode"]);
}

#[test]
fn a_switch_by_hand_counts_like_any_other() {
    let guarded = || {
        boiler().with(|registration| {
            registration.min_on = Duration::from_secs(300);
            registration.manual_hold = Duration::from_secs(60);
        })
    };
    for (wait, expect) in [(299, &[][..]), (301, &["5:01 stop boiler failing_criteria"])] {
        check(vec![guarded()], &[On("boiler"), Wait(wait), RAIN, Cycle], expect);
    }
}
