//! What an earlier run knew, from wherever it was kept: retained messages, or a database.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::core::task::guards::daily::DailyView;
use crate::core::task::id::TaskId;
use crate::core::task::mode::Mode;
use crate::core::task::priority::Priority;
use crate::units::{KilowattHours, Watts};

/// Everything that is taken over from an earlier run, at once.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Snapshot {
    /// Since when a user had paused it; none: it was not paused.
    pub paused_since: Option<Timestamp>,
    /// By task. Tasks that are not registered by now are passed over.
    pub tasks: BTreeMap<TaskId, TaskSnapshot>,
}

/// What an earlier run knew of one task. What is absent is not taken over.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TaskSnapshot {
    /// It was registered, and not refused: keys that only one task may have stay its own.
    pub registered: bool,
    /// The mode that a user had set, and its end.
    pub mode: Option<(Mode, Option<Timestamp>)>,
    /// The priority that a user had set.
    pub priority: Option<Priority>,
    /// What somebody had switched by hand, and until when that was held.
    pub manual_override: Option<(Mode, Timestamp)>,
    /// Its last switch and its rest.
    pub guards: Option<Guards>,
    /// Its run time, starts and energy.
    pub counted: Option<Counted>,
    /// The set-point that was sent last.
    pub setpoint: Option<Watts>,
}

/// When a task last started or stopped, and until when it rests.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Guards {
    /// Whether it ran, if that was known.
    pub running: Option<bool>,
    /// When it had last started or stopped.
    pub since: Option<Timestamp>,
    /// Until when it rests, as it was finished.
    pub rests_until: Option<Timestamp>,
}

/// What was counted of a task.
#[derive(Debug, Clone, PartialEq)]
pub struct Counted {
    /// When that was true.
    pub at: Timestamp,
    /// Whether it ran, if that was known.
    pub running: Option<bool>,
    /// Run time since that day's midnight.
    pub on_today: Duration,
    /// Starts since that day's midnight.
    pub starts_today: u32,
    /// What it used since that day's midnight.
    pub energy_today: KilowattHours,
    /// Its daily run time.
    pub daily: Option<DailyView>,
}
