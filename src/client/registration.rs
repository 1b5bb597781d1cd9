//! The JSON of a task: its registration and its state (`docs/mqtt.md`, *A task*). Only what is set is written.
//!
//! Nothing is checked here: the scheduler does, and its report says what is wrong.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::units::{Watts, duration};
use crate::wire::CriterionSource as Criterion;

/// `<base>/task/<id>/config`. Begin with [`Registration::new`] and set what differs from the defaults.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Registration {
    /// Shown to people; the id if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its place in the order of tasks; low if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// The largest minimal power to start and run the appliance.
    pub power: Watts,
    /// What it can use at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_power: Option<Watts>,
    /// Its circuits in a power record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    /// It uses more power by itself if there is some; `power` is then its minimum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_adjust: Option<bool>,
    /// Which share of its power must be covered by local production; `scheduler.criteria` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub criteria: Option<Criteria>,
    /// What the command to start says; `start` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_on: Option<String>,
    /// What the command to stop says; `stop` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_off: Option<String>,
    /// State older than this: unreachable; `scheduler.task_expire_after` if it has no availability either.
    #[serde(default, with = "duration::option", skip_serializing_if = "Option::is_none")]
    pub expire_after: Option<Duration>,
    /// Once started it runs for at least this long.
    #[serde(default, with = "duration::option", skip_serializing_if = "Option::is_none")]
    pub min_on: Option<Duration>,
    /// Once stopped it rests for at least this long.
    #[serde(default, with = "duration::option", skip_serializing_if = "Option::is_none")]
    pub min_off: Option<Duration>,
    /// It must run for a while each day, sun or no sun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily: Option<Daily>,
    /// How to see that it has had enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<Finished>,
    /// `false`: once it runs, it isn't stopped before it has finished; `true` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interruptible: Option<bool>,
    /// For how long a switch by hand is left as it is; not at all if absent.
    #[serde(default, with = "duration::option", skip_serializing_if = "Option::is_none")]
    pub manual_hold: Option<Duration>,
    /// What happens to it when no power record arrives; it is stopped if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_no_data: Option<OnNoData>,
    /// It stops by itself when no start has come for this long: its start is repeated in time.
    #[serde(default, with = "duration::option", skip_serializing_if = "Option::is_none")]
    pub lease: Option<Duration>,
    /// Set-points are sent only when they move by this much; 50 W if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setpoint_step: Option<Watts>,
}

impl Registration {
    /// Returns a registration with the one field that is required.
    #[must_use]
    pub fn new(power: Watts) -> Self {
        Self { power, ..Self::default() }
    }
}

/// The order of tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// 1
    Low,
    /// 2
    Medium,
    /// 3
    High,
    /// 4
    Urgent,
}

/// When to start and how long to keep: a number `x` is short for `ratio >= x`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Criteria {
    /// Asked while it is stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Criterion>,
    /// Asked while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<Criterion>,
}

/// A daily run time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Daily {
    /// For how long it must run.
    #[serde(with = "duration")]
    pub on_for: Duration,
    /// By when: `"HH:MM"`, local time.
    pub by: String,
    /// It never runs longer than this.
    #[serde(default, with = "duration::option", skip_serializing_if = "Option::is_none")]
    pub max: Option<Duration>,
}

/// A tank that is full, a wash that is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finished {
    /// It uses less than this …
    pub below: Watts,
    /// … for this long,
    #[serde(rename = "for", with = "duration")]
    pub for_: Duration,
    /// and then it rests for this long.
    #[serde(with = "duration")]
    pub rest: Duration,
}

/// What happens to a task when no power record arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnNoData {
    /// It is stopped.
    Stop,
    /// It keeps running.
    Keep,
}

/// `<base>/task/<id>/state`. Begin with [`State::running`] and set what there is to tell.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct State {
    /// The appliance is on.
    pub running: bool,
    /// It could be started; it can if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runnable: Option<bool>,
    /// It could be stopped; as its registration says (`interruptible`) if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stoppable: Option<bool>,
    /// Overrides the registration while present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// Overrides the registration while present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power: Option<Watts>,
    /// Overrides the registration while present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_power: Option<Watts>,
    /// Overrides the registration while present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_adjust: Option<bool>,
    /// Overrides the registration while present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<Vec<String>>,
    /// What it uses now, for tasks that measure themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Watts>,
    /// What people may read; `state.desc` in criteria.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desc: Option<String>,
    /// The task's own answer instead of its criteria.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meets_criteria: Option<bool>,
    /// Anything else; criteria see it as `state.<field>`.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl State {
    /// Returns a state with the one field that is required.
    #[must_use]
    pub fn running(running: bool) -> Self {
        Self { running, ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_set_is_written() {
        let json = serde_json::to_value(Registration::new(Watts(2000.0))).unwrap();
        assert_eq!(json, json!({"power": 2000.0}));
        assert_eq!(serde_json::to_value(State::running(true)).unwrap(), json!({"running": true}));
    }

    #[test]
    fn every_field_is_written_as_the_scheduler_reads_it() {
        let all = json!({
            "name": "Car", "priority": "high", "power": 1400.0, "max_power": 11000.0, "keys": ["ev"],
            "auto_adjust": true, "criteria": {"start": 0.9, "keep": "ratio > 0.5"}, "payload_on": "1",
            "payload_off": "0", "expire_after": "5m", "min_on": "1m", "min_off": "30s",
            "daily": {"on_for": "2h", "by": "06:30", "max": "8h"},
            "finished": {"below": 20.0, "for": "10m", "rest": "12h"}, "interruptible": false, "manual_hold": "2h",
            "on_no_data": "keep", "lease": "5m", "setpoint_step": 100.0
        });
        let read: Registration = serde_json::from_value(all.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), all);
        let state = json!({"running": false, "runnable": true, "usage": 3.0, "soc": 55});
        let read: State = serde_json::from_value(state.clone()).unwrap();
        assert_eq!(read.other["soc"], json!(55));
        assert_eq!(serde_json::to_value(&read).unwrap(), state);
    }
}
