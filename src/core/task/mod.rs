//! What a task is: its registration, its state, its criteria, and its guards.

pub(crate) mod criterion;
pub(crate) mod guards;
pub(crate) mod importance;
pub(crate) mod mode;
pub(crate) mod registration;
#[expect(clippy::module_inception, reason = "the task of the folder's name")]
pub(crate) mod task;
pub(crate) mod verdict;
