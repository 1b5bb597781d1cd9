//! The recorded home, as it is scored.

use std::fs::File;
use std::io::BufReader;
use std::sync::Arc;
use std::time::Duration;

use flate2::bufread::GzDecoder;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use sunward::replay::{self, Contender, Format, Home, PlannedTask, Scenario};
use sunward::scheduler::{Criteria, Criterion, Settings};

use crate::bound::most_by_sun;

/// What suits a need that is due in the evening: sun alone while there is time, and from noon on what there is of it.
pub(crate) const EVENING: [&str; 2] =
    ["ratio >= 0.9 or (now.hour >= 13 and ratio >= 0.3)", "ratio >= 0.7 or (now.hour >= 13 and ratio >= 0.2)"];

/// Sunward on these days, with criteria of the tasks' own or the defaults.
pub(crate) fn contender(from: &str, to: &str, cycle: Duration, criteria: Option<[&str; 2]>) -> Contender {
    let time_zone = TimeZone::get("Europe/Berlin").unwrap();
    let midnight = |date: &str| {
        let date: Date = date.parse().unwrap();
        Some(date.to_zoned_datetime(time_zone.clone()).unwrap().timestamp())
    };
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/opsd_residential4_60min.csv.gz");
    let text = GzDecoder::new(BufReader::new(File::open(path).unwrap()));
    let history = replay::read(text, &Format { from: midnight(from), to: midnight(to), ..Format::default() }).unwrap();
    let tasks = [
        json!({"id": "ev", "power": 1400, "max_power": 3700, "auto_adjust": true, "by": "00:00"}),
        json!({"id": "dishwasher", "power": 800, "interruptible": false, "by": "00:00"}),
        json!({"id": "washing_machine", "power": 800, "interruptible": false, "by": "00:00"}),
    ];
    let own = criteria.map_or(Criteria::default(), |criteria| {
        let [start, keep] = criteria.map(|source| Criterion::expression(source).unwrap());
        Criteria { start, keep }
    });
    let task = |task: &Value| PlannedTask::read(task.as_object().unwrap(), &[], &own).unwrap();
    let home = Home::new(Arc::new(history), tasks.iter().map(task).collect(), time_zone.clone()).unwrap();
    Contender {
        name: "Sunward".into(),
        settings: Settings { time_zone, ..Settings::default() },
        cycle,
        home: Arc::new(home),
    }
}

/// What scenarios are worth, between the record and perfect foresight.
#[derive(Debug)]
pub(crate) struct Score {
    /// Of the best possible.
    pub(crate) best_self_consumption: f64,
    /// Of the best possible: the share of what the tasks need that the sun pays for.
    pub(crate) best_by_sun: f64,
    /// Name, part of the gap that is closed, starts per needed run.
    pub(crate) scenarios: Vec<(String, f64, f64)>,
}

impl Score {
    pub(crate) fn new(scenarios: &[Scenario]) -> Self {
        let recorded = scenarios[0].ledger();
        let tasks = recorded.together();
        let gap = most_by_sun(scenarios[0].home()) - tasks.covered;
        let of = |scenario: &Scenario| {
            let (energy, tasks) = (scenario.ledger().energy, scenario.ledger().together());
            // What is left undone is no gain: it will have to come from the grid.
            let closed = (recorded.energy.import - energy.import - tasks.left) / gap;
            #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
            let starts = tasks.starts as f64 / tasks.needed as f64;
            (scenario.name.clone(), closed, starts)
        };
        Self {
            best_self_consumption: (recorded.energy.self_consumed() + gap) / recorded.energy.solar,
            best_by_sun: (tasks.covered + gap) / tasks.energy,
            scenarios: scenarios.iter().map(of).collect(),
        }
    }
}
