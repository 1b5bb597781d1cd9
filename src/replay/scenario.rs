//! One way in which a recorded time could have passed.

use std::sync::Arc;

use super::diary::Diary;
use super::home::RecordedHome;
use super::totals::{TaskTotals, Totals};

/// One way in which the time could have passed.
#[derive(Debug)]
pub struct Scenario {
    /// What was in charge: `as recorded`, `naive switch`, or the name of a contender.
    pub name: String,
    pub(super) home: Arc<RecordedHome>,
    pub(super) diary: Diary,
}

impl Scenario {
    /// Returns the totals of this scenario; those of tasks in the order of [`RecordedHome::tasks`].
    #[must_use]
    pub fn totals(&self) -> &Totals {
        &self.diary.totals
    }

    /// Returns the home as it was in this scenario.
    #[must_use]
    pub fn home(&self) -> &RecordedHome {
        &self.home
    }

    /// Returns the totals of one task. `None`: this scenario has no such task.
    #[must_use]
    pub fn task_totals(&self, id: &str) -> Option<&TaskTotals> {
        let index = self.home.tasks().position(|task| task.id.as_str() == id)?;
        self.diary.totals.tasks.get(index)
    }
}
