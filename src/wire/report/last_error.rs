//! The last message that was refused.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::parsed::Parsed;

/// `last_error` of [`SchedulerState`](super::scheduler_state::SchedulerState).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LastError {
    /// The topic on which it came.
    pub topic: String,
    /// What was wrong with it.
    pub error: String,
    /// When it came.
    pub time: Parsed<Timestamp>,
}
