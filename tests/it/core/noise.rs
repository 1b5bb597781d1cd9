//! Constant sun and a meter that errs by 50 W: random homes hardly switch any more once they have settled.

use sunward::core::Priority;

use super::{Appliance, Home, Lcg, adjustable, plain};

/// Ten tasks. Two are adjustable, with and without `max_power`, and able to take twice or four times their `power`.
fn random_home(seed: u64, keep: f64, sun: f64) -> Home {
    let mut random = Lcg(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03);
    for _ in 0..8 {
        random.uniform();
    }
    let appliances: Vec<Appliance> = (0..10)
        .map(|index| {
            let id = format!("t{index}");
            let power = (random.between(6.0, 60.0).round()) * 50.0;
            let task = if index % 5 == 0 {
                let task = adjustable(&id, power, power * random.one_of(&[2.0, 4.0]));
                let declared = random.one_of(&[true, false]);
                task.with(|registration| registration.max_power = registration.max_power.filter(|_| declared))
            } else {
                plain(&id, power)
            };
            let priority = random.one_of(&Priority::ALL);
            task.criteria(1.0, keep).with(|registration| registration.priority = priority)
        })
        .collect();
    let all: f64 = appliances.iter().map(|appliance| appliance.at_most).sum();
    let mut home = Home::new(appliances);
    home.sun = sun * all;
    home.noise = 50.0;
    home.random = random;
    home
}

/// How much of what all tasks together could take the sun gives.
const SUNS: [f64; 3] = [0.15, 0.4, 0.7];

/// Switches in the second hour: the average over 30 homes under each sun, and the worst home.
fn switches(keep: f64) -> (f64, usize) {
    let homes = (1..=30).flat_map(|seed| SUNS.map(|sun| (seed, sun)));
    let switches: Vec<usize> = homes
        .map(|(seed, sun)| {
            let mut home = random_home(seed, keep, sun);
            home.minutes(60);
            let first_hour = home.log.len();
            home.minutes(60);
            home.log.len() - first_hour
        })
        .collect();
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let average = switches.iter().sum::<usize>() as f64 / switches.len() as f64;
    (average, switches.into_iter().max().unwrap())
}

#[track_caller]
fn check(keep: f64, average_below: f64, worst: usize) {
    let (average, worst_home) = switches(keep);
    assert!(average < average_below, "{average:.2} on average, {worst_home} in the worst home");
    assert!(worst_home <= worst, "{average:.2} on average, {worst_home} in the worst home");
}

#[test]
fn with_the_default_criteria_hardly_anything_is_switched_in_the_second_hour() {
    check(0.75, 0.3, 3);
}

#[test]
fn with_a_close_keep_little_is_switched_in_the_second_hour() {
    check(0.9, 1.0, 10);
}
