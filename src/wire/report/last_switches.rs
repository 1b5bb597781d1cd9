//! What started and what stopped last: kept from cycle to cycle, for those who come later.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::parsed::Parsed;
use crate::core::{Action, CycleReport, Decision, Rule, TaskId};

/// `last_started` and `last_stopped` of [`SchedulerCycle`](super::scheduler_cycle::SchedulerCycle). The default: none is
/// known.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LastSwitches {
    /// The last start.
    #[serde(default)]
    pub last_started: Option<LastSwitch>,
    /// The last stop.
    #[serde(default)]
    pub last_stopped: Option<LastSwitch>,
}

/// One start or stop that Sunward decided.
// The fields stand in the order of the wire.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LastSwitch {
    /// What people call the task.
    pub name: String,
    /// Why, in one sentence with the numbers that decided it.
    pub reason: String,
    /// The rule behind it.
    pub rule: Parsed<Rule>,
    /// The task's id.
    pub task: String,
    /// The time of the cycle.
    pub time: Parsed<Timestamp>,
}

impl LastSwitches {
    /// Takes in what a cycle decided. `name` returns what people call a task; the id stands in where it returns `None`.
    pub fn note(&mut self, report: &CycleReport, name: impl Fn(&TaskId) -> Option<String>) {
        for Decision { task, action, rule, reason } in &report.decisions {
            let switch = LastSwitch {
                name: name(task).unwrap_or_else(|| task.to_string()),
                reason: reason.clone(),
                rule: (*rule).into(),
                task: task.to_string(),
                time: report.time.into(),
            };
            match action {
                Action::Start => self.last_started = Some(switch),
                Action::Stop => self.last_stopped = Some(switch),
            }
        }
    }
}
