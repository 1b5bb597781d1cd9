//! Which reports are due: the one place that decides it. They are published once, at the end of a step.

use std::collections::BTreeSet;

use crate::core::{Event, TaskId};

/// What changed, or may have, since reports were published last.
#[derive(Debug, Default)]
pub(super) struct ReportsDue {
    state: bool,
    every_task: bool,
    tasks: BTreeSet<TaskId>,
}

impl ReportsDue {
    /// An event is taken in. A power value shows in the next cycle only; the rest is about one task, or about all.
    pub(super) fn note_event(&mut self, event: &Event) {
        match event {
            Event::Power { .. } | Event::Sensed(_) | Event::Unheard | Event::Heard { .. } => {}
            Event::Reconnected(_) => self.every_task = true,
            Event::Command(_) => self.everything(),
            Event::Registered(id, _)
            | Event::PayloadsChanged(id)
            | Event::RegistrationRefused(id, _)
            | Event::Unregistered(id)
            | Event::State(id, _)
            | Event::StateRefused(id, _)
            | Event::StateCleared(id)
            | Event::Availability(id, _)
            | Event::Mode(id, ..)
            | Event::Priority(id, _) => {
                self.task(id);
                // It counts tasks, and warns of them.
                self.state = true;
            }
        }
    }

    /// Something was sent to a task, or its mode ended.
    pub(super) fn task(&mut self, id: &TaskId) {
        if !self.every_task {
            self.tasks.insert(id.clone());
        }
    }

    /// The scheduler's state.
    pub(super) fn state(&mut self) {
        self.state = true;
    }

    /// The state, and a report of every task: what is told of one may depend on time and on the others.
    pub(super) fn everything(&mut self) {
        (self.state, self.every_task) = (true, true);
        self.tasks.clear();
    }

    pub(super) fn any(&self) -> bool {
        self.state || self.every_task || !self.tasks.is_empty()
    }

    /// Hands out what is due. From now on nothing is.
    pub(super) fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    pub(super) fn has_state(&self) -> bool {
        self.state
    }

    pub(super) fn has_every_task(&self) -> bool {
        self.every_task
    }

    /// The tasks, if it is not every one.
    pub(super) fn tasks(&self) -> &BTreeSet<TaskId> {
        &self.tasks
    }
}
