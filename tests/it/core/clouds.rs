//! Set-points under clouds: what follows the sun, how fast, and that nothing swings.

use super::charging::{CHARGER, Charger, METER, Meter, TICK, Usage, day};

/// Every meter, every way to learn of the usage, every charger of the claims below.
fn everything(mut claim: impl FnMut(Charger, Meter, Usage)) {
    let intervals = [1, 5, 10, 60].into_iter();
    let meters = intervals.flat_map(|interval| [0.0, 10.0].map(|delay| Meter { interval, delay, ..METER }));
    let chargers = [
        Charger { lag: 0.0, ramp: 1e5, ..CHARGER },
        Charger { lag: 5.0, ramp: 1000.0, ..CHARGER },
        Charger { lag: 2.0, quantum: 230.0, ..CHARGER },
        Charger { lag: 4.0, ramp: 3000.0, quantum: 230.0, step: 230.0, ..CHARGER },
    ];
    for meter in meters {
        for usage in [Usage::AtOnce, Usage::WithNet, Usage::Every(60), Usage::Never] {
            for charger in chargers {
                claim(charger, meter, usage);
            }
        }
    }
}

/// 5 kW, then 3 kW less for ten minutes. The meter has just measured when the cloud comes and when it goes.
fn one_cloud(time: f64) -> f64 {
    if (1201.0..1801.0).contains(&time) { 2000.0 } else { 5000.0 }
}

/// How far from the sun a set-point may stay: a step, and a step of the charger where nobody measures it.
fn tolerance(charger: Charger, usage: Usage) -> f64 {
    charger.step + 10.0 + if usage == Usage::Never { 240.0 } else { 0.0 }
}

#[test]
fn a_cloud_is_followed_within_one_interval_of_a_meter_that_is_not_late() {
    everything(|charger, meter, usage| {
        if meter.delay > 0.0 {
            return;
        }
        let day = day(&[charger], meter, usage, 2400, one_cloud);
        for (begin, sun) in [(1201.0, 2000.0), (1801.0, 5000.0)] {
            let what = format!("{charger:?} {meter:?} {usage:?}: {:?}", day.told);
            let (time, _, watts) = *day.told.iter().find(|(time, ..)| *time >= begin).expect(&what);
            assert!(time <= begin + f64::from(meter.interval), "{what}");
            assert!((sun - tolerance(charger, usage)..=sun + 300.0).contains(&watts), "{what}");
        }
    });
}

#[test]
fn a_step_of_3_kw_settles_without_overshooting_twice_however_late_the_meter_is() {
    everything(|charger, meter, usage| {
        let day = day(&[charger], meter, usage, 2400, one_cloud);
        for (begin, end, from, to) in [(1201.0, 1801.0, 5000.0_f64, 2000.0_f64), (1801.0, 2400.0, 2000.0, 5000.0)] {
            let what = format!("{charger:?} {meter:?} {usage:?}: {:?}", day.told);
            let told = || day.told.iter().filter(|(time, ..)| (begin..end).contains(time));
            let beyond = |watts: f64| (watts - to) * (to - from).signum();
            let too_far: Vec<bool> = told().map(|(.., watts)| beyond(*watts) > 100.0).collect();
            let overshoots = too_far.chunk_by(|a, b| a == b).filter(|chunk| chunk[0]).count();
            assert!(overshoots <= 1, "{what}");
            let last = day.at(end - TICK).in_force[0];
            assert!(
                (to - tolerance(charger, usage)..=to + tolerance(charger, usage)).contains(&last),
                "{last}: {what}"
            );
            let settled = begin + 120.0 + meter.delay + 4.0 * f64::from(meter.interval);
            let moved = told().filter(|(time, ..)| *time > settled).count();
            assert_eq!(moved, 0, "{what}");
        }
    });
}

#[test]
fn noise_of_50_w_hardly_moves_anything() {
    everything(|charger, meter, usage| {
        let day = day(&[charger], Meter { noise: 50.0, ..meter }, usage, 7800, |_| 5000.0);
        let moves = day.moves(600.0);
        assert!(moves <= 12, "{moves} in two hours: {charger:?} {meter:?} {usage:?}");
    });
}

#[test]
fn a_cloud_that_draws_in_slowly_is_followed_too() {
    let sun = |time: f64| 5000.0 - ((time - 1201.0).clamp(0.0, 30.0) - (time - 1801.0).clamp(0.0, 30.0)) * 100.0;
    everything(|charger, meter, usage| {
        let day = day(&[charger], meter, usage, 2400, sun);
        let what = format!("{charger:?} {meter:?} {usage:?}: {:?}", day.told);
        let imported = day.moments.iter().map(|moment| (moment.usage[0] - moment.sun).max(0.0) * TICK / 3600.0);
        let bought: f64 = imported.sum();
        assert!(bought < 60.0, "{bought} Wh: {what}");
        let least = day.told.iter().filter(|(time, ..)| *time > 1201.0).map(|(.., watts)| *watts).reduce(f64::min);
        assert!(least.unwrap() > 1700.0, "{what}");
    });
}

/// What chargers are told in the end under a constant sun.
#[track_caller]
fn check_shares(chargers: &[Charger], sun: f64, expect: &[f64]) {
    for usage in [Usage::AtOnce, Usage::WithNet] {
        for delay in [0.0, 10.0] {
            let day = day(chargers, Meter { interval: 5, delay, ..METER }, usage, 1800, |_| sun);
            let told = &day.moments.last().unwrap().in_force;
            let near = told.iter().zip(expect).all(|(told, expect)| (told - expect).abs() < 60.0);
            assert!(near, "{told:?} instead of {expect:?} with {usage:?}, {delay} s late");
            let least: f64 = chargers.iter().map(|charger| charger.least).sum();
            assert!(told.iter().sum::<f64>() <= sun.max(least) + 1.0, "{told:?} of {sun}");
        }
    }
}

#[test]
fn the_more_important_is_served_first_and_nobody_is_told_what_is_not_there() {
    let small = Charger { most: 3700.0, takes: [3700.0; 2], ..CHARGER };
    for (sun, expect) in [
        (1000.0, [1400.0, 1400.0, 1400.0]),
        (4200.0, [1400.0, 1400.0, 1400.0]),
        (6000.0, [3200.0, 1400.0, 1400.0]),
        (7000.0, [3700.0, 1900.0, 1400.0]),
        (9000.0, [3700.0, 3700.0, 1600.0]),
        (20_000.0, [3700.0, 3700.0, 3700.0]),
    ] {
        check_shares(&[small; 3], sun, &expect);
    }
    check_shares(&[CHARGER; 2], 9000.0, &[7400.0, 1600.0]);
}

#[test]
fn what_the_more_important_does_not_take_goes_to_the_next() {
    let full = Charger { takes: [2000.0; 2], ..CHARGER };
    // It is offered a step of its charger more than it takes, in case it wants more again.
    check_shares(&[full, CHARGER], 9000.0, &[2233.0, 6767.0]);
    check_shares(&[full, full, CHARGER], 9000.0, &[2233.0, 2233.0, 4533.0]);
    check_shares(&[CHARGER, full], 9000.0, &[7400.0, 1600.0]);
    // What nobody takes is offered to the first.
    check_shares(&[full, full], 9000.0, &[6767.0, 2233.0]);
}

#[test]
fn whoever_takes_more_again_is_served_first_again() {
    let thirsty = Charger { takes: [2000.0, 7400.0], ..CHARGER };
    for usage in [Usage::AtOnce, Usage::WithNet] {
        for delay in [0.0, 10.0] {
            let day = day(&[thirsty, CHARGER], Meter { interval: 5, delay, ..METER }, usage, 2400, |_| 9000.0);
            for (time, expect) in [(1790.0, [2233.0, 6767.0]), (2390.0, [7400.0, 1600.0])] {
                let told = &day.at(time).in_force;
                let near = told.iter().zip(expect).all(|(told, expect)| (told - expect).abs() < 60.0);
                assert!(near, "{told:?} instead of {expect:?} with {usage:?}, {delay} s late: {:?}", day.told);
            }
        }
    }
}

#[test]
fn several_settle_after_a_step_as_one_does() {
    for chargers in 2..=3 {
        everything(|charger, meter, usage| {
            let day = day(&vec![charger; chargers], meter, usage, 2400, |time| one_cloud(time) * 2.0);
            for (begin, end) in [(1201.0, 1801.0), (1801.0, 2400.0)] {
                let what = format!("{charger:?} {meter:?} {usage:?}: {:?}", day.told);
                let late = day.told.iter().filter(|(time, ..)| (begin + 300.0..end).contains(time)).count();
                // Where nobody measures them, they creep a step nearer to the sun now and then.
                assert!(late <= usize::from(usage == Usage::Never), "{late}: {what}");
                let end = day.at(end - TICK);
                #[expect(clippy::cast_precision_loss, reason = "three at most")]
                let least = charger.least * chargers as f64;
                assert!(end.in_force.iter().sum::<f64>() <= end.sun.max(least) + 300.0, "{:?} {what}", end);
            }
        });
    }
}
