//! What keeps a task from being started or stopped although the sun says otherwise: guards, unanswered starts, silence.

use std::time::Duration;

use sunward::core::{Event, Settings, Status, TaskId};

use super::Do::{self, Available, Cycle, Meter, Off, On, Register, Say, Steady, Wait};
use super::{Appliance, Home, check, plain};

const SUN: Do = Steady(&[("net", -5000.0), ("boiler", 0.0)]);
const RAIN: Do = Meter(&[("net", 5000.0), ("boiler", 1000.0)]);

fn boiler() -> Appliance {
    plain("boiler", 1000.0)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Whether a boiler that is switched on `ago` is stopped for want of sun.
#[track_caller]
fn stops(boiler: Appliance, ago: u64, expect: bool) {
    let steps = [On("boiler"), Wait(ago), RAIN, Cycle];
    let stop = format!("{}:{:02} stop boiler failing_criteria", ago / 60, ago % 60);
    check(vec![boiler], &steps, &[stop.as_str()][usize::from(!expect)..]);
}

/// Whether a boiler that is switched off `ago` is started by the sun.
#[track_caller]
fn starts(boiler: Appliance, ago: u64, expect: bool) {
    let steps = [Off("boiler"), Wait(ago), SUN, Cycle];
    let start = format!("{}:{:02} start boiler elected", ago / 60, ago % 60);
    check(vec![boiler], &steps, &[start.as_str()][usize::from(!expect)..]);
}

#[test]
fn min_on_holds_a_running_task() {
    let min_on = || boiler().with(|registration| registration.min_on = seconds(300));
    stops(min_on(), 299, false);
    // Its state came a millisecond late.
    stops(min_on(), 301, true);
    stops(boiler(), 1, true);
}

#[test]
fn min_off_holds_a_stopped_task() {
    let min_off = || boiler().with(|registration| registration.min_off = seconds(300));
    starts(min_off().running(), 299, false);
    starts(min_off().running(), 301, true);
    // It was never seen to stop: nobody knows how long it has been off.
    starts(min_off(), 1, true);
    let mut home = Home::new(vec![min_off().running()]);
    home.apply(&Off("boiler"));
    assert_eq!(
        (home.view("boiler").status, home.view("boiler").reason.as_str()),
        (Status::Unrunnable, "min_off holds it")
    );
}

#[test]
fn who_can_not_be_interrupted_runs_until_its_state_says_that_it_may_be_stopped() {
    let dishwasher = || boiler().with(|registration| registration.interruptible = false);
    stops(dishwasher(), 100_000, false);
    let may =
        |stoppable: fn(&mut sunward::core::TaskState)| [On("boiler"), Say("boiler", stoppable), Wait(9), RAIN, Cycle];
    let stop = ["0:09 stop boiler failing_criteria"];
    check(vec![dishwasher()], &may(|state| state.stoppable = Some(true)), &stop);
    check(vec![boiler()], &may(|state| state.stoppable = Some(false)), &[]);
    check(vec![boiler()], &may(|state| state.stoppable = None), &stop);
}

#[test]
fn who_can_not_run_is_not_started() {
    let runnable = |runnable: fn(&mut sunward::core::TaskState)| [Say("boiler", runnable), SUN, Cycle];
    check(vec![boiler()], &runnable(|state| state.runnable = false), &[]);
    check(vec![boiler()], &runnable(|state| state.runnable = true), &["0:00 start boiler elected"]);
}

/// When a deaf boiler is told to start under a sun that never sets, with one event on the way.
#[track_caller]
fn asked(hours: u64, at_minute: u64, event: &[Do], expect: &[u64]) {
    let mut home = Home::new(vec![boiler().deaf()]);
    for minute in 1..=hours * 60 {
        home.wait(60);
        if minute == at_minute {
            event.iter().for_each(|step| home.apply(step));
        }
        home.apply(&SUN);
        home.cycle();
    }
    let minute = |line: &String| line.split(':').next().unwrap().parse().unwrap();
    assert_eq!(home.log.iter().map(minute).collect::<Vec<u64>>(), expect);
}

#[test]
fn after_three_unanswered_starts_a_task_waits_ten_minutes_and_twice_as_long_each_time_up_to_two_hours() {
    // Unanswered is what the next cycle finds unanswered: at 4, then at 15 (4 + 10 + 1), 36, 77, 158, 279, 400.
    asked(8, 0, &[], &[1, 2, 3, 14, 35, 76, 157, 278, 399]);
}

#[test]
fn starts_of_cycles_that_a_user_asks_for_leave_it_half_a_cycle_to_answer() {
    let mut home = Home::new(vec![boiler().deaf()]);
    let mut after = |wait: u64, unanswered: u32| {
        [Wait(wait), SUN, Cycle].iter().for_each(|step| home.apply(step));
        assert_eq!(home.view("boiler").unanswered, unanswered, "{:?}", home.log);
    };
    for _ in 0..6 {
        after(5, 0);
    }
    // The first of them had its half minute: they count as one. The next waits as long.
    after(5, 1);
    after(29, 1);
    after(1, 2);
    assert_eq!(home.log.len(), 9, "each cycle sent a start");
}

#[test]
fn a_changed_state_or_registration_forgives_unanswered_starts_and_a_replayed_one_does_not() {
    let patient = [1, 2, 3, 14];
    let forgiven = [1, 2, 3, 8, 9, 10, 21];
    let unrunnable = Say("boiler", |state| state.runnable = false);
    let runnable = Say("boiler", |state| state.runnable = true);
    asked(1, 8, &[unrunnable, runnable.clone()], &[&forgiven[..], &[42]].concat());
    asked(
        1,
        8,
        &[Register("boiler", |registration| registration.name = "Boiler".into())],
        &[&forgiven[..], &[42]].concat(),
    );
    asked(1, 8, &[Available("boiler", Some(false)), Available("boiler", Some(true))], &[&forgiven[..], &[42]].concat());
    for replayed in [runnable, Off("boiler"), Register("boiler", |_| {}), Available("boiler", Some(true))] {
        asked(1, 8, std::slice::from_ref(&replayed), &[&patient[..], &[35]].concat());
    }
}

#[test]
fn a_command_that_is_not_followed_yet_is_told_with_its_sum_and_how_often_it_was_sent() {
    let sum = "5000 W are available for its 1000 W, ratio 5.00 (ratio >= 1.00)";
    let mut home = Home::new(vec![boiler().deaf()]);
    let mut told = |steps: &[Do]| {
        steps.iter().for_each(|step| home.apply(step));
        home.view("boiler").reason
    };
    assert_eq!(told(&[SUN, Cycle]), format!("its start was sent and is not followed yet: {sum}"));
    assert_eq!(told(&[Wait(60), SUN, Cycle]), format!("its start was sent 2 times and is not followed yet: {sum}"));
    // It has been switched since: that start is no reason for anything any more.
    assert_eq!(told(&[On("boiler"), Off("boiler")]), "no cycle has judged it yet");
    let stop = "keep is not met (ratio >= 0.75): the sun covers 0.00 of what it used, 1000 W now";
    assert_eq!(told(&[On("boiler"), RAIN, Cycle]), format!("its stop was sent and is not followed yet: {stop}"));
    assert_eq!(told(&[Off("boiler")]), stop);
    let settings = Settings { dry_run: true, ..Settings::default() };
    let mut home = Home::with(settings, vec![boiler().deaf()]);
    [SUN, Cycle].iter().for_each(|step| home.apply(step));
    assert_eq!(home.view("boiler").reason, format!("dry run, its start is not sent: {sum}"));
}

#[test]
fn a_waiting_task_says_so_and_how_often_it_did_not_follow() {
    let mut home = Home::new(vec![boiler().deaf()]);
    for _ in 0..5 {
        home.apply(&SUN);
        home.cycle();
        home.wait(60);
    }
    let view = home.view("boiler");
    assert_eq!(
        (view.unanswered, view.reason.as_str()),
        (3, "it left 3 starts unanswered: the next one comes after 2026-06-01 10:13")
    );
    assert_eq!(view.status, Status::Stopped);
}

/// Whether a boiler is reachable some seconds after its last state.
#[track_caller]
fn reachable(appliance: Appliance, availability: &[Option<bool>], after: u64, expect: bool) {
    let mut home = Home::new(vec![]);
    let id = appliance.id.clone();
    home.scheduler.handle(Event::Registered(id.clone(), Box::new(appliance.registration)), home.now).unwrap();
    home.scheduler.handle(Event::State(id.clone(), Box::new(appliance.state)), home.now).unwrap();
    for available in availability {
        home.scheduler.handle(Event::Availability(id.clone(), *available), home.now).unwrap();
    }
    home.now = home.now + seconds(after);
    home.steady(&[("net", -5000.0)]);
    home.scheduler.cycle(home.now);
    assert_eq!(home.view("boiler").status != Status::Unreachable, expect, "{availability:?} after {after} s");
    assert_eq!(home.scheduler.next_instruction().is_some(), expect, "{availability:?} after {after} s");
}

#[test]
fn a_silent_task_is_unreachable_after_task_expire_after_unless_it_has_an_availability() {
    reachable(boiler(), &[], 600, true);
    reachable(boiler(), &[], 601, false);
    reachable(boiler(), &[Some(true)], 100_000, true);
    reachable(boiler(), &[Some(false)], 0, false);
    reachable(boiler(), &[Some(false), Some(true)], 100_000, true);
    // The broker forgot its availability: it is as if it never had one.
    reachable(boiler(), &[Some(true), None], 600, true);
    reachable(boiler(), &[Some(true), None], 601, false);
}

#[test]
fn a_task_with_expire_after_is_unreachable_once_its_state_is_older_whatever_its_availability() {
    let expires = || boiler().with(|registration| registration.expire_after = Some(seconds(90)));
    for availability in [&[][..], &[Some(true)]] {
        reachable(expires(), availability, 90, true);
        reachable(expires(), availability, 91, false);
    }
    let later = || boiler().with(|registration| registration.expire_after = Some(seconds(900)));
    reachable(later(), &[], 900, true);
    reachable(later(), &[], 901, false);
}

#[test]
fn a_state_does_not_grow_old_while_nobody_could_be_heard() {
    for (lost, then, expect) in
        [(950, 0, true), (950, 40, true), (950, 41, false), (900, 0, false), (909, 0, false), (910, 0, true)]
    {
        let mut home = Home::new(vec![boiler().with(|registration| registration.expire_after = Some(seconds(90)))]);
        [Wait(1000), Do::Reconnect(lost), Wait(then)].iter().for_each(|step| home.apply(step));
        assert_eq!(home.view("boiler").status != Status::Unreachable, expect, "lost {lost} s ago, back for {then} s");
    }
}

#[test]
fn a_task_is_unreachable_until_its_first_state_and_comes_back_by_itself() {
    let mut home = Home::new(vec![]);
    let Appliance { id, registration, state, .. } = boiler();
    let status = |home: &Home| (home.view("boiler").status, home.view("boiler").reason);
    home.scheduler.handle(Event::Registered(id.clone(), Box::new(registration)), home.now).unwrap();
    assert_eq!(status(&home), (Status::Unreachable, "no state has come from it yet".into()));
    home.scheduler.handle(Event::State(id.clone(), Box::new(state.clone())), home.now).unwrap();
    assert_eq!(status(&home).0, Status::Stopped);
    home.wait(700);
    assert_eq!(status(&home), (Status::Unreachable, "its last state expired: it is older than 10m".into()));
    home.scheduler.handle(Event::State(id, Box::new(state)), home.now).unwrap();
    assert_eq!(status(&home).0, Status::Stopped);
}

#[test]
fn a_state_that_was_cleared_and_comes_again_is_the_first() {
    let held =
        boiler().with(|registration| (registration.min_off, registration.manual_hold) = (seconds(300), seconds(60)));
    let mut home = Home::new(vec![held]);
    let id = home.appliances[0].id.clone();
    [On("boiler"), Wait(60), Off("boiler")].iter().for_each(|step| home.apply(step));
    assert_eq!(home.view("boiler").reason, "held off by hand until 2026-06-01 10:02");
    home.scheduler.handle(Event::StateCleared(id), home.now).unwrap();
    home.apply(&Wait(90));
    home.apply(&On("boiler"));
    let view = home.view("boiler");
    assert_eq!((view.status, view.hold, view.starts_today), (Status::Running, None, 1));
    home.apply(&Wait(20));
    home.cycle();
    // The first run, and what was seen of the second.
    assert_eq!(home.view("boiler").on_today.as_secs(), 79);
}

#[test]
fn an_unreachable_task_that_ran_keeps_its_keys_and_its_usage_is_base_load() {
    let on_tank = |id: &str| plain(id, 1000.0).with(|registration| registration.keys = vec!["tank".into()]);
    let both = || vec![on_tank("a").running(), on_tank("b"), plain("c", 1000.0)];
    // 900 W of export, and 1,000 W that are not given away.
    const POWER: Do = Steady(&[("net", -900.0), ("tank", 1000.0), ("c", 0.0)]);
    check(both(), &[Available("a", Some(false)), POWER, Cycle], &[]);
    const MORE: Do = Steady(&[("net", -1000.0), ("tank", 1000.0), ("c", 0.0)]);
    check(both(), &[Available("a", Some(false)), MORE, Cycle], &["0:00 start c elected"]);
    let mut home = Home::new(both());
    [Available("a", Some(false)), POWER, Cycle].iter().for_each(|step| home.apply(step));
    assert_eq!(home.view("b").reason, "`tank` is taken: a runs on it");
}

#[test]
fn a_refused_registration_leaves_the_valid_one_in_force_and_a_task_without_one_is_invalid() {
    let mut home = Home::new(vec![boiler()]);
    let refuse = |home: &mut Home, id: &str| {
        let event = Event::RegistrationRefused(TaskId::new(id).unwrap(), "power: expected a number above 0".into());
        home.scheduler.handle(event, home.now).unwrap();
    };
    refuse(&mut home, "boiler");
    refuse(&mut home, "pump");
    let [boiler, pump] = ["boiler", "pump"].map(|id| home.view(id));
    assert_eq!((boiler.status, boiler.error.as_deref()), (Status::Stopped, Some("power: expected a number above 0")));
    assert_eq!((pump.status, pump.error.as_deref()), (Status::Invalid, Some("power: expected a number above 0")));
    [SUN, Cycle].iter().for_each(|step| home.apply(step));
    assert_eq!(home.log, ["0:00 start boiler elected"]);
}

#[test]
fn unregistering_sends_no_stop() {
    let mut home = Home::new(vec![boiler().running()]);
    let id = home.appliances[0].id.clone();
    home.scheduler.handle(Event::Unregistered(id), home.now).unwrap();
    [RAIN, Cycle, Wait(300), Cycle].iter().for_each(|step| home.apply(step));
    assert_eq!(home.log, [""; 0]);
    assert_eq!(home.scheduler.tasks(home.now), []);
}
