//! What is published: retained states only when they change, and all of them again, paced, after a new connection.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use crate::mqtt::{Handle, Outgoing};

/// When everything is published again, it comes in batches of so many,
const BATCH: usize = 20;

/// with so long between them: a small broker and Home Assistant have other things to do.
const PAUSE: Duration = Duration::from_millis(100);

/// Topics that are told together: what is not told any more is cleared.
#[derive(Debug, Default)]
pub(super) struct Family(BTreeSet<String>);

impl Family {
    pub(super) fn topics(&self) -> Vec<String> {
        self.0.iter().cloned().collect()
    }
}

#[derive(Debug)]
pub(super) struct Outlet {
    handle: Handle,
    /// What the broker retains of ours, by topic.
    retained: HashMap<String, Vec<u8>>,
    /// To be published again, in order.
    again: VecDeque<String>,
    /// When the next of them are due.
    due: Instant,
}

impl Outlet {
    pub(super) fn new(handle: Handle) -> Self {
        let due = Instant::now();
        Self { handle, retained: HashMap::new(), again: VecDeque::new(), due }
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// A retained state, if it is new.
    pub(super) fn state(&mut self, topic: String, payload: Vec<u8>) {
        if self.retained.get(&topic) != Some(&payload) {
            self.event(topic, payload);
        }
    }

    /// A retained event: also when it reads like the one before.
    pub(super) fn event(&mut self, topic: String, payload: Vec<u8>) {
        self.publish(Outgoing::state(topic.clone(), payload.clone()));
        self.retained.insert(topic, payload);
    }

    /// Any state that an earlier run left.
    pub(super) fn recall(&mut self, topic: &str, payload: &[u8]) {
        self.retained.insert(topic.to_owned(), payload.to_vec());
    }

    /// One of a family that an earlier run left.
    pub(super) fn remember(&mut self, family: &mut Family, topic: &str, payload: &[u8]) {
        family.0.insert(topic.to_owned());
        self.recall(topic, payload);
    }

    /// Somebody else cleared it: what it was.
    pub(super) fn lose(&mut self, family: &mut Family, topic: &str) -> Option<Vec<u8>> {
        family.0.remove(topic);
        self.retained.remove(topic)
    }

    /// A whole family: the new and changed ones are published, those that are gone are cleared. Answers which these were.
    pub(super) fn replace(&mut self, family: &mut Family, told: BTreeMap<String, Vec<u8>>) -> Vec<String> {
        let gone: Vec<String> = family.0.iter().filter(|topic| !told.contains_key(*topic)).cloned().collect();
        for topic in &gone {
            family.0.remove(topic);
            self.forget(topic);
        }
        for (topic, payload) in told {
            family.0.insert(topic.clone());
            self.state(topic, payload);
        }
        gone
    }

    /// Clears a retained state for good.
    pub(super) fn forget(&mut self, topic: &str) {
        if self.retained.remove(topic).is_some() {
            self.clear(topic);
        }
    }

    pub(super) fn clear(&self, topic: &str) {
        self.publish(Outgoing::clear(topic));
    }

    pub(super) fn command(&self, topic: String, payload: String, expiry: Duration) {
        self.publish(Outgoing::command(topic, payload, expiry));
    }

    /// Everything is published again, these first: the broker may have forgotten it, or somebody has come who did not
    /// hear it.
    pub(super) fn publish_again(&mut self, first: Vec<String>) {
        let firsts: HashSet<&String> = first.iter().collect();
        let rest: BTreeSet<String> = self.retained.keys().filter(|topic| !firsts.contains(topic)).cloned().collect();
        self.again = first.into_iter().chain(rest).collect();
        self.due = Instant::now();
    }

    /// Waits until some of them are due; for ever while there are none.
    pub(super) async fn pause(&self) {
        if self.again.is_empty() {
            return std::future::pending().await;
        }
        tokio::time::sleep_until(self.due).await;
    }

    /// Publishes some of them, as they are now.
    pub(super) fn publish_some(&mut self) {
        for topic in self.again.drain(..self.again.len().min(BATCH)).collect::<Vec<_>>() {
            if let Some(payload) = self.retained.get(&topic) {
                self.publish(Outgoing::state(topic, payload.clone()));
            }
        }
        self.due = Instant::now() + PAUSE;
    }

    fn publish(&self, message: Outgoing) {
        if let Err(problem) = self.handle.publish(message) {
            tracing::warn!("{problem}");
        }
    }
}
