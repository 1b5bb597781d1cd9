//! `<base>/scheduler/cycle`: what the last cycle saw and decided.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::last_switches::LastSwitches;
use super::parsed::Parsed;
use super::{number, time};
use crate::core::{Action, CycleReport, Decision, Rule, Skipped, Source};
use crate::units::{Quantity, Share, Watts};

/// `<base>/scheduler/cycle`, as `docs/mqtt.md` has it. The default is what a message without any field says.
// The fields stand in the order of the wire.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SchedulerCycle {
    /// `last_started` and `last_stopped`.
    #[serde(flatten)]
    pub last_switches: LastSwitches,
    /// Records are missing, during a pause too.
    pub no_data: bool,
    /// Since when this run of Sunward is online: it tells one Sunward from another.
    #[serde(serialize_with = "time::option_milliseconds")]
    pub online_since: Option<Timestamp>,
    /// The record by key; `None` without a `source`.
    #[serde(serialize_with = "number::record")]
    pub record: Option<BTreeMap<String, Quantity>>,
    /// Why the rules were not asked; `None`: they were.
    pub skipped: Option<Parsed<Skipped>>,
    /// Where the record came from; `None`: there was none.
    pub source: Option<Parsed<Source>>,
    /// What was started.
    pub started: Vec<DecisionReport>,
    /// What was stopped.
    pub stopped: Vec<DecisionReport>,
    /// What all tasks used according to the record, each circuit once; `None` without a record.
    #[serde(serialize_with = "number::option_watts")]
    pub task_power: Option<Watts>,
    /// How much of that was not imported; `None` if nothing was used.
    #[serde(serialize_with = "number::option_ratio")]
    pub task_ratio: Option<Share>,
    /// When the cycle ran.
    pub time: Parsed<Timestamp>,
}

/// One start or stop of a cycle.
// The fields stand in the order of the wire.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DecisionReport {
    /// Why, in one sentence with the numbers that decided it.
    pub reason: String,
    /// The rule behind it.
    pub rule: Parsed<Rule>,
    /// The task's id.
    pub task: String,
}

impl SchedulerCycle {
    /// The message about a cycle. `record` is the newest record, by key; it counts only if the cycle had one. `online_since`
    /// is when this run of Sunward went online.
    #[must_use]
    pub fn new<'a>(
        report: &CycleReport,
        record: impl Iterator<Item = (&'a str, Quantity)>,
        last_switches: LastSwitches,
        online_since: Option<Timestamp>,
    ) -> Self {
        let decisions = |action: Action| -> Vec<DecisionReport> {
            report.decisions.iter().filter(|decision| decision.action == action).map(DecisionReport::from).collect()
        };
        Self {
            last_switches,
            no_data: report.no_data,
            online_since,
            record: report.source.map(|_| record.map(|(key, value)| (key.to_owned(), value)).collect()),
            skipped: report.skipped.map(Parsed::Value),
            source: report.source.map(Parsed::Value),
            started: decisions(Action::Start),
            stopped: decisions(Action::Stop),
            task_power: report.consumption.map(|consumption| consumption.power),
            task_ratio: report.consumption.and_then(|consumption| consumption.covered),
            time: report.time.into(),
        }
    }
}

impl From<&Decision> for DecisionReport {
    fn from(decision: &Decision) -> Self {
        Self { reason: decision.reason.clone(), rule: decision.rule.into(), task: decision.task.to_string() }
    }
}
