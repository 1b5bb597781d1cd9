//! What a task is: its registration, its state, its criteria, and its guards.

pub(crate) mod changes;
pub(crate) mod criterion;
pub(crate) mod exhausted;
pub(crate) mod guarded;
pub(crate) mod guards;
pub(crate) mod id;
pub(crate) mod importance;
pub(crate) mod mode;
pub(crate) mod priority;
pub(crate) mod question;
pub(crate) mod registration;
pub(crate) mod restore;
pub(crate) mod state;
#[expect(clippy::module_inception, reason = "the type of the folder's name")]
pub(crate) mod task;
pub(crate) mod verdict;
pub(crate) mod words;
