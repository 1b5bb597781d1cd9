//! What happens in the demo that people want to see.

use jiff::Timestamp;

/// A line of the list of events.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DemoEvent {
    pub(super) time: Timestamp,
    pub(super) kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum EventKind {
    /// The scheduler starts a task.
    Start { task: String, reason: String },
    /// The scheduler stops a task.
    Stop { task: String, reason: String },
    /// A task ended by itself, and is in this condition now.
    End { task: String, note: String },
    /// The scheduler itself has another state now, such as `paused`.
    Scheduler { state: String },
}
