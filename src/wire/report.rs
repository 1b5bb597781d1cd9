//! What Sunward tells (SPEC section 9): state, cycle and task reports as they stand on the wire.
//!
//! Refuses to decide when they are published.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

use crate::core::{Action, CycleReport, Decision, Skipped, TaskId, TaskView};
use crate::units::{Share, Watts};

/// `<base>/scheduler/state`.
#[derive(Debug, Serialize)]
pub struct State<'a> {
    /// `active`, `paused` or `no_data`.
    pub state: &'static str,
    /// A user paused it.
    pub paused: bool,
    /// Since when the state is what it is.
    pub since: String,
    /// Of the program.
    pub version: &'static str,
    /// The length of a cycle, as humantime writes it.
    pub cycle: String,
    /// How many tasks are registered.
    pub tasks: usize,
    /// How many messages were refused since the start.
    pub rejected: u64,
    /// The last of them.
    pub last_error: Option<&'a LastError>,
    /// What somebody should look at first: missing data, a warning, or a message refused within the last hour.
    pub problem: Option<String>,
    /// Standing problems in plain words.
    pub warnings: Vec<String>,
}

/// The last message that was refused.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LastError {
    /// Where it came.
    pub topic: String,
    /// What was wrong with it.
    pub error: String,
    /// When it came.
    pub time: String,
}

/// What started and what stopped last: kept from cycle to cycle, for those who come later.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Latest {
    #[serde(default)]
    last_started: Option<Change>,
    #[serde(default)]
    last_stopped: Option<Change>,
}

/// One start or stop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Change {
    task: String,
    name: String,
    rule: String,
    reason: String,
    time: String,
}

impl Latest {
    /// Takes in what a cycle did. `name`: what people call a task.
    pub fn note(&mut self, report: &CycleReport, name: impl Fn(&TaskId) -> Option<String>) {
        for Decision { task, action, rule, reason } in &report.decisions {
            let change = Change {
                task: task.to_string(),
                name: name(task).unwrap_or_else(|| task.to_string()),
                rule: rule.to_string(),
                reason: reason.clone(),
                time: time(report.time),
            };
            match action {
                Action::Start => self.last_started = Some(change),
                Action::Stop => self.last_stopped = Some(change),
            }
        }
    }
}

/// RFC 3339 in UTC with milliseconds.
#[must_use]
pub fn time(time: Timestamp) -> String {
    format!("{time:.3}")
}

/// `<base>/scheduler/cycle`; `record` is the newest one. `online_since` tells one run of Sunward from another.
#[must_use]
pub fn cycle<'a>(
    report: &CycleReport,
    record: impl Iterator<Item = (&'a str, Watts)>,
    latest: &Latest,
    online_since: Option<&str>,
) -> Value {
    let of = |action: Action| -> Vec<Value> {
        report.decisions.iter().filter(|decision| decision.action == action).map(decision).collect()
    };
    let record =
        report.source.map(|_| record.map(|(key, value)| (key.to_owned(), watts(value))).collect::<Map<_, _>>());
    serde_json::json!({
        "time": time(report.time),
        "skipped": report.skipped.map(|skipped| match skipped {
            Skipped::Paused => "paused",
            Skipped::NoRecord => "no_record",
        }),
        "source": report.source.map(crate::core::Source::as_str),
        "record": record,
        "started": of(Action::Start),
        "stopped": of(Action::Stop),
        "no_data": report.no_data,
        "task_power": report.consumption.map(|consumption| watts(consumption.power)),
        "task_ratio": report.consumption.and_then(|consumption| consumption.covered).map(ratio),
        "last_started": latest.last_started,
        "last_stopped": latest.last_stopped,
        "online_since": online_since,
    })
}

/// `<base>/task/<id>/report`.
#[must_use]
pub fn task(view: &TaskView) -> Value {
    serde_json::json!({
        "status": view.status.as_str(),
        "reason": view.reason,
        "ratio": view.ratio.map(ratio),
        "power": watts(view.power),
        "setpoint": view.setpoint.map(setpoint),
        "priority": view.priority.as_str(),
        "mode": view.mode.as_str(),
        "mode_until": view.mode_until.map(time),
        "held": view.hold.map(|(mode, until)| serde_json::json!({"mode": mode.as_str(), "until": time(until)})),
        "since": view.since.map(time),
        "rests_until": view.rests_until.map(time),
        "on_today": view.on_today.as_secs(),
        "starts_today": view.starts_today,
        "energy_today": (view.energy_today.0 * 1000.0).round() / 1000.0,
        "daily": view.daily.map(|daily| {
            serde_json::json!({"by": time(daily.by), "on_for": daily.ran.as_secs(), "settled": daily.settled})
        }),
        "unanswered": view.unanswered,
        "error": view.error,
    })
}

/// A set-point, as a task is told it: whole watts.
#[must_use]
pub fn setpoint(value: Watts) -> Value {
    watts(Watts(value.0.round()))
}

/// Whether a report of [`task`], maybe of an earlier run, says that it was running.
#[must_use]
pub fn was_running(report: &[u8]) -> bool {
    let report: Option<Value> = serde_json::from_slice(report).ok();
    report.is_some_and(|report| report["status"] == crate::core::Status::Running.as_str())
}

fn decision(decision: &Decision) -> Value {
    serde_json::json!({
        "task": decision.task.as_str(),
        "rule": decision.rule.as_str(),
        "reason": decision.reason,
    })
}

/// Two digits, rounded down.
fn ratio(ratio: Share) -> f64 {
    (ratio.0 * 100.0 + 1e-9).floor() / 100.0
}

/// To a tenth of a watt, and without a fraction where there is none.
fn watts(value: Watts) -> Value {
    let tenths = (value.0 * 10.0).round() / 10.0 + 0.0;
    #[expect(clippy::cast_possible_truncation, reason = "a power lies within ±10 MW")]
    if tenths.fract() == 0.0 {
        Value::Number(Number::from(tenths as i64))
    } else {
        Number::from_f64(tenths).map_or(Value::Null, Value::Number)
    }
}
