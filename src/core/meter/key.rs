//! Keys: the names of measured values, and which tasks own them.
//!
//! Names become small numbers here, once, so that a cycle never looks a string up.

use std::collections::HashMap;
use std::sync::Arc;

/// The key of grid power.
pub(crate) const NET: &str = "net";

/// A key's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct KeyId(u32);

impl KeyId {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// All keys ever seen, up to a limit: keys come from outside.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    ids: HashMap<Arc<str>, KeyId>,
    names: Vec<Arc<str>>,
    /// Probably the next to be asked for: records tell their keys in the same order each time.
    next: usize,
}

impl Keys {
    /// More keys than any home has circuits; beyond it, new ones are ignored.
    pub(crate) const LIMIT: usize = 8_192;

    /// Tasks leave so many of them to the meter: a record has that many keys.
    pub(crate) const OF_THE_METER: usize = 1_000;

    /// The number of a name, made if it is new; none once there are too many.
    pub(crate) fn intern(&mut self, name: &str) -> Option<KeyId> {
        let expected = self.names.get(self.next).is_some_and(|expected| **expected == *name);
        let id = if expected { KeyId(u32::try_from(self.next).ok()?) } else { self.look_up(name)? };
        self.next = if id.index() + 1 < self.names.len() { id.index() + 1 } else { 0 };
        Some(id)
    }

    fn look_up(&mut self, name: &str) -> Option<KeyId> {
        if let Some(id) = self.ids.get(name) {
            return Some(*id);
        }
        if self.names.len() >= Self::LIMIT {
            return None;
        }
        let id = KeyId(u32::try_from(self.names.len()).ok()?);
        let name: Arc<str> = name.into();
        self.names.push(Arc::clone(&name));
        self.ids.insert(name, id);
        Some(id)
    }

    /// The number of a name, if it was seen before.
    pub(crate) fn find(&self, name: &str) -> Option<KeyId> {
        self.ids.get(name).copied()
    }

    pub(crate) fn name(&self, id: KeyId) -> &str {
        &self.names[id.index()]
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// Every key.
    #[expect(clippy::cast_possible_truncation, reason = "fewer than `Keys::LIMIT`")]
    pub(crate) fn iter(&self) -> impl Iterator<Item = KeyId> + use<> {
        (0..self.names.len() as u32).map(KeyId)
    }
}

/// Which tasks (by slot) own which key; made again when a task's keys change.
#[derive(Debug, Default)]
pub(crate) struct Owners {
    by_key: Vec<Vec<usize>>,
}

impl Owners {
    pub(crate) fn new<'a>(keys: usize, tasks: impl Iterator<Item = (usize, &'a [KeyId])>) -> Self {
        let mut by_key = vec![Vec::new(); keys];
        for (slot, owned) in tasks {
            for key in owned {
                by_key[key.index()].push(slot);
            }
        }
        Self { by_key }
    }

    /// The slots of a key's owners; empty for `net`, `solar` and the like.
    pub(crate) fn of(&self, key: KeyId) -> &[usize] {
        self.by_key.get(key.index()).map_or(&[], Vec::as_slice)
    }

    /// Every key that a task owns, with its owners.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (KeyId, &[usize])> {
        #[expect(clippy::cast_possible_truncation, reason = "fewer than `Keys::LIMIT`")]
        self.by_key
            .iter()
            .enumerate()
            .filter(|(_, slots)| !slots.is_empty())
            .map(|(index, slots)| (KeyId(index as u32), slots.as_slice()))
    }
}
