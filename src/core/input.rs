//! Everything that can happen to the scheduler: one closed list.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

use crate::core::{Instant, Mode, Priority, Registration, TaskId, TaskState};
use crate::units::Watts;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A record arrived.
    Power {
        /// Who measured it.
        source: Source,
        /// Key and value, as far as values were numbers. In watts.
        values: Vec<(String, Watts)>,
        /// When it was measured, if it says so.
        measured: Option<Timestamp>,
    },
    /// A sensor measured one value, or it was derived from others.
    Sensed(Sensed),
    /// A task announced itself.
    Registered(TaskId, Box<Registration>),
    /// A registration was refused, with the reason that names the field.
    RegistrationRefused(TaskId, String),
    /// A task took its registration back.
    Unregistered(TaskId),
    /// A task said how it is.
    State(TaskId, Box<TaskState>),
    /// A state could not be read, with the reason.
    StateRefused(TaskId, String),
    /// The state was cleared from the broker.
    StateCleared(TaskId),
    /// A task's availability: online, offline, or cleared.
    Availability(TaskId, Option<bool>),
    /// The connection is back that was lost at this moment: since then nobody could be heard.
    Reconnected(Instant),
    /// A user's command.
    Command(Command),
    /// A user sets a task's mode, for so long or until it is set again.
    Mode(TaskId, Mode, Option<Duration>),
    /// A user sets a task's priority; none: the task's own counts again.
    Priority(TaskId, Option<Priority>),
}

impl Event {
    /// The task that it is about.
    pub(crate) fn task(&self) -> Option<&TaskId> {
        match self {
            Self::Registered(id, _)
            | Self::RegistrationRefused(id, _)
            | Self::Unregistered(id)
            | Self::State(id, _)
            | Self::StateRefused(id, _)
            | Self::StateCleared(id)
            | Self::Availability(id, _)
            | Self::Mode(id, ..)
            | Self::Priority(id, _) => Some(id),
            Self::Power { .. } | Self::Sensed(_) | Self::Reconnected(_) | Self::Command(_) => None,
        }
    }
}

/// One value of one key.
#[derive(Debug, Clone, PartialEq)]
pub struct Sensed {
    /// What was measured.
    pub key: String,
    /// How much; in watts unless the key is no power.
    pub value: Watts,
    /// When it was measured.
    pub measured: Instant,
    /// How long it counts without a newer one.
    pub expiry: Expiry,
}

/// How long a value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// For so long after it was measured.
    After(Duration),
    /// Until the first of the values that it was made of expires.
    At(Instant),
    /// For ever.
    Never,
}

impl Expiry {
    /// The last moment at which a value counts; none if it always does.
    #[must_use]
    pub fn end(self, measured: Instant) -> Option<Instant> {
        match self {
            Self::After(time) => Some(measured + time),
            Self::At(end) => Some(end),
            Self::Never => None,
        }
    }
}

/// Where a record comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The meter.
    Meter,
    /// The estimator that stands in for it.
    Fallback,
}

impl Source {
    /// The word of the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Meter => "meter",
            Self::Fallback => "fallback",
        }
    }
}

/// What a user may want of the scheduler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// No scheduling until `resume`.
    Pause,
    /// Schedule again.
    Resume,
    /// Stop everything that may be stopped, then pause.
    StopAll,
}

/// Why an event changed nothing, or not all that it could have.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// A record that is too old.
    #[error("the record is {} old, at most {} are allowed (scheduler.max_record_gap)", Seconds(*age), Seconds(*limit))]
    Old {
        /// Its age.
        age: Duration,
        /// The oldest that is accepted.
        limit: Duration,
    },
    /// A value that can't be true.
    #[error("`{key}` is {value} W: expected a finite number within ±10 MW")]
    Implausible {
        /// Its key.
        key: String,
        /// As it came.
        value: f64,
    },
    /// There are too many keys already.
    #[error("`{0}` is ignored: there are more than 8192 different keys")]
    TooManyKeys(String),
    /// There are too many tasks already.
    #[error("task `{0}` is ignored: there are more than 4096 tasks")]
    TooManyTasks(TaskId),
    /// Nobody knows this task.
    #[error("no task `{0}` is registered: expected the id of one that is")]
    UnknownTask(TaskId),
}

/// Whole seconds, as humantime writes them.
pub(crate) struct Seconds(pub(crate) Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(Duration::from_secs(self.0.as_secs())).fmt(f)
    }
}
