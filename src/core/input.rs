//! Everything that can happen to the scheduler: one closed list.

use std::time::Duration;

use jiff::Timestamp;

use crate::core::meter::intake::Expiry;
use crate::core::meter::source::Source;
use crate::core::task::id::TaskId;
use crate::core::task::mode::Mode;
use crate::core::task::priority::Priority;
use crate::core::task::registration::Registration;
use crate::core::task::state::TaskState;
use crate::core::time::Instant;
use crate::units::Quantity;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A record arrived.
    Power {
        /// Who measured it.
        source: Source,
        /// Key and value, as far as values were numbers.
        values: Vec<(String, Quantity)>,
        /// When it was measured, if it says so.
        measured: Option<Timestamp>,
    },
    /// A sensor measured one value, or it was derived from others.
    Sensed(Sensed),
    /// A task announced itself.
    Registered(TaskId, Box<Registration>),
    /// What its commands say has changed: starts that it left unanswered before don't count.
    PayloadsChanged(TaskId),
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
    /// From now on records may come that are not heard: missing data is not judged.
    Unheard,
    /// What comes is heard again. `anew`: what came until now may not have been, so that missing data counts from here.
    Heard {
        /// Nothing is known of the time until now.
        anew: bool,
    },
    /// A user's command.
    Command(UserCommand),
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
            | Self::PayloadsChanged(id)
            | Self::RegistrationRefused(id, _)
            | Self::Unregistered(id)
            | Self::State(id, _)
            | Self::StateRefused(id, _)
            | Self::StateCleared(id)
            | Self::Availability(id, _)
            | Self::Mode(id, ..)
            | Self::Priority(id, _) => Some(id),
            Self::Power { .. }
            | Self::Sensed(_)
            | Self::Reconnected(_)
            | Self::Unheard
            | Self::Heard { .. }
            | Self::Command(_) => None,
        }
    }
}

/// One value of one key.
#[derive(Debug, Clone, PartialEq)]
pub struct Sensed {
    /// What was measured.
    pub key: String,
    /// How much, in the key's unit.
    pub value: Quantity,
    /// When it was measured.
    pub measured: Instant,
    /// How long it counts without a newer one.
    pub expiry: Expiry,
}

/// What a user may want of the scheduler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserCommand {
    /// No scheduling until `resume`.
    Pause,
    /// Schedule again.
    Resume,
    /// Stop everything that may be stopped, then pause.
    StopAll,
}
