//! What the scheduler decides: an action, the rule behind it, and one sentence with the numbers.

use std::collections::HashSet;
use std::fmt;

use crate::core::task::id::TaskId;
use crate::units::Watts;

/// What a task is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Run.
    Start,
    /// Stop.
    Stop,
}

/// The rule behind a decision, as reports name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// Two running tasks share a key.
    ConflictingKeys,
    /// A running task's `keep` is not met.
    FailingCriteria,
    /// A more important adjustable task could use the power.
    DiminishingAdjustable,
    /// A more important task takes the place.
    LowerPriority,
    /// The most important one that the sun pays for.
    Elected,
    /// Its mode says so.
    Mode,
    /// Its daily need or maximum says so.
    Daily,
    /// It is done.
    Finished,
    /// Somebody said `stop_all`.
    StopAll,
    /// No record arrives.
    NoData,
}

impl Rule {
    /// The word of the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConflictingKeys => "conflicting_keys",
            Self::FailingCriteria => "failing_criteria",
            Self::DiminishingAdjustable => "diminishing_adjustable",
            Self::LowerPriority => "lower_priority",
            Self::Elected => "elected",
            Self::Mode => "mode",
            Self::Daily => "daily",
            Self::Finished => "finished",
            Self::StopAll => "stop_all",
            Self::NoData => "no_data",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One start or stop.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Whom it concerns.
    pub task: TaskId,
    /// What it is told.
    pub action: Action,
    /// Why, in one word.
    pub rule: Rule,
    /// Why, in one sentence with the numbers that decided it.
    pub reason: String,
}

/// One message for a task.
#[derive(Debug, Clone, PartialEq)]
pub enum Instruction {
    /// A start or a stop that was decided.
    Decided(Decision),
    /// Its start again, before its lease runs out.
    Renew(TaskId),
    /// What it may use from now on; none: nothing of the kind is told any more, and what is retained is cleared.
    Setpoint(TaskId, Option<Watts>),
}

impl Instruction {
    /// The task that it is for.
    #[must_use]
    pub fn task(&self) -> &TaskId {
        match self {
            Self::Decided(decision) => &decision.task,
            Self::Renew(task) | Self::Setpoint(task, _) => task,
        }
    }

    /// The decision behind it, where there is one.
    #[must_use]
    pub fn decision(self) -> Option<Decision> {
        match self {
            Self::Decided(decision) => Some(decision),
            Self::Renew(_) | Self::Setpoint(..) => None,
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let action = match self.action {
            Action::Start => "start",
            Action::Stop => "stop",
        };
        write!(f, "{action} {}: {} ({})", self.task, self.reason, self.rule)
    }
}

/// Of several decisions that start, or stop, one task, the last.
pub(super) fn last_of_each(mut decisions: Vec<Decision>) -> Vec<Decision> {
    let mut seen = HashSet::new();
    decisions.reverse();
    decisions.retain(|decision| seen.insert((decision.task.clone(), decision.action == Action::Start)));
    decisions.reverse();
    decisions
}
