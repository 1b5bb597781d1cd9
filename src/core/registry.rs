//! Which tasks there are: their slots, the keys that they own, and their order.
//!
//! There is a limit of tasks and of keys, beyond what any home has.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use crate::core::meter::key::{KeyId, Keys, Owners};
use crate::core::meter::meter::Meter;
use crate::core::refusal::Refusal;
use crate::core::task::guards::doubts::Doubts;
use crate::core::task::id::TaskId;
use crate::core::task::task::Task;
use crate::core::time::Instant;

/// More tasks than any home has; beyond it, new ones are refused.
const MOST_TASKS: usize = 4_096;

/// So many keys may a task have named that nobody had named before: names are kept for ever, and there is room for so many only.
const MOST_NAMED: usize = 128;

/// All tasks. A slot stays a task's until the task is forgotten.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    /// By slot.
    tasks: Vec<Task>,
    slots: HashMap<TaskId, usize>,
    free: Vec<usize>,
    owners: Owners,
    /// Slots of the registered tasks, the most important first as of the last cycle: it hardly changes from one to the next.
    order: Vec<usize>,
    /// By slot: the place of a registered task among all ids, so that a sort compares numbers.
    by_id: Vec<usize>,
    /// How many keys each task was the first to name. It is not forgotten with the task.
    named: HashMap<TaskId, usize>,
    /// What spoke against tasks that were forgotten since.
    doubts: HashMap<TaskId, Doubts>,
    /// Some task came, went, or changed its keys since `owners` and `order` were made.
    stale: bool,
    /// Slots of tasks that have to be looked at between cycles.
    timed: BTreeSet<usize>,
    /// Slots with `finished`, whose usage is watched.
    watched: BTreeSet<usize>,
    /// Slots of running tasks that had a key which nothing had measured, when they last changed.
    unmeasured: BTreeSet<usize>,
    /// How many tasks have a valid registration.
    registered: usize,
}

/// What became of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TaskSlot {
    pub(crate) number: usize,
    /// Another task had it before: nothing that happened there speaks of this one.
    pub(crate) reused: bool,
}

impl Registry {
    /// The slot of a task, made if it is new.
    pub(crate) fn slot(&mut self, id: TaskId) -> Result<TaskSlot, Refusal> {
        if let Some(slot) = self.slots.get(&id) {
            return Ok(TaskSlot { number: *slot, reused: false });
        }
        let slot = if let Some(number) = self.free.pop() {
            self.tasks[number] = Task::new(id.clone());
            TaskSlot { number, reused: true }
        } else if self.tasks.len() < MOST_TASKS {
            self.tasks.push(Task::new(id.clone()));
            TaskSlot { number: self.tasks.len() - 1, reused: false }
        } else {
            return Err(Refusal::TooManyTasks(id));
        };
        self.tasks[slot.number].doubts = self.doubts.remove(&id).unwrap_or_default();
        self.slots.insert(id, slot.number);
        Ok(slot)
    }

    /// The slot of a task, if it is known.
    pub(crate) fn find(&self, id: &TaskId) -> Option<usize> {
        self.slots.get(id).copied()
    }

    /// The slot of a task with a valid registration.
    pub(crate) fn registered(&self, id: &TaskId) -> Result<usize, Refusal> {
        self.find(id).filter(|slot| self.tasks[*slot].is_registered()).ok_or_else(|| Refusal::UnknownTask(id.clone()))
    }

    pub(crate) fn task(&self, slot: usize) -> &Task {
        &self.tasks[slot]
    }

    pub(crate) fn task_mut(&mut self, slot: usize) -> &mut Task {
        &mut self.tasks[slot]
    }

    /// By slot; slots that are free hold the tasks that had them last.
    pub(crate) fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    pub(crate) fn tasks_mut(&mut self) -> &mut [Task] {
        &mut self.tasks
    }

    /// Every task that is known.
    pub(crate) fn known(&self) -> impl Iterator<Item = &Task> {
        self.slots.values().map(|slot| &self.tasks[*slot])
    }

    /// Slots of the registered tasks, the most important first as of the last cycle.
    pub(crate) fn order(&self) -> &[usize] {
        &self.order
    }

    /// The slots of a key's owners; empty for `net`, `solar` and the like.
    pub(crate) fn owners(&self, key: KeyId) -> &[usize] {
        self.owners.of(key)
    }

    /// The same for every key.
    pub(crate) fn all_owners(&self) -> &Owners {
        &self.owners
    }

    /// Every key that a task owns, with its owners.
    pub(crate) fn owned_keys(&self) -> impl Iterator<Item = (KeyId, &[usize])> {
        self.owners.iter()
    }

    /// The same beside the tasks, to be changed.
    pub(crate) fn owned_keys_and_tasks(&mut self) -> (impl Iterator<Item = (KeyId, &[usize])>, &mut [Task]) {
        (self.owners.iter(), &mut self.tasks)
    }

    /// Changes a task that is known, and forgets it if nothing of it is left. It may take its registration back, but not
    /// register: that is [`Registry::note_registration`].
    pub(crate) fn change(&mut self, id: &TaskId, change: impl FnOnce(&mut Task)) {
        let Some(slot) = self.find(id) else { return };
        let registered = self.tasks[slot].is_registered();
        change(&mut self.tasks[slot]);
        if registered && !self.tasks[slot].is_registered() {
            self.registered -= 1;
            self.stale = true;
        }
        self.note_timers(slot);
        if self.tasks[slot].is_forgotten() {
            self.slots.remove(id);
            let doubts = std::mem::take(&mut self.tasks[slot].doubts);
            if !doubts.is_empty() && self.doubts.len() < MOST_TASKS {
                self.doubts.insert(id.clone(), doubts);
            }
            self.unmeasured.remove(&slot);
            self.free.push(slot);
        }
    }

    /// A task is about to register: it owns its keys from now on.
    pub(crate) fn note_registration(&mut self, slot: usize) {
        if !self.tasks[slot].is_registered() {
            self.registered += 1;
            self.stale = true;
        }
    }

    /// How many tasks have a valid registration.
    pub(crate) fn registered_count(&self) -> usize {
        debug_assert_eq!(self.registered, self.tasks.iter().filter(|task| task.is_registered()).count());
        self.registered
    }

    /// A task's state or its keys may have changed. `is_measured`: whether anything has measured a key.
    pub(crate) fn note_unmeasured(&mut self, slot: usize, is_measured: impl Fn(KeyId) -> bool) {
        let task = &self.tasks[slot];
        if task.running() && task.keys.iter().any(|key| !is_measured(*key)) {
            self.unmeasured.insert(slot);
        } else {
            self.unmeasured.remove(&slot);
        }
    }

    /// Forgets those of [`Registry::unmeasured`] whose keys have been measured since: a key that was stays so.
    pub(crate) fn forget_measured(&mut self, is_measured: impl Fn(KeyId) -> bool) {
        let tasks = &self.tasks;
        self.unmeasured.retain(|slot| tasks[*slot].keys.iter().any(|key| !is_measured(*key)));
    }

    /// Every running task with a key that nothing has measured is among these slots, in ascending order.
    pub(crate) fn unmeasured(&self) -> &BTreeSet<usize> {
        &self.unmeasured
    }

    /// A task's timers may have changed: whether it has to be looked at between cycles.
    pub(crate) fn note_timers(&mut self, slot: usize) {
        let task = &self.tasks[slot];
        for (set, belongs) in [(&mut self.timed, task.has_timer()), (&mut self.watched, task.finished().is_some())] {
            if belongs {
                set.insert(slot);
            } else {
                set.remove(&slot);
            }
        }
    }

    /// Slots of the tasks that have to be looked at between cycles.
    pub(crate) fn timed(&self) -> &BTreeSet<usize> {
        &self.timed
    }

    /// Slots of the tasks whose usage is watched.
    pub(crate) fn watched(&self) -> &BTreeSet<usize> {
        &self.watched
    }

    /// A task's keys may have changed.
    pub(crate) fn refresh_keys(&mut self, slot: usize, keys: &mut Keys) -> Result<(), Refusal> {
        let task = &mut self.tasks[slot];
        let own = [format!("@{}", task.id)];
        let names = if task.key_names().is_empty() { &own } else { task.key_names() };
        let unchanged =
            names.len() == task.keys.len() && names.iter().zip(&task.keys).all(|(name, key)| keys.name(*key) == name);
        if unchanged && task.is_registered() && !self.stale {
            return Ok(());
        }
        let mut owned = Vec::with_capacity(names.len());
        let mut refused = Ok(());
        for name in names {
            let known = keys.find(name);
            let named = self.named.get(&task.id).copied().unwrap_or(0);
            if known.is_none() && named >= MOST_NAMED {
                refused = Err(Refusal::TooManyNamed { key: name.clone(), most: MOST_NAMED });
                continue;
            }
            let room = known.is_some() || keys.len() + Keys::OF_THE_METER < Keys::LIMIT;
            match if room { keys.intern(name) } else { None } {
                Some(key) => owned.push(key),
                None => refused = Err(Refusal::TooManyKeys(name.clone())),
            }
            if known.is_none() && room {
                self.named.insert(task.id.clone(), named + 1);
            }
        }
        task.keys = owned;
        self.stale = true;
        refused
    }

    /// Makes owners and order anew if some task came, went, or changed its keys. `keys`: how many there are.
    pub(crate) fn refresh_owners(&mut self, keys: usize) {
        if self.stale {
            let registered = self.tasks.iter().enumerate().filter(|(_, task)| task.is_registered());
            self.owners = Owners::new(keys, registered.map(|(slot, task)| (slot, task.keys.as_slice())));
            self.order = (0..self.tasks.len()).filter(|slot| self.tasks[*slot].is_registered()).collect();
            self.order.sort_unstable_by_key(|slot| &self.tasks[*slot].id);
            self.by_id = vec![0; self.tasks.len()];
            for (place, slot) in self.order.iter().enumerate() {
                self.by_id[*slot] = place;
            }
            self.stale = false;
        }
    }

    /// A cycle begins: owners are as the tasks are now, and starts that were left unanswered are counted. Where nothing can be
    /// heard, no task can answer.
    pub(crate) fn begin_cycle(&mut self, meter: &Meter, cycle: Duration, now: Instant) {
        for task in self.tasks.iter_mut().filter(|_| meter.is_heard()) {
            task.begin_cycle(cycle, now);
        }
        self.refresh_owners(meter.keys.len());
    }

    /// Sorts [`Registry::order`].
    pub(crate) fn sort_by_importance(&mut self) {
        let Self { tasks, order, by_id, .. } = self;
        let importance = |slot: usize| tasks[slot].importance_by(by_id[slot]);
        order.sort_by(|a, b| {
            // Nearly always enough.
            let by_priority = tasks[*b].priority().cmp(&tasks[*a].priority());
            by_priority.then_with(|| importance(*a).most_first(&importance(*b)))
        });
    }
}
