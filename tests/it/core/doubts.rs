//! A task that isn't as it says, by mistake or on purpose, neither holds up the others nor has them run without sun.

use std::time::Duration;

use sunward::core::{Event, Priority, Registration, TaskId, TaskState};
use sunward::units::Watts;

use super::{Appliance, Home, adjustable, plain};

/// A plug without a key: nobody measures what it says that it uses.
fn liar(id: &str, power: f64, says: f64) -> Appliance {
    let mut it = plain(id, power).criteria(0.0, 0.0).with(|registration| registration.keys.clear()).deaf();
    it.state.usage = Some(Watts(says));
    uses(it, 0.0)
}

/// It draws this, however much sun there is.
fn uses(appliance: Appliance, watts: f64) -> Appliance {
    Appliance { draws: watts, at_most: watts, ..appliance }
}

fn high(appliance: Appliance) -> Appliance {
    appliance.with(|registration| registration.priority = Priority::High)
}

/// How often a task was told to do so.
fn count(home: &Home, command: &str) -> usize {
    home.log.iter().filter(|line| line.contains(command)).count()
}

fn warnings(home: &Home) -> String {
    home.scheduler.warnings(home.now).join("\n")
}

#[test]
fn who_does_not_stop_uses_up_nobody_elses_turn() {
    // It is less important than the boiler, and always the first whose `keep` is not met.
    let stuck = plain("stuck", 100.0).criteria(1.0, 1.0).deaf().running();
    let mut home = Home::new(vec![plain("boiler", 2000.0).running(), stuck]);
    home.sun = -3000.0;
    home.minutes(8);
    assert_eq!(home.runs(), ["stuck"], "{:?}", home.log);
    // It is told again each minute all the same.
    assert_eq!(count(&home, "stop stuck failing_criteria"), 8);
    assert!(warnings(&home).contains("task stuck runs on, or again, whenever it is told to stop"));
}

#[test]
fn who_shares_a_key_and_does_not_stop_uses_up_nobody_elses_turn() {
    let thief = plain("thief", 1.0).with(|registration| registration.keys = vec!["boiler".into()]).deaf().running();
    let mut home = Home::new(vec![plain("boiler", 2000.0).running(), uses(thief, 0.0), plain("pump", 500.0).running()]);
    home.sun = -3000.0;
    home.minutes(9);
    assert_eq!(home.runs(), ["thief"], "{:?}", home.log);
}

#[test]
fn a_plug_that_undoes_its_stops_uses_up_nobody_elses_turn_even_if_it_announces_itself_anew() {
    let flips = plain("flips", 100.0).criteria(1.0, 1.0).running();
    let mut home = Home::new(vec![plain("boiler", 2000.0).running(), flips]);
    home.sun = -3000.0;
    for minute in 0..12_u8 {
        home.minute();
        let id = TaskId::new("flips").unwrap();
        if minute % 2 == 0 {
            let registration = home.appliance("flips").registration.clone();
            home.scheduler.handle(Event::Unregistered(id.clone()), home.now).unwrap();
            home.scheduler.handle(Event::StateCleared(id.clone()), home.now).unwrap();
            home.scheduler.handle(Event::Availability(id.clone(), None), home.now).unwrap();
            home.scheduler.handle(Event::Registered(id.clone(), Box::new(registration)), home.now).unwrap();
            home.says("flips", |state| state.running = false);
        }
        home.says("flips", |state| state.running = true);
    }
    assert_eq!(home.runs(), ["flips"], "{:?}", home.log);
}

#[test]
fn power_that_the_meter_does_not_show_keeps_nobody_running() {
    for says in [5000.0, 9_999_999.0] {
        let mut home = Home::new(vec![high(plain("boiler", 2000.0)), liar("liar", 1.0, says)]);
        home.sun = 2500.0;
        home.minutes(4);
        assert_eq!(home.runs(), ["boiler"], "{:?}", home.log);
        home.says("liar", |state| state.running = true);
        home.minutes(3);
        home.sun = -500.0;
        home.minutes(14);
        assert_eq!(home.runs(), ["liar"], "says {says}: {:?}", home.log);
        assert!(warnings(&home).contains("task liar says that it uses power, and the meter doesn't show it"));
        let consumption = home.minute().consumption.unwrap();
        assert_eq!(consumption.power, Watts(0.0), "it is nobody's energy either");
    }
}

#[test]
fn power_that_the_meter_does_not_show_starts_nobody_again_and_again() {
    // It obeys, and starts again by itself.
    let mut mean = liar("liar", 1.0, 6000.0);
    mean.deaf = false;
    let mut home = Home::new(vec![high(plain("boiler", 2000.0)), mean]);
    home.sun = -300.0;
    for _ in 0..120 {
        home.minute();
        home.says("liar", |state| state.running = true);
    }
    let on = home.view("boiler").on_today;
    assert!(on <= Duration::from_secs(900), "it ran for {on:?} without sun: {:?}", home.log);
}

#[test]
fn power_that_the_meter_does_not_show_is_in_no_set_point() {
    let mut mean = liar("liar", 1400.0, 6000.0);
    mean.registration.auto_adjust = true;
    mean.registration.max_power = Some(Watts(11_000.0));
    let car = high(adjustable("car", 1400.0, 11_000.0));
    let mut home = Home::new(vec![car, mean]);
    home.sun = 3000.0;
    home.minutes(5);
    home.says("liar", |state| state.running = true);
    home.minutes(8);
    let told = home.view("car").setpoint.unwrap();
    assert!(told <= Watts(3100.0), "the sun has 3000 W, the car is told {told}: {:?}", home.setpoints);
}

#[test]
fn what_the_meter_shows_is_believed() {
    // Honest, without a key: the boiler takes its place, and keeps it while the sun is enough for it.
    let mut pump = uses(liar("pump", 2000.0, 2000.0), 2000.0).criteria(1.0, 0.75);
    pump.deaf = false;
    let mut home = Home::new(vec![pump]);
    home.sun = 2200.0;
    home.minutes(8);
    assert_eq!((home.runs(), warnings(&home)), (vec!["pump"], String::new()), "{:?}", home.log);
    let boiler = high(plain("boiler", 2000.0));
    let (id, registration) = (boiler.id.clone(), boiler.registration.clone());
    home.scheduler.handle(Event::Registered(id.clone(), Box::new(registration)), home.now).unwrap();
    home.scheduler.handle(Event::State(id, Box::new(TaskState::plain(false))), home.now).unwrap();
    home.appliances.push(boiler);
    home.minutes(8);
    assert_eq!((home.runs(), warnings(&home)), (vec!["boiler"], String::new()), "{:?}", home.log);
    assert_eq!(count(&home, "stop pump lower_priority"), 1);
}

#[test]
fn a_power_that_never_shows_is_not_held_for_ever() {
    let urgent = |registration: &mut Registration| registration.priority = Priority::Urgent;
    let braggart = uses(plain("braggart", 20_000.0).with(urgent).criteria(0.0, 0.0).deaf().running(), 150.0);
    let mut home = Home::new(vec![braggart, plain("boiler", 2000.0)]);
    home.sun = 5000.0;
    home.minutes(50);
    assert_eq!(home.runs(), ["braggart"], "it may yet use its power");
    home.minutes(15);
    assert_eq!(home.runs(), ["braggart", "boiler"], "{:?}", home.log);
    assert!(
        warnings(&home).contains("task braggart has run for an hour and used 150 W at most, its `power` says 20000 W")
    );
}

#[test]
fn a_task_that_never_follows_a_start_does_not_stop_others_by_saying_something_new() {
    let tease = plain("tease", 2000.0).with(|registration| registration.priority = Priority::Urgent).deaf();
    let mut home = Home::new(vec![tease, plain("boiler", 2000.0)]);
    home.sun = 2500.0;
    for minute in 0..240_u32 {
        home.minute();
        home.says("tease", |state| state.stoppable = Some(minute % 2 == 0));
    }
    let stops = count(&home, "stop boiler");
    assert!(stops <= 12, "{stops} stops in four hours: {:?}", home.log);
    assert_eq!(home.runs(), ["boiler"]);
}

#[test]
fn an_honest_relay_that_misses_a_stop_is_believed_again() {
    let mut home = Home::new(vec![plain("heater", 1000.0).deaf().running()]);
    home.sun = -500.0;
    home.minutes(8);
    assert!(!warnings(&home).is_empty());
    home.appliance("heater").deaf = false;
    home.minutes(2);
    home.sun = 3000.0;
    home.minutes(5);
    assert_eq!((home.runs(), warnings(&home)), (vec!["heater"], String::new()), "{:?}", home.log);
}
