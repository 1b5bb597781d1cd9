//! Homes that misbehaved once: each settles, or stops exactly whom it should.

use sunward::core::{Priority, Settings};

use super::{Appliance, Home, adjustable, plain};

/// Under a constant sun nothing is switched any more after half an hour, with a steady meter and with one that isn't;
/// and who then runs.
#[track_caller]
fn settles(appliances: &[Appliance], sun: f64, running: &[&str]) {
    for noise in [0.0, 20.0] {
        let mut home = Home::new(appliances.to_vec());
        home.sun = sun;
        home.noise = noise;
        home.minutes(30);
        let settling = home.log.len();
        home.minutes(120);
        assert_eq!(home.log[settling..], [""; 0], "{sun} W of sun, {noise} W of noise");
        assert_eq!(home.runs(), running, "{sun} W of sun, {noise} W of noise");
    }
}

/// What is decided in the minutes after the sun changed.
#[track_caller]
fn after_the_sun_changes(appliances: Vec<Appliance>, from: f64, minutes: u32, to: f64, then: u32, expect: &[&str]) {
    let mut home = Home::new(appliances);
    home.sun = from;
    home.minutes(minutes);
    home.log.clear();
    home.begin = home.now;
    home.sun = to;
    home.minutes(then);
    assert_eq!(home.log, expect);
}

fn ev() -> Appliance {
    adjustable("ev", 1400.0, 7400.0).high()
}

fn without_max_power(appliance: Appliance) -> Appliance {
    appliance.with(|registration| registration.max_power = None)
}

#[test]
fn a_car_beside_a_heater_settles_under_any_constant_sun() {
    let heater = || plain("heater", 2000.0);
    for sun in (7_500..=9_700).step_by(20).map(f64::from) {
        // Together from the start, the car at 95 % of its 7,400 W has enough.
        if (sun - 9_030.0_f64).abs() > 80.0 {
            settles(&[ev(), heater()], sun, if sun > 9_030.0 { &["ev", "heater"] } else { &["ev"] });
        }
        // A car that runs already is learned to take 7,400 W; then 2,000 W and 200 W of headroom must be left.
        if (sun - 9_600.0_f64).abs() > 80.0 {
            let running: &[&str] = if sun > 9_600.0 { &["ev", "heater"] } else { &["ev"] };
            settles(&[ev().running(), heater()], sun, running);
            settles(&[without_max_power(ev()).running(), heater()], sun, running);
        }
        // Together from the start, it is learned to take 7,400 W once half of the headroom is left beside both.
        if (sun - 9_500.0_f64).abs() > 80.0 {
            let running: &[&str] = if sun > 9_500.0 { &["ev", "heater"] } else { &["ev"] };
            settles(&[without_max_power(ev()), heater()], sun, running);
        }
    }
}

#[test]
fn a_full_car_that_still_reports_running_holds_the_heater_up_until_the_window_is_full_of_it() {
    let full = || adjustable("ev", 1400.0, 0.0).high().running().drawing(0.0);
    let mut home = Home::new(vec![full(), plain("heater", 2000.0)]);
    home.sun = 3000.0;
    home.minutes(30);
    assert_eq!(home.log, ["12:00 start heater elected"]);
    settles(&[full(), plain("heater", 2000.0)], 3000.0, &["ev", "heater"]);
}

#[test]
fn when_the_sun_halves_only_the_less_important_of_two_stops() {
    let two = || vec![plain("boiler", 1500.0).high(), plain("pump", 1500.0)];
    after_the_sun_changes(two(), 3200.0, 60, 1600.0, 60, &["4:00 stop pump failing_criteria"]);
}

#[test]
fn after_export_two_records_of_import_stop_a_heater_that_keeps_at_nine_tenths() {
    let heater = plain("heater", 2000.0).criteria(1.0, 0.9);
    after_the_sun_changes(vec![heater], 2500.0, 13, -100.0, 10, &["2:00 stop heater failing_criteria"]);
}

#[test]
fn a_heater_that_starts_at_seven_tenths_settles_beside_a_car() {
    let home = || [ev().criteria(0.7, 0.5), plain("heater", 3500.0).criteria(0.7, 0.5)];
    settles(&home(), 10_300.0, &["ev"]);
    let undeclared = home().map(without_max_power);
    settles(&undeclared, 10_300.0, &["ev"]);
}

#[test]
fn night_tariff_criteria_settle_at_night() {
    let by_night =
        |appliance: Appliance| appliance.expressions("ratio >= 1 or now.hour < 7", "ratio >= 0.75 or now.hour < 7");
    let two = || vec![by_night(plain("boiler", 2000.0).high()), by_night(plain("heater", 1000.0))];
    let with_car = |draws| vec![by_night(ev().drawing(draws)), by_night(plain("heater", 2000.0))];
    for (appliances, running) in [
        (two(), ["boiler", "heater"]),
        // At night this car doesn't look for the sun: it draws what it can.
        (with_car(7400.0), ["ev", "heater"]),
    ] {
        let mut home = Home::at("2026-06-01T00:30:00Z", Settings::default(), appliances);
        home.sun = -300.0;
        home.steady(&[("net", 300.0)]);
        home.minutes(360);
        let last = home.log.last().unwrap();
        assert!(last.starts_with("1:00 start"), "it is still at it: {last}");
        assert_eq!(home.runs(), running);
    }
}

#[test]
fn a_dishwasher_that_draws_twice_its_power_makes_no_neighbour_toggle() {
    for sun in (1_000..=3_500).step_by(50).map(f64::from) {
        for priority in Priority::ALL {
            let dishwasher = plain("dishwasher", 800.0)
                .drawing(1600.0)
                .with(|registration| (registration.priority, registration.interruptible) = (priority, false));
            let heater = plain("heater", 1000.0).with(|registration| registration.priority = Priority::Medium);
            let mut home = Home::new(vec![dishwasher, heater]);
            home.sun = sun;
            home.minutes(120);
            // It starts the dishwasher, and learns only then what that draws: the heater may have to go, once.
            assert!(home.log.len() <= 3, "{sun} W of sun, {priority}: {:?}", home.log);
        }
    }
}

#[test]
fn a_charger_without_a_car_does_not_hold_the_boiler_up() {
    let charger = || adjustable("charger", 1400.0, 7400.0).high().deaf();
    let mut home = Home::new(vec![charger(), plain("boiler", 2000.0)]);
    home.sun = 2500.0;
    home.steady(&[("net", -2500.0)]);
    home.minutes(5);
    // Three starts stay unanswered, then it is the boiler's turn.
    let tries = ["1:00", "2:00", "3:00"].map(|time| format!("{time} start charger elected"));
    assert_eq!(home.log, [&tries[..], &["4:00 start boiler elected".into()]].concat());
    // It is asked again after ten minutes, then twenty, forty, …: the boiler gives way for one minute each time.
    let mut on = 0;
    for _ in 0..360 {
        home.minute();
        on += u32::from(home.runs().contains(&"boiler"));
    }
    assert!(on >= 350, "it ran {on} of 360 minutes: {:#?}", home.log);
    // With enough for both, nobody gives way.
    let mut home = Home::new(vec![charger(), plain("boiler", 2000.0)]);
    home.sun = 3800.0;
    home.steady(&[("net", -3800.0)]);
    home.minutes(180);
    let of_the_boiler: Vec<_> = home.log.iter().filter(|line| line.contains("boiler")).collect();
    assert_eq!(of_the_boiler, ["1:00 start boiler elected"]);
}
