//! Who is there: the slots of tasks and the keys that they own.
//!
//! Refuses more tasks and keys than any home has.

use crate::core::task::task::Task;
use crate::core::{Refusal, Scheduler, TaskId};

/// More tasks than any home has; beyond it, new ones are refused.
const MOST_TASKS: usize = 4_096;

impl Scheduler {
    /// The slot of a task, made if it is new.
    pub(crate) fn slot(&mut self, id: TaskId) -> Result<usize, Refusal> {
        if let Some(slot) = self.slots.get(&id) {
            return Ok(*slot);
        }
        let slot = if let Some(slot) = self.free.pop() {
            self.window.forget_slot(slot);
            self.tasks[slot] = Task::new(id.clone());
            slot
        } else if self.tasks.len() < MOST_TASKS {
            self.tasks.push(Task::new(id.clone()));
            self.tasks.len() - 1
        } else {
            return Err(Refusal::TooManyTasks(id));
        };
        self.slots.insert(id, slot);
        Ok(slot)
    }

    /// Changes a task that is known, and forgets it if nothing of it is left.
    pub(crate) fn change(&mut self, id: &TaskId, change: impl FnOnce(&mut Task)) {
        let Some(slot) = self.slots.get(id).copied() else { return };
        change(&mut self.tasks[slot]);
        self.owners_stale = true;
        self.note_guards(slot);
        if self.tasks[slot].is_forgotten() {
            self.slots.remove(id);
            self.free.push(slot);
        }
    }

    /// The slot of a task with a valid registration.
    pub(crate) fn registered(&self, id: TaskId) -> Result<usize, Refusal> {
        match self.slots.get(&id) {
            Some(slot) if self.tasks[*slot].registration.is_some() => Ok(*slot),
            _ => Err(Refusal::UnknownTask(id)),
        }
    }

    /// A task's guards may have changed: who has to be looked at between cycles.
    pub(crate) fn note_guards(&mut self, slot: usize) {
        let task = &self.tasks[slot];
        let registration = task.registration.as_ref();
        let leased = registration.is_some_and(|registration| registration.lease.is_some());
        let ends = task.wish.until.is_some() || task.hand.hold().is_some();
        let metered = registration.is_some_and(|registration| registration.finished.is_some());
        for (set, belongs) in [(&mut self.timed, leased || ends), (&mut self.metered, metered)] {
            if belongs {
                set.insert(slot);
            } else {
                set.remove(&slot);
            }
        }
    }

    /// A task's keys may have changed.
    pub(crate) fn refresh_keys(&mut self, slot: usize) -> Result<(), Refusal> {
        let task = &mut self.tasks[slot];
        let own = [format!("@{}", task.id)];
        let names = if task.key_names().is_empty() { &own } else { task.key_names() };
        let unchanged = names.len() == task.keys.len()
            && names.iter().zip(&task.keys).all(|(name, key)| self.keys.name(*key) == name);
        if unchanged && task.registration.is_some() && !self.owners_stale {
            return Ok(());
        }
        let mut keys = Vec::with_capacity(names.len());
        let mut refused = Ok(());
        for name in names {
            match self.keys.intern(name) {
                Some(key) => keys.push(key),
                None => refused = Err(Refusal::TooManyKeys(name.clone())),
            }
        }
        task.keys = keys;
        self.owners_stale = true;
        refused
    }
}
