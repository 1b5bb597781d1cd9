//! `<base>/task/<id>/report`: how the scheduler sees a task.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::lenient;
use super::parsed::Parsed;
use super::{number, seconds, time};
use crate::core::{DailyView, Mode, Priority, Status, TaskView};
use crate::units::{KilowattHours, Share, Watts};

/// `<base>/task/<id>/report`, as `docs/mqtt.md` has it. The default is what a message without any field says.
// The fields stand in the order of the wire.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TaskReport {
    /// How the current period of its daily run time stands; `None`: it has no daily run time.
    #[serde(deserialize_with = "lenient::or_default")]
    pub daily: Option<DailyReport>,
    /// What it used since local midnight, as of the last cycle.
    #[serde(serialize_with = "number::kilowatt_hours", deserialize_with = "lenient::or_default")]
    pub energy_today: KilowattHours,
    /// Why its last registration or state was refused.
    #[serde(deserialize_with = "lenient::or_default")]
    pub error: Option<String>,
    /// A switch by hand that is held.
    #[serde(deserialize_with = "lenient::or_default")]
    pub held: Option<HeldMode>,
    /// The mode that a user set.
    pub mode: Parsed<Mode>,
    /// When that mode ends; `None`: when it is set again.
    #[serde(serialize_with = "time::option_milliseconds", deserialize_with = "lenient::or_default")]
    pub mode_until: Option<Timestamp>,
    /// Run time since local midnight, as of the last cycle; whole seconds on the wire.
    #[serde(with = "seconds")]
    pub on_today: Duration,
    /// What it uses according to the latest record.
    #[serde(serialize_with = "number::watts", deserialize_with = "lenient::or_default")]
    pub power: Watts,
    /// The priority in force.
    pub priority: Parsed<Priority>,
    /// The covered share of a running task, or what a stopped one would get; `None` if it was not judged.
    #[serde(serialize_with = "number::option_ratio", deserialize_with = "lenient::or_default")]
    pub ratio: Option<Share>,
    /// Why it runs, or what it waits for.
    #[serde(deserialize_with = "lenient::or_default")]
    pub reason: String,
    /// The end of its rest; `None`: it doesn't rest.
    #[serde(serialize_with = "time::option_milliseconds", deserialize_with = "lenient::or_default")]
    pub rests_until: Option<Timestamp>,
    /// The set-point in force; `None`: it has none; whole watts on the wire.
    #[serde(serialize_with = "number::option_whole_watts", deserialize_with = "lenient::or_default")]
    pub setpoint: Option<Watts>,
    /// When it last started or stopped; `None`: that was not seen.
    #[serde(serialize_with = "time::option_milliseconds", deserialize_with = "lenient::or_default")]
    pub since: Option<Timestamp>,
    /// Starts since local midnight.
    #[serde(deserialize_with = "lenient::or_default")]
    pub starts_today: u32,
    /// Its status.
    pub status: Parsed<Status>,
    /// Starts that it did not follow.
    #[serde(deserialize_with = "lenient::or_default")]
    pub unanswered: u32,
}

/// A mode that somebody set by hand, at the appliance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeldMode {
    /// `on` or `off`.
    pub mode: Parsed<Mode>,
    /// Until when it is held.
    #[serde(serialize_with = "time::milliseconds")]
    pub until: Timestamp,
}

/// The current period of a daily run time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DailyReport {
    /// The end of the period.
    #[serde(serialize_with = "time::milliseconds")]
    pub by: Timestamp,
    /// How long the task ran in it; whole seconds on the wire.
    #[serde(with = "seconds")]
    pub on_for: Duration,
    /// Whether `finished` has settled what it owed.
    pub settled: bool,
}

impl TaskReport {
    /// Whether the task ran when this was written; `None`: nobody knew.
    #[must_use]
    pub fn running(&self) -> Option<bool> {
        match self.status.value()? {
            Status::Running => Some(true),
            Status::Stopped | Status::Unrunnable => Some(false),
            Status::Unreachable | Status::Invalid => None,
        }
    }
}

impl From<&TaskView> for TaskReport {
    fn from(view: &TaskView) -> Self {
        Self {
            daily: view.daily.map(DailyReport::from),
            energy_today: view.energy_today,
            error: view.error.clone(),
            held: view.hold.map(|(mode, until)| HeldMode { mode: mode.into(), until }),
            mode: view.mode.into(),
            mode_until: view.mode_until,
            on_today: view.on_today,
            power: view.power,
            priority: view.priority.into(),
            ratio: view.ratio,
            reason: view.reason.clone(),
            rests_until: view.rests_until,
            setpoint: view.setpoint,
            since: view.since,
            starts_today: view.starts_today,
            status: view.status.into(),
            unanswered: view.unanswered,
        }
    }
}

impl From<DailyView> for DailyReport {
    fn from(daily: DailyView) -> Self {
        Self { by: daily.by, on_for: daily.ran, settled: daily.settled }
    }
}

impl From<DailyReport> for DailyView {
    fn from(daily: DailyReport) -> Self {
        Self { by: daily.by, ran: daily.on_for, settled: daily.settled }
    }
}
