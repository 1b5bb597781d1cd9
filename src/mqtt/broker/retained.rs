//! The retained messages: bounded in number and bytes, those of Sunward apart from those of everybody else.
//!
//! New topics are taken while seven eighths are filled; the last eighth is for topics that are there already, so that a state
//! can change when nothing new has room. A smaller one in the place of a larger one always has.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::SystemTime;

use super::limits::Limits;
use super::message::Message;

#[derive(Debug)]
struct Kept {
    message: Arc<Message>,
    own: bool,
}

#[derive(Debug, Default, Clone, Copy)]
struct Total {
    messages: usize,
    bytes: usize,
}

/// All retained messages, by topic.
#[derive(Debug, Default)]
pub(super) struct Retained {
    kept: BTreeMap<Box<str>, Kept>,
    /// Of everybody else, and of Sunward.
    totals: [Total; 2],
    /// Topics that the disk doesn't know; none is noted without a disk.
    unsaved: Option<BTreeSet<Box<str>>>,
}

impl Retained {
    /// Notes from now on what has changed, for [`Retained::unsaved`].
    pub(super) fn note_changes(&mut self) {
        self.unsaved = Some(BTreeSet::new());
    }

    /// Notes everything as changed.
    pub(super) fn all_unsaved(&mut self) {
        if let Some(unsaved) = &mut self.unsaved {
            unsaved.extend(self.kept.keys().cloned());
        }
    }

    /// Returns whether a message has room. `own` is Sunward's.
    pub(super) fn has_room(&self, message: &Message, own: bool, limits: &Limits) -> bool {
        let total = self.totals[usize::from(own)];
        let cost = message.cost();
        match self.kept.get(&message.topic) {
            Some(before) if before.own == own => {
                let before = before.message.cost();
                cost <= before || total.bytes - before + cost <= limits.max_retained_bytes
            }
            _ => {
                let room = limits.max_retained_bytes - limits.max_retained_bytes / 8;
                total.messages < limits.max_retained_messages && total.bytes + cost <= room
            }
        }
    }

    /// Keeps a message, in the place of the former of its topic; without a payload it only clears that.
    pub(super) fn set(&mut self, message: &Arc<Message>, own: bool) {
        self.clear(&message.topic);
        if !message.payload.is_empty() {
            let total = &mut self.totals[usize::from(own)];
            total.messages += 1;
            total.bytes += message.cost();
            self.kept.insert(message.topic.clone(), Kept { message: message.clone(), own });
        }
        if let Some(unsaved) = &mut self.unsaved {
            unsaved.insert(message.topic.clone());
        }
    }

    fn clear(&mut self, topic: &str) {
        if let Some(before) = self.kept.remove(topic) {
            let total = &mut self.totals[usize::from(before.own)];
            total.messages -= 1;
            total.bytes -= before.message.cost();
        }
    }

    /// The message of a topic.
    pub(super) fn get(&self, topic: &str) -> Option<&Arc<Message>> {
        self.kept.get(topic).map(|kept| &kept.message)
    }

    /// All messages whose topics come behind this one.
    pub(super) fn after<'a>(&'a self, topic: Option<&str>) -> impl Iterator<Item = &'a Arc<Message>> + use<'a> {
        let from = match topic {
            Some(topic) => std::ops::Bound::Excluded(topic),
            None => std::ops::Bound::Unbounded,
        };
        self.kept.range::<str, _>((from, std::ops::Bound::Unbounded)).map(|(_, kept)| &kept.message)
    }

    /// Forgets those whose time is over.
    pub(super) fn expire(&mut self, now: SystemTime) {
        let over: Vec<_> =
            self.kept.iter().filter(|(_, kept)| kept.message.is_expired(now)).map(|(topic, _)| topic.clone()).collect();
        for topic in over {
            self.clear(&topic);
            if let Some(unsaved) = &mut self.unsaved {
                unsaved.insert(topic);
            }
        }
    }

    /// Takes up to so many topics that the disk doesn't know yet.
    pub(super) fn take_unsaved(&mut self, most: usize) -> Vec<(Box<str>, Option<Arc<Message>>)> {
        let mut taken = Vec::new();
        while let Some(topic) = self.unsaved.as_mut().filter(|_| taken.len() < most).and_then(BTreeSet::pop_first) {
            let message = self.get(&topic).cloned();
            taken.push((topic, message));
        }
        taken
    }

    /// Puts topics back that could not be saved.
    pub(super) fn not_saved(&mut self, topic: Box<str>) {
        if let Some(unsaved) = &mut self.unsaved {
            unsaved.insert(topic);
        }
    }

    /// Returns whether something is to be saved.
    pub(super) fn has_unsaved(&self) -> bool {
        self.unsaved.as_ref().is_some_and(|topics| !topics.is_empty())
    }
}
