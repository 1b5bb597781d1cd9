//! What one task is to do, and why: a decision before it is carried out.

use crate::core::output::{Action, Rule};
use crate::units::Share;

/// What was chosen for one task.
#[derive(Debug)]
pub(crate) struct Directive {
    pub(crate) slot: usize,
    pub(crate) action: Action,
    pub(crate) rule: Rule,
    pub(crate) reason: String,
    /// The ratio that decided it, where one did.
    pub(crate) ratio: Option<Share>,
}

impl Directive {
    pub(crate) fn start(slot: usize, rule: Rule, reason: String) -> Self {
        Self { slot, action: Action::Start, rule, reason, ratio: None }
    }

    pub(crate) fn stop(slot: usize, rule: Rule, reason: String) -> Self {
        Self { slot, action: Action::Stop, rule, reason, ratio: None }
    }
}
