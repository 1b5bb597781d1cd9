//! What a task says of itself: its registration (SPEC section 5.1) and its state (section 5.3), parsed and valid.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use minijinja::Value;

use crate::core::{Criteria, Daily, Finished, Priority};
use crate::units::Watts;

/// The id of a task: `[A-Za-z0-9_-]{1,64}`. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(Arc<str>);

/// Not a task id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" can't be a task id: expected 1 to 64 characters out of A-Z, a-z, 0-9, _ and -")]
pub struct InvalidTaskId(String);

impl TaskId {
    /// Checks an id.
    ///
    /// # Errors
    /// When it is empty, too long or holds other characters.
    pub fn new(id: impl AsRef<str>) -> Result<Self, InvalidTaskId> {
        let id = id.as_ref();
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if (1..=64).contains(&id.len()) && id.bytes().all(allowed) {
            Ok(Self(id.into()))
        } else {
            Err(InvalidTaskId(id.chars().take(80).collect()))
        }
    }

    /// The id as it stands in topics.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for TaskId {
    type Err = InvalidTaskId;
    fn from_str(id: &str) -> Result<Self, InvalidTaskId> {
        Self::new(id)
    }
}

impl Borrow<str> for TaskId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// A valid registration.
#[derive(Debug, Clone, PartialEq)]
pub struct Registration {
    /// Shown to people.
    pub name: String,
    /// How much the task matters.
    pub priority: Priority,
    /// The largest minimal power to start and run the appliance; above 0.
    pub power: Watts,
    /// What it can use at most; not below `power`.
    pub max_power: Option<Watts>,
    /// Its circuits in a record.
    pub keys: Vec<String>,
    /// Uses more power by itself if there is some.
    pub auto_adjust: bool,
    /// `start` and `keep`.
    pub criteria: Criteria,
    /// State older than this: unreachable.
    pub expire_after: Option<Duration>,
    /// A running task is not stoppable before.
    pub min_on: Duration,
    /// A stopped task is not runnable before.
    pub min_off: Duration,
    /// How long it has to run each day, and may at most.
    pub daily: Option<Daily>,
    /// How to see that it is done.
    pub finished: Option<Finished>,
    /// `false`: once it runs it is not stoppable unless its state says so.
    pub interruptible: bool,
    /// For so long a switch by hand is somebody's wish; 0: it is none.
    pub manual_hold: Duration,
    /// Whether it is stopped when no record arrives.
    pub on_no_data: OnNoData,
    /// A set-point moves by at least this; not below 0.
    pub setpoint_step: Watts,
    /// It stops by itself when it hears no start for this long.
    pub lease: Option<Duration>,
    /// It stands in the configuration: without an `expire_after` its state never expires.
    pub configured: bool,
    /// It has an availability, and is away until it tells it.
    pub awaits_availability: bool,
}

impl Registration {
    /// A registration with every default of SPEC section 5.1.
    #[must_use]
    pub fn new(id: &TaskId, power: Watts) -> Self {
        Self {
            name: id.to_string(),
            priority: Priority::Low,
            power,
            max_power: None,
            keys: Vec::new(),
            auto_adjust: false,
            criteria: Criteria::default(),
            expire_after: None,
            min_on: Duration::ZERO,
            min_off: Duration::ZERO,
            daily: None,
            finished: None,
            interruptible: true,
            manual_hold: Duration::ZERO,
            on_no_data: OnNoData::Stop,
            setpoint_step: Watts(50.0),
            lease: None,
            configured: false,
            awaits_availability: false,
        }
    }
}

/// `on_no_data`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnNoData {
    /// It is stopped.
    #[default]
    Stop,
    /// It stays as it is.
    Keep,
}

/// What a task last said.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TaskState {
    /// It runs.
    pub running: bool,
    /// It could run.
    pub runnable: bool,
    /// It may be stopped; absent: as its registration says.
    pub stoppable: Option<bool>,
    /// Overrides the registration.
    pub priority: Option<Priority>,
    /// Overrides the registration.
    pub power: Option<Watts>,
    /// Overrides the registration.
    pub auto_adjust: Option<bool>,
    /// Overrides the registration.
    pub max_power: Option<Watts>,
    /// Overrides the registration.
    pub keys: Option<Vec<String>>,
    /// What it consumes, for a task without keys.
    pub usage: Option<Watts>,
    /// Its own answer instead of its criteria.
    pub meets_criteria: Option<bool>,
    /// The whole state, for `state.<field>` in criteria.
    pub fields: Value,
}

impl TaskState {
    /// What a plain `ON` or `OFF` says.
    #[must_use]
    pub fn plain(running: bool) -> Self {
        Self { running, runnable: true, fields: minijinja::context! { running }, ..Self::default() }
    }
}
