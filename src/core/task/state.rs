//! What a task says of itself again and again: its state, parsed and valid.

use crate::core::task::priority::Priority;
use crate::jinja::StateFields;
use crate::units::Watts;

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
    pub fields: StateFields,
}

impl TaskState {
    /// What a plain `ON` or `OFF` says.
    #[must_use]
    pub fn plain(running: bool) -> Self {
        Self { running, runnable: true, fields: [("running", running)].into_iter().collect(), ..Self::default() }
    }
}
