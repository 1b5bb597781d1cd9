//! Keys that only one task may have (`exclusive_keys`): whoever comes later is refused, and waits until they are free.

use std::collections::{BTreeMap, HashMap};

use crate::core::home::Home;
use crate::core::refusal::Refusal;
use crate::core::snapshot::TaskSnapshot;
use crate::core::task::id::TaskId;
use crate::core::task::registration::Registration;
use crate::core::task::task::Task;
use crate::core::time::Now;

impl Home {
    /// Another task that claims one of these keys, as a refusal. What the task claims already it may keep: where keys become
    /// exclusive while Sunward runs, both were there before.
    pub(crate) fn key_taken<'a>(&self, id: &TaskId, names: impl Iterator<Item = &'a String>) -> Option<Refusal> {
        if !self.settings.exclusive_keys {
            return None;
        }
        let own = self.registry.find(id).map(|slot| self.registry.task(slot)).filter(|task| task.is_registered());
        let is_new = |name: &&String| own.is_none_or(|task| !task.claimed_keys().any(|known| known == *name));
        let new: Vec<&String> = names.filter(is_new).collect();
        if new.is_empty() {
            // As always, when a task says again what it said before: nobody else is asked.
            return None;
        }
        let others = self.registry.known().filter(|task| task.is_registered() && task.id != *id);
        let taken = others.flat_map(|task| {
            let place = |claimed: &String| new.iter().position(|name| *name == claimed);
            task.claimed_keys().filter_map(place).map(|place| (place, &task.id))
        });
        let (place, owner) = taken.min()?;
        Some(Refusal::KeyTaken { key: new[place].clone(), owner: owner.clone() })
    }

    /// The same for a registration. The keys of a state that came before it are claimed with it.
    pub(crate) fn registration_taken(&self, id: &TaskId, registration: &Registration) -> Option<Refusal> {
        let state = self.registry.find(id).and_then(|slot| self.registry.task(slot).state());
        let of_state = state.and_then(|state| state.keys.as_ref()).into_iter().flatten();
        self.key_taken(id, registration.keys.iter().chain(of_state))
    }

    /// A task's registration is refused for now.
    pub(crate) fn make_wait(
        &mut self,
        id: TaskId,
        registration: Registration,
        refusal: Refusal,
    ) -> Result<(), Refusal> {
        self.refuse_registration(id.clone(), refusal.to_string())?;
        self.waiting.insert(id, registration);
        Err(refusal)
    }

    /// Where keys may be free now, the tasks that waited for them are registered, in the order of their ids. Returns them.
    pub(crate) fn admit_waiting(&mut self, now: Now) -> Vec<TaskId> {
        let mut admitted = Vec::new();
        if !std::mem::take(&mut self.claims_changed) {
            return admitted;
        }
        for id in self.waiting.keys().cloned().collect::<Vec<_>>() {
            let free = self.waiting.get(&id).is_some_and(|waits| self.registration_taken(&id, waits).is_none());
            if free && let Some(registration) = self.waiting.remove(&id) {
                // There is room for it: it was known while it waited.
                let _ = self.register_anyhow(id.clone(), registration, now);
                admitted.push(id);
            }
        }
        admitted
    }

    /// All registrations have come in, in any order: tasks of the configuration go first, then those that an earlier run
    /// had registered, then by id.
    pub(crate) fn settle_keys(&mut self, earlier: &BTreeMap<TaskId, TaskSnapshot>, now: Now) {
        if !self.settings.exclusive_keys {
            return;
        }
        for (id, registration) in std::mem::take(&mut self.waiting) {
            let _ = self.register_anyhow(id, registration, now);
        }
        let mut tasks: Vec<&Task> = self.registry.known().filter(|task| task.is_registered()).collect();
        let was_registered = |task: &Task| earlier.get(&task.id).is_some_and(|known| known.registered);
        tasks.sort_by_key(|task| (!task.is_configured(), !was_registered(task), &task.id));
        let mut owners: HashMap<&str, &TaskId> = HashMap::new();
        let mut late = Vec::new();
        for task in tasks {
            let taken = task.claimed_keys().find_map(|key| Some((key, *owners.get(key.as_str())?)));
            match taken {
                Some((key, owner)) => {
                    late.push((task.id.clone(), Refusal::KeyTaken { key: key.clone(), owner: owner.clone() }));
                }
                None => owners.extend(task.claimed_keys().map(|key| (key.as_str(), &task.id))),
            }
        }
        for (id, refusal) in late {
            let mut registration = None;
            self.registry.change(&id, |task| {
                registration = task.take_registration();
                task.refuse_registration(refusal.to_string());
            });
            self.waiting.extend(registration.map(|registration| (id, registration)));
        }
        // Who is refused may have claimed other keys too, for which somebody waits.
        self.claims_changed = true;
    }
}
