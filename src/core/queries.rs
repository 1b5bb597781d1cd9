//! What the scheduler can be asked. Nothing here changes what it knows.

use jiff::Timestamp;

use crate::core::activity::Activity;
use crate::core::scheduler::Scheduler;
use crate::core::settings::Settings;
use crate::core::task::id::TaskId;
use crate::core::task::registration::Registration;
use crate::core::task::state::TaskState;
use crate::core::time::Now;
use crate::core::view::{TaskView, Viewer};
use crate::core::warnings::warnings;
use crate::units::{Quantity, Watts};

impl Scheduler {
    /// What it is doing.
    #[must_use]
    pub fn activity(&self) -> Activity {
        match (self.paused, self.home.meter.no_data()) {
            (true, _) => Activity::Paused,
            (false, true) => Activity::NoData,
            (false, false) => Activity::Active,
        }
    }

    /// Since when [`Scheduler::activity`] is what it is.
    #[must_use]
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// The settings it runs by.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.home.settings
    }

    /// The valid registration of a task.
    #[must_use]
    pub fn registration(&self, id: &TaskId) -> Option<&Registration> {
        self.home.registry.task(self.home.registry.find(id)?).registration()
    }

    /// The last state of a task.
    #[must_use]
    pub fn state(&self, id: &TaskId) -> Option<&TaskState> {
        self.home.registry.task(self.home.registry.find(id)?).state()
    }

    /// The newest record by key, as the window keeps it; empty while there is none.
    pub fn latest_record(&self) -> impl Iterator<Item = (&str, Quantity)> {
        self.home.window.latest_by_key(&self.home.meter.keys)
    }

    /// The meter has been silent for too long, and the fallback has said nothing since the last cycle.
    #[must_use]
    pub fn lacks_record(&self, now: Now) -> bool {
        self.home.meter.lacks_record(self.home.settings.max_record_gap, now.at)
    }

    /// Nothing has come for too long, from either.
    #[must_use]
    pub fn is_data_missing(&self, now: Now) -> bool {
        self.home.meter.are_both_silent(self.home.settings.max_record_gap, now.at)
    }

    /// The next [`Scheduler::wake`] or [`Scheduler::cycle`] says that data is missing, and the last one didn't.
    #[must_use]
    pub fn begins_to_miss_data(&self, now: Now) -> bool {
        !self.home.meter.no_data() && self.is_data_missing(now)
    }

    /// What all tasks use, as a record of the fallback would have it: for an estimate of what `net` is.
    pub fn expected_use(&mut self, now: Now) -> Watts {
        self.home.expected_use(now)
    }

    /// Every task with a valid or a refused registration, by id.
    #[must_use]
    pub fn tasks(&self, now: Now) -> Vec<TaskView> {
        let viewer = self.viewer(now);
        let mut views: Vec<TaskView> = self.home.registry.known().filter_map(|task| viewer.view(task)).collect();
        views.sort_by(|a, b| a.id.cmp(&b.id));
        views
    }

    /// One of [`Scheduler::tasks`]; none without a valid or a refused registration.
    #[must_use]
    pub fn task(&self, id: &TaskId, now: Now) -> Option<TaskView> {
        self.viewer(now).view(self.home.registry.task(self.home.registry.find(id)?))
    }

    fn viewer(&self, now: Now) -> Viewer<'_> {
        let (activity, last_cycle) = (self.activity(), self.last_cycle);
        Viewer { settings: &self.home.settings, window: &self.home.window, activity, last_cycle, now }
    }

    /// How many tasks have a valid registration.
    #[must_use]
    pub fn task_count(&self) -> usize {
        self.home.registry.registered_count()
    }

    /// Standing problems with the data, in plain words.
    #[must_use]
    pub fn warnings(&self, now: Now) -> Vec<String> {
        warnings(&self.home.meter, &self.home.registry, &self.home.settings, now)
    }
}
