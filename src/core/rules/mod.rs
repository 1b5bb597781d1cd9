//! The rules of a cycle: what it sees, what is available, what stops, what starts.

pub(crate) mod answers;
pub(crate) mod availability;
pub(crate) mod covered_share;
pub(crate) mod cycle_task;
pub(crate) mod cycle_view;
pub(crate) mod decide;
pub(crate) mod election;
pub(crate) mod stopping;
