//! Where the rest to the best possible is lost: the days of the home near Konstanz, by what of their need the sun could
//! have paid for, and what foresight does with appliances that are what they are.

use jiff::civil::Date;
use sunward::replay::{RecordedHome, replay};

use crate::bound::most_by_sun;
use crate::homes::{MINUTE, Place, RECOMMENDED};

/// The appliances start and stop at multiples of a quarter of an hour.
const SLOTS: usize = 4;

const CAR: (f64, f64) = (1400.0, 3700.0);
const MACHINE: f64 = 800.0;

/// Kinds of days: up to which share of their need the sun could have paid for.
const KINDS: [(&str, f64); 3] =
    [("none of the need", 0.05), ("a part of the need", 0.999), ("all of the need", f64::INFINITY)];

/// Prints it, in kilowatt-hours.
pub(crate) fn tell([from, to]: [&str; 2]) {
    let (mut day, end): (Date, Date) = (from.parse().unwrap(), to.parse().unwrap());
    let mut kinds = [[0.0; 6]; KINDS.len()];
    while day < end {
        let next = day.tomorrow().unwrap();
        let place = Place::konstanz(&day.to_string(), &next.to_string());
        let criteria = [None, Some(RECOMMENDED)];
        let scenarios = replay(&criteria.map(|criteria| place.contender("Sunward", MINUTE, criteria)));
        let need = scenarios[0].totals().together().energy;
        if need > 0.0 {
            let home = scenarios[0].home();
            let bound = most_by_sun(home, &place.time_zone);
            let [_, _, default, recommended] = &place.score(&scenarios).scenarios[..] else { panic!("four ways") };
            let kind = KINDS.iter().position(|(_, up_to)| bound / need < *up_to).unwrap();
            let sums =
                [1000.0, need, bound, with_real_appliances(home), default.by_sun * need, recommended.by_sun * need];
            kinds[kind].iter_mut().zip(sums).for_each(|(sum, energy)| *sum += energy / 1000.0);
        }
        day = next;
    }
    println!(
        "{:<28}{:>8}{:>8}{:>8}{:>8}{:>9}{:>13}",
        "the sun could have paid for", "days", "need", "bound", "real", "default", "recommended"
    );
    for ((name, _), [days, need, bound, real, default, recommended]) in KINDS.iter().zip(kinds) {
        println!("{name:<28}{days:>8.0}{need:>8.1}{bound:>8.1}{real:>8.1}{default:>9.1}{recommended:>13.1}");
    }
}

/// What of a day's needs the sun pays for if everything is known, and a machine draws its power in one piece and a car its
/// least. Every pair of the machines' starts is tried; the car then takes the slots with the most sun.
fn with_real_appliances(home: &RecordedHome) -> f64 {
    let history = home.history();
    let export = |row| home.row(row).map_or(0.0, |(base, _)| base.export().0);
    let sun: Vec<f64> = (0..history.rows()).flat_map(|row| [export(row); SLOTS]).collect();
    let need = |id: &str| {
        let task = home.tasks().position(|task| task.id.as_str() == id).unwrap();
        home.needs(task).map(|(_, need)| need).sum::<f64>() * SLOTS as f64
    };
    let [dishes, laundry] = ["dishwasher", "washing_machine"].map(|id| runs(need(id), sun.len()));
    let car = need("ev");
    let pairs = dishes.iter().flat_map(|one| laundry.iter().map(move |other| (one, other)));
    let best = pairs.map(|(one, other)| {
        let drawn: Vec<f64> = one.iter().zip(other).map(|(one, other)| one + other).collect();
        let by_sun: f64 = drawn.iter().zip(&sun).map(|(drawn, sun)| drawn.min(*sun)).sum();
        by_sun + charged(car, drawn.iter().zip(&sun).map(|(drawn, sun)| (sun - drawn).max(0.0)))
    });
    best.fold(0.0, f64::max) / SLOTS as f64
}

/// Every way in which a machine can run: watts by slot.
fn runs(need: f64, slots: usize) -> Vec<Vec<f64>> {
    let run = |begin: usize| {
        let mut left = need;
        let power = |slot| {
            let drawn = if slot < begin { 0.0 } else { left.min(MACHINE) };
            left -= drawn;
            drawn
        };
        let powers: Vec<f64> = (0..slots).map(power).collect();
        (left <= 0.0).then_some(powers)
    };
    (0..if need > 0.0 { slots } else { 1 }).filter_map(run).collect()
}

/// What the sun pays for of a car's charge, in the slots in which it pays for most.
fn charged(need: f64, sun: impl Iterator<Item = f64>) -> f64 {
    let mut slots: Vec<(f64, f64)> = sun.map(|sun| (sun, sun.clamp(CAR.0, CAR.1))).collect();
    slots.sort_unstable_by(|a, b| (b.0 / b.1).min(1.0).total_cmp(&(a.0 / a.1).min(1.0)));
    let mut left = need;
    let mut by_sun = 0.0;
    for (sun, taken) in slots {
        let part = (left / taken).min(1.0);
        by_sun += sun.min(taken) * part;
        left -= taken * part;
    }
    by_sun
}
