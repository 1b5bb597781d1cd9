//! What a task says of itself once: its registration, parsed and valid.

use std::time::Duration;

use crate::core::task::criterion::Criteria;
use crate::core::task::guards::daily::Daily;
use crate::core::task::guards::finished::Finished;
use crate::core::task::id::TaskId;
use crate::core::task::priority::Priority;
use crate::units::Watts;

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
    /// A registration with every default of the contract (docs/mqtt.md).
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
