//! What a cycle did, for its report.

use jiff::Timestamp;

use crate::core::energy::Consumption;
use crate::core::meter::source::Source;
use crate::core::output::Decision;

/// Why a cycle did not ask the rules. Modes, guards and deadlines are asked all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skipped {
    /// A user paused the scheduler.
    Paused,
    /// No value of `net` arrived since the last cycle.
    NoRecord,
}

/// What a cycle did.
#[derive(Debug, Clone, PartialEq)]
pub struct CycleReport {
    /// When.
    pub time: Timestamp,
    /// Why the rules were not asked; none: they were.
    pub skipped: Option<Skipped>,
    /// Where its record came from: then that is [`latest_record`](crate::core::Scheduler::latest_record).
    pub source: Option<Source>,
    /// What tasks consumed according to it.
    pub consumption: Option<Consumption>,
    /// No record has come for longer than `max_record_gap`, whether paused or not.
    pub no_data: bool,
    /// What was decided in it, and since the cycle before.
    pub decisions: Vec<Decision>,
}
