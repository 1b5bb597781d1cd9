//! The homes that are scored: one whose appliances were recorded, and one that got them from habits. `tests/data/SOURCES.md`
//! says whose records they are.

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::sync::Arc;
use std::time::Duration;

use flate2::bufread::GzDecoder;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use sunward::core::{Criteria, Criterion, Settings};
use sunward::replay::{self, Contender, Format, History, PlannedTask, RecordedHome, Scenario};

use crate::bound::most_by_sun;
use crate::habits;

/// What the docs recommend for a task that has to run by an evening or a night.
pub(crate) const RECOMMENDED: [&str; 2] =
    ["ratio >= 0.9 or (now.hour >= 13 and ratio >= 0.4)", "ratio >= 0.4 or (now.hour >= 13 and ratio >= 0.2)"];

/// Every minute it is decided.
pub(crate) const MINUTE: Duration = Duration::from_secs(60);

/// A record and the tasks in it.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) history: Arc<History>,
    pub(crate) time_zone: TimeZone,
    pub(crate) tasks: Vec<Value>,
}

impl Place {
    /// A home near Konstanz: hours, with the circuits of a car and two machines, each day's use due at midnight.
    pub(crate) fn konstanz(from: &str, to: &str) -> Self {
        let tasks = vec![
            json!({"id": "ev", "power": 1400, "max_power": 3700, "auto_adjust": true, "by": "00:00"}),
            json!({"id": "dishwasher", "power": 800, "interruptible": false, "by": "00:00"}),
            json!({"id": "washing_machine", "power": 800, "interruptible": false, "by": "00:00"}),
        ];
        Self::new(&unpacked("opsd_residential4_60min.csv.gz"), [from, to], "Europe/Berlin", tasks)
    }

    /// The home of EMHASS: half hours of sun and base load, and what people with habits add to it.
    pub(crate) fn emhass(from: &str, to: &str) -> Self {
        Self::with_habits(&unpacked("emhass_30min.csv.gz"), 1800, [from, to], "Europe/Paris", 1)
    }

    /// A record of sun and base load with the appliances of people who have habits.
    pub(crate) fn with_habits(record: &str, seconds: i64, dates: [&str; 2], time_zone: &str, seed: u64) -> Self {
        let lived = habits::lived(record, seconds, &TimeZone::get(time_zone).unwrap(), seed);
        Self::new(&lived, dates, time_zone, habits::tasks().to_vec())
    }

    fn new(text: &str, dates: [&str; 2], time_zone: &str, tasks: Vec<Value>) -> Self {
        let time_zone = TimeZone::get(time_zone).unwrap();
        let [from, to] = dates.map(|date| {
            let date: Date = date.parse().unwrap();
            Some(date.to_zoned_datetime(time_zone.clone()).unwrap().timestamp())
        });
        let history = replay::read(text.as_bytes(), &Format { from, to, ..Format::default() }).unwrap();
        Self { history: Arc::new(history), time_zone, tasks }
    }

    /// Sunward in this home, with criteria of its tasks' own or the defaults.
    pub(crate) fn contender(&self, name: &str, cycle: Duration, criteria: Option<[&str; 2]>) -> Contender {
        let own = criteria.map_or(Criteria::default(), |criteria| {
            let [start, keep] = criteria.map(|source| Criterion::expression(source).unwrap());
            Criteria { start, keep }
        });
        let task = |task: &Value| PlannedTask::read(task.as_object().unwrap(), &[], &own).unwrap();
        let tasks = self.tasks.iter().map(task).collect();
        Contender {
            name: name.into(),
            settings: Settings { time_zone: self.time_zone.clone(), ..Settings::default() },
            cycle,
            home: Arc::new(RecordedHome::new(self.history.clone(), tasks, self.time_zone.clone()).unwrap()),
        }
    }

    /// What scenarios are worth here.
    pub(crate) fn score(&self, scenarios: &[Scenario]) -> Score {
        let recorded = scenarios[0].totals();
        let tasks = recorded.together();
        let gap = most_by_sun(scenarios[0].home(), &self.time_zone) - tasks.covered;
        let of = |scenario: &Scenario| {
            let (energy, tasks) = (scenario.totals().energy, scenario.totals().together());
            // What is left undone is no gain: it will have to come from the grid.
            let gained = recorded.energy.import - energy.import - tasks.left;
            #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
            let starts = tasks.starts as f64 / tasks.needed as f64;
            Worth {
                name: scenario.name.clone(),
                by_sun: (recorded.together().covered + gained) / recorded.together().energy,
                closed: gained / gap,
                starts,
                missed: tasks.missed,
            }
        };
        Score {
            best_self_consumption: (recorded.energy.self_consumed() + gap) / recorded.energy.solar,
            best_by_sun: (tasks.covered + gap) / tasks.energy,
            scenarios: scenarios.iter().map(of).collect(),
        }
    }
}

/// What scenarios are worth, between the record and perfect foresight.
#[derive(Debug)]
pub(crate) struct Score {
    /// Of the best possible.
    pub(crate) best_self_consumption: f64,
    /// Of the best possible: the share of what the tasks need that the sun pays for.
    pub(crate) best_by_sun: f64,
    pub(crate) scenarios: Vec<Worth>,
}

/// What one scenario is worth.
#[derive(Debug)]
pub(crate) struct Worth {
    pub(crate) name: String,
    /// The share of what the tasks need that the sun pays for.
    pub(crate) by_sun: f64,
    /// Part of the gap that is closed.
    pub(crate) closed: f64,
    /// By needed run.
    pub(crate) starts: f64,
    /// Deadlines.
    pub(crate) missed: usize,
}

fn unpacked(name: &str) -> String {
    let mut text = String::new();
    let path = format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"));
    GzDecoder::new(BufReader::new(File::open(path).unwrap())).read_to_string(&mut text).unwrap();
    text
}
