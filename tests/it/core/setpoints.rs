//! When set-points are sent, and of whom: the time line around the arithmetic.

use sunward::core::TaskSnapshot;

use super::Do::{Available, Cycle, Fallback, Meter, Off, On, Register, Say, Set, Unregister, User, Wait};
use super::{Appliance, Do, Home, Mode, UserCommand, Watts, adjustable, plain};

fn ev() -> Appliance {
    adjustable("ev", 1400.0, 7400.0)
}

/// What a home's tasks are told on a time line, as `minutes:seconds task watts`.
#[track_caller]
fn check(appliances: Vec<Appliance>, steps: &[Do], expect: &[&str]) {
    let mut home = Home::new(appliances);
    for step in steps {
        home.apply(step);
        // What is due now.
        home.wait(0);
        home.follow();
    }
    assert_eq!(home.setpoints, expect);
}

#[test]
fn before_a_start_and_after_a_stop_it_is_power() {
    check(
        vec![ev()],
        &[
            Wait(60),
            On("ev"),
            Meter(&[("net", -2000.0), ("ev", 1400.0)]),
            Wait(60),
            Meter(&[("net", 0.0), ("ev", 3400.0)]),
            Off("ev"),
            Meter(&[("net", -3400.0), ("ev", 0.0)]),
        ],
        &["0:00 ev 1400", "1:00 ev 3400", "2:00 ev 1400"],
    );
}

#[test]
fn it_stays_within_power_and_max_power_and_leaves_the_reserve() {
    let sun = |net: f64| [Wait(60), Meter(Box::leak(Box::new([("net", net), ("ev", 1400.0)])))];
    let steps: Vec<Do> = [-20_000.0, -600.0, 5000.0].into_iter().flat_map(sun).collect();
    check(vec![ev().running()], &steps, &["0:00 ev 1400", "1:00 ev 7400", "2:00 ev 2000", "3:00 ev 1400"]);

    let mut home =
        Home::with(super::Settings { reserve: Watts(300.0), ..super::Settings::default() }, vec![ev().running()]);
    home.wait(60);
    home.meter(&[("net", -2000.0), ("ev", 1400.0)]);
    home.wait(0);
    assert_eq!(home.setpoints.last().unwrap(), "1:00 ev 3100");
}

#[test]
fn it_moves_by_a_step_at_least_and_not_too_often() {
    check(
        vec![ev().running().with(|registration| registration.setpoint_step = Watts(100.0))],
        &[
            Wait(60),
            Meter(&[("net", -99.0), ("ev", 1400.0)]),
            Wait(60),
            Meter(&[("net", -1000.0), ("ev", 1400.0)]),
            // Two more within the five seconds: the last one counts, when they are over.
            Wait(2),
            Meter(&[("net", -2000.0), ("ev", 1400.0)]),
            Wait(2),
            Meter(&[("net", -3000.0), ("ev", 1400.0)]),
            Wait(60),
        ],
        &["0:00 ev 1400", "2:00 ev 2400", "2:05 ev 4400"],
    );
}

#[test]
fn only_adjustable_tasks_with_a_max_power_get_one_and_it_is_cleared_when_they_cease_to_be() {
    check(vec![plain("heater", 2000.0).running()], &[Wait(60), Meter(&[("net", -5000.0)])], &[]);
    check(
        vec![ev().with(|registration| registration.max_power = None), adjustable("boat", 1000.0, 2000.0)],
        &[
            Wait(60),
            Say("ev", |state| state.max_power = Some(Watts(3000.0))),
            Wait(60),
            Say("ev", |state| state.max_power = None),
            Register("boat", |registration| registration.auto_adjust = false),
            Register("boat", |registration| registration.auto_adjust = true),
            Wait(60),
            Unregister("boat"),
        ],
        &[
            "0:00 boat 1000",
            "1:00 ev 1400",
            "2:00 ev cleared",
            "2:00 boat cleared",
            "2:00 boat 1000",
            "3:00 boat cleared",
        ],
    );
}

#[test]
fn a_state_that_moves_the_bounds_moves_the_setpoint() {
    check(
        vec![ev()],
        &[Wait(60), Say("ev", |state| state.power = Some(Watts(4200.0))), Wait(60)],
        &["0:00 ev 1400", "1:00 ev 4200"],
    );
}

#[test]
fn a_pause_leaves_what_runs_as_it_is() {
    check(
        vec![ev().running(), adjustable("boat", 1000.0, 2000.0).running()],
        &[
            Wait(60),
            Meter(&[("net", -2000.0), ("ev", 1400.0), ("boat", 1000.0)]),
            User(UserCommand::Pause),
            Wait(60),
            Meter(&[("net", 1000.0), ("ev", 3400.0), ("boat", 1000.0)]),
            Off("boat"),
            Wait(60),
            User(UserCommand::Resume),
            Meter(&[("net", 1000.0), ("ev", 3400.0)]),
        ],
        &["0:00 ev 1400", "0:00 boat 1000", "1:00 ev 3400", "3:00 ev 2400"],
    );
}

#[test]
fn who_wants_it_on_wants_it_done() {
    check(
        vec![ev().running(), adjustable("boat", 1000.0, 4000.0).running()],
        &[
            Wait(60),
            Meter(&[("net", -1000.0), ("ev", 1400.0), ("boat", 1000.0)]),
            Wait(60),
            Set("ev", Mode::On, None),
            User(UserCommand::Pause),
            Wait(60),
            User(UserCommand::Resume),
            // The others share what it leaves.
            Meter(&[("net", -2000.0), ("ev", 7400.0), ("boat", 1000.0)]),
            Wait(60),
            Set("ev", Mode::Auto, None),
            Meter(&[("net", 2000.0), ("ev", 7400.0), ("boat", 3000.0)]),
        ],
        &["0:00 ev 1400", "0:00 boat 1000", "1:00 ev 2400", "2:00 ev 7400", "3:00 boat 3000", "4:00 boat 1000"],
    );
}

#[test]
fn without_data_it_falls_to_power() {
    check(
        vec![ev().running().with(|registration| registration.on_no_data = sunward::core::OnNoData::Keep)],
        &[Wait(60), Meter(&[("net", -2000.0), ("ev", 1400.0)]), Wait(300), Meter(&[("net", -2000.0), ("ev", 1400.0)])],
        &["0:00 ev 1400", "1:00 ev 3400", "4:00 ev 1400", "6:00 ev 3400"],
    );
}

#[test]
fn the_estimator_counts_only_while_the_meter_is_silent() {
    check(
        vec![ev().running()],
        &[
            Meter(&[("net", 0.0), ("ev", 1400.0)]),
            Wait(60),
            Fallback(&[("net", -5000.0)]),
            Wait(121),
            Fallback(&[("net", -2000.0)]),
            Cycle,
        ],
        &["0:00 ev 1400", "3:01 ev 3400"],
    );
}

#[test]
fn an_unreachable_task_keeps_what_it_had() {
    check(
        vec![ev().running()],
        &[
            Wait(60),
            Meter(&[("net", -2000.0), ("ev", 1400.0)]),
            Available("ev", Some(false)),
            Wait(60),
            Meter(&[("net", 3000.0), ("ev", 3400.0)]),
            Available("ev", Some(true)),
            On("ev"),
            Wait(60),
            Meter(&[("net", 1000.0), ("ev", 3400.0)]),
        ],
        &["0:00 ev 1400", "1:00 ev 3400", "3:00 ev 2400"],
    );
}

#[test]
fn what_an_earlier_run_had_sent_is_in_force_until_the_meter_speaks() {
    let mut home = Home::new(vec![ev().running()]);
    let id = home.appliances[0].id.clone();
    let known = TaskSnapshot { setpoint: Some(Watts(5000.0)), ..TaskSnapshot::default() };
    assert!(home.restore(&id, known.clone()));
    assert!(!home.restore(&super::TaskId::new("gone").unwrap(), known));
    home.wait(60);
    assert!(home.setpoints.is_empty(), "{:?}", home.setpoints);
    home.meter(&[("net", 1000.0), ("ev", 5000.0)]);
    home.wait(0);
    assert_eq!(home.setpoints, ["1:00 ev 4000"]);
}
