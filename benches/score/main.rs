//! How much of what perfect foresight could have done is done without: two recorded homes and two made-up ones, under the
//! default criteria and under those that the docs recommend; and where the rest is lost.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

#[path = "../../tests/it/bound.rs"]
mod bound;
#[path = "../../tests/it/habits.rs"]
mod habits;
#[path = "../../tests/it/homes.rs"]
mod homes;
mod lost;

use std::fmt::Write as _;
use std::time::Duration;

use jiff::ToSpan as _;
use jiff::tz::TimeZone;
use sunward::replay::{Prices, replay, table};
use sunward::simulate::SimulatedHome;
use sunward::sun::{Panels, Site};
use sunward::units::Watts;

use homes::{MINUTE, Place, RECOMMENDED};

/// Begin and end of the times that are scored.
const KONSTANZ: [&str; 2] = ["2015-10-14", "2017-01-05"];
const EMHASS: [&str; 2] = ["2024-02-29", "2025-02-28"];

/// An example of more eager numbers.
const EAGER: [&str; 2] = ["ratio >= 0.7", "ratio >= 0.5"];

fn main() {
    let konstanz = Place::konstanz(KONSTANZ[0], KONSTANZ[1]);
    score("Konstanz, hours", &konstanz, MINUTE);
    score("Konstanz, decided once an hour", &konstanz, Duration::from_secs(3600));
    score("EMHASS, half hours", &Place::emhass(EMHASS[0], EMHASS[1]), MINUTE);
    for seed in [1, 2] {
        score(&format!("simulated, minutes, seed {seed}"), &simulated(seed), MINUTE);
    }
    lost::tell(KONSTANZ);
}

fn score(title: &str, place: &Place, cycle: Duration) {
    let contender = |name, criteria| place.contender(name, cycle, criteria);
    let contenders =
        [contender("default", None), contender("0.7 / 0.5", Some(EAGER)), contender("recommended", Some(RECOMMENDED))];
    let scenarios = replay(&contenders);
    let score = place.score(&scenarios);
    println!("{title}\n");
    table(&scenarios, &Prices::default(), std::io::stdout()).unwrap();
    let [consumed, by_sun] = [score.best_self_consumption, score.best_by_sun].map(|share| share * 100.0);
    println!("\nbest possible: self-consumption {consumed:.1} %, {by_sun:.1} % of the tasks by sun");
    for worth in score.scenarios {
        let [by_sun, closed] = [worth.by_sun, worth.closed].map(|share| share * 100.0);
        println!(
            "{:<14} {by_sun:5.1} % by sun, closes {closed:5.1} % of the gap, {:.2} starts per needed run, {} deadlines missed",
            worth.name, worth.starts, worth.missed
        );
    }
    println!();
}

/// A year under the demo's roof and clouds.
fn simulated(seed: u64) -> Place {
    let panels = |azimuth| Panels { azimuth, tilt: 30.0, peak_power: Watts(3500.0) };
    let site = Site { latitude: 52.5, longitude: 13.4, panels: vec![panels(120.0), panels(210.0)] };
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let mut home = SimulatedHome::new(seed, site, zone, "2026-01-01T00:00:00+01:00".parse().unwrap());
    let mut text = String::from("time,net,solar\n");
    for _ in 0..365 * 24 * 60 {
        let begin = home.now();
        let flows = home.advance(begin + 1.minutes());
        writeln!(text, "{begin},{:.1},{:.1}", (flows.base - flows.solar).0, flows.solar.0).unwrap();
    }
    Place::with_habits(&text, 60, ["2026-01-01", "2027-01-01"], "Europe/Berlin", seed)
}
