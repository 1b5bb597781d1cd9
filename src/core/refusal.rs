//! Why an input is refused: typed, with words that name what was expected.

use std::time::Duration;

use crate::core::task::id::TaskId;
use crate::core::time::WholeSeconds;

/// Why an event changed nothing, or not all that it could have.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// A record that is too old.
    #[error("the record is {} old, at most {} are allowed (scheduler.max_record_gap)", WholeSeconds(*age), WholeSeconds(*limit))]
    Old {
        /// Its age.
        age: Duration,
        /// The oldest that is accepted.
        limit: Duration,
    },
    /// A value that can't be true.
    #[error("`{key}` is {value} W: expected a finite number within ±10 MW")]
    Implausible {
        /// Its key.
        key: String,
        /// As it came.
        value: f64,
    },
    /// There are too many keys already.
    #[error("`{0}` is ignored: there are more than 8192 different keys")]
    TooManyKeys(String),
    /// A task has named too many keys that nobody else has.
    #[error("`{key}` is ignored: this task has named {most} keys that nobody else has, which is all that it may")]
    TooManyNamed {
        /// The key.
        key: String,
        /// So many are allowed.
        most: usize,
    },
    /// There are too many tasks already.
    #[error("task `{0}` is ignored: there are more than 4096 tasks")]
    TooManyTasks(TaskId),
    /// A key has an owner already, and may have one only.
    #[error("keys: `{key}` belongs to task {owner}: expected keys that no other task has (scheduler.exclusive_keys)")]
    KeyTaken {
        /// The key.
        key: String,
        /// The task that has it.
        owner: TaskId,
    },
    /// Nobody knows this task.
    #[error("no task `{0}` is registered: expected the id of one that is")]
    UnknownTask(TaskId),
}
