//! Guards over a restart of Sunward: what an earlier run had told of a task's last switch and of its rest.

use std::time::Duration;

use jiff::Timestamp;
use sunward::core::{Event, Finished, Guards, Status, TaskSnapshot};
use sunward::units::Watts;

use super::{Appliance, Home, plain};

/// It may be switched every five minutes, and rests when it is done.
fn compressor() -> Appliance {
    plain("boiler", 1000.0).with(|registration| {
        registration.min_on = Duration::from_secs(300);
        registration.min_off = Duration::from_secs(300);
        registration.finished =
            Some(Finished { below: Watts(50.0), lasting: Duration::from_secs(600), rest: Duration::from_secs(3600) });
    })
}

/// It ran, or not, since this time of the day of the restart, which is at 10:00.
fn told(running: Option<bool>, since: &str) -> Guards {
    Guards { running, since: Some(at(since)), rests_until: None }
}

fn at(time: &str) -> Timestamp {
    format!("2026-06-01T{time}Z").parse().unwrap()
}

fn restarted(appliance: Appliance, told: &Guards) -> Home {
    let mut home = Home::new(vec![appliance]);
    let id = home.appliances[0].id.clone();
    home.restore(&id, TaskSnapshot { guards: Some(told.clone()), ..TaskSnapshot::default() });
    home
}

/// How many seconds after the restart the compressor is switched, under a sun that asks for that at once; and since when
/// it is told to be as it was.
#[track_caller]
fn check(appliance: Appliance, told: &Guards, expect: u64, since: Option<&str>) {
    let running = appliance.state.running;
    let mut home = restarted(appliance, told);
    assert_eq!(home.view("boiler").since, since.map(at), "{told:?}");
    let net = if running { 5000.0 } else { -5000.0 };
    for _ in 0..400 {
        home.steady(&[("net", net), ("boiler", 1000.0)]);
        home.cycle();
        if !home.log.is_empty() {
            break;
        }
        home.wait(1);
    }
    let action = if running { "stop" } else { "start" };
    assert!(home.log[0].starts_with(&format!("{}:{:02} {action} ", expect / 60, expect % 60)), "{:?}", home.log);
}

#[test]
fn a_guard_counts_on_over_a_restart() {
    check(compressor(), &told(Some(false), "09:56:00.000"), 60, Some("09:56:00.000"));
    check(compressor().running(), &told(Some(true), "09:57:00.500"), 121, Some("09:57:00.500"));
    check(compressor(), &told(Some(false), "09:00:00.000"), 0, Some("09:00:00.000"));
    // Nobody knows since when it has been off: for long enough.
    check(compressor(), &Guards { since: None, ..told(Some(false), "09:00:00.000") }, 0, None);
}

#[test]
fn what_switched_meanwhile_or_may_have_is_guarded_from_the_restart_on() {
    check(compressor(), &told(Some(true), "09:00:00.000"), 300, Some("10:00:00.000"));
    check(compressor(), &told(None, "09:00:00.000"), 300, Some("10:00:00.000"));
    check(compressor().running(), &told(Some(false), "09:00:00.000"), 300, Some("10:00:00.000"));
    // A clock that was put back makes no guard longer than it is.
    check(compressor(), &told(Some(false), "11:00:00.000"), 300, Some("10:00:00.000"));
}

#[test]
fn a_state_that_comes_after_the_restart_is_compared_too_and_a_newer_switch_wins() {
    let mut home = restarted(compressor(), &told(Some(false), "09:56:00.000"));
    let id = home.appliances[0].id.clone();
    home.scheduler.handle(Event::StateCleared(id.clone()), home.now).unwrap();
    home.restore(&id, TaskSnapshot { guards: Some(told(Some(false), "09:56:00.000")), ..TaskSnapshot::default() });
    assert_eq!(home.view("boiler").since, None);
    home.wait(30);
    home.says("boiler", |_| {});
    assert_eq!(home.view("boiler").since, Some(at("09:56:00.000")));
    home.says("boiler", |state| state.running = true);
    home.restore(&id, TaskSnapshot { guards: Some(told(Some(true), "09:56:00.000")), ..TaskSnapshot::default() });
    assert_eq!(home.view("boiler").since, Some(at("10:00:30.001")));
}

#[test]
fn what_ran_before_the_restart_is_not_counted_twice() {
    let mut home = restarted(compressor().running(), &told(Some(true), "08:00:00.000"));
    home.wait(60);
    home.cycle();
    assert_eq!(home.view("boiler").on_today, Duration::from_secs(60));
}

#[test]
fn a_rest_goes_on_over_a_restart_for_as_long_as_the_task_is_one_that_rests() {
    let told = Guards { rests_until: Some(at("10:30:00.000")), ..told(Some(false), "09:00:00.000") };
    let mut home = restarted(compressor(), &told);
    let view = home.view("boiler");
    assert_eq!((view.status, view.rests_until), (Status::Unrunnable, told.rests_until));
    assert_eq!(view.reason, "it is done: it rests until 2026-06-01 10:30");
    home.wait(1800);
    let view = home.view("boiler");
    assert_eq!((view.status, view.rests_until), (Status::Stopped, None));
    let restless = compressor().with(|registration| registration.finished = None);
    assert_eq!(restarted(restless, &told).view("boiler").status, Status::Stopped);
}
