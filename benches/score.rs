//! How much of what perfect foresight could have done is done without: the recorded home with its car, dishwasher and
//! washing machine as tasks, each with what it drew on a day as that day's need.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

#[path = "../tests/it/bound.rs"]
mod bound;
#[path = "../tests/it/recorded_home.rs"]
mod recorded_home;

use std::time::Duration;

use sunward::replay::{Prices, replay, table};

use recorded_home::{EVENING, Score, contender};

fn main() {
    let (minute, hour) = (Duration::from_secs(60), Duration::from_secs(3600));
    for (name, cycle, criteria) in [
        ("defaults, a cycle a minute", minute, None),
        ("criteria for an evening's deadline, a cycle a minute", minute, Some(EVENING)),
        ("criteria for an evening's deadline, a cycle an hour", hour, Some(EVENING)),
    ] {
        let scenarios = replay(&[contender("2015-10-14", "2017-01-05", cycle, criteria)]);
        let score = Score::new(&scenarios);
        println!("{name}\n");
        table(&scenarios, &Prices::default(), std::io::stdout()).unwrap();
        let [consumed, by_sun] = [score.best_self_consumption, score.best_by_sun].map(|share| share * 100.0);
        println!("\nbest possible: self-consumption {consumed:.1} %, {by_sun:.1} % of the tasks by sun");
        for (scenario, closed, starts) in score.scenarios {
            println!("{scenario:<14} closes {:5.1} % of the gap, {starts:.2} starts per needed run", closed * 100.0);
        }
        println!();
    }
}
