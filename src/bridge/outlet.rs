//! What is published: retained states only when they change, and all of them again after a new connection.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use crate::mqtt::{Handle, Outgoing};

#[derive(Debug)]
pub(super) struct Outlet {
    handle: Handle,
    /// What the broker retains of ours, by topic.
    retained: HashMap<String, Vec<u8>>,
    /// The topics of task reports among them.
    reports: BTreeMap<String, ()>,
}

impl Outlet {
    pub(super) fn new(handle: Handle) -> Self {
        Self { handle, retained: HashMap::new(), reports: BTreeMap::new() }
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// A retained state, if it is new.
    pub(super) fn state(&mut self, topic: String, payload: Vec<u8>) {
        if self.retained.get(&topic) != Some(&payload) {
            self.publish(Outgoing::state(topic.clone(), payload.clone()));
            self.retained.insert(topic, payload);
        }
    }

    /// A retained event: also when it reads like the one before.
    pub(super) fn event(&mut self, topic: String, payload: Vec<u8>) {
        self.publish(Outgoing::state(topic.clone(), payload.clone()));
        self.retained.insert(topic, payload);
    }

    /// A report that an earlier run left.
    pub(super) fn remember(&mut self, topic: &str, payload: &[u8]) {
        self.reports.insert(topic.to_owned(), ());
        self.recall(topic, payload);
    }

    /// Any other state that an earlier run left.
    pub(super) fn recall(&mut self, topic: &str, payload: &[u8]) {
        self.retained.insert(topic.to_owned(), payload.to_vec());
    }

    /// All reports: the new and changed ones are published, those of tasks that are gone are cleared.
    pub(super) fn reports(&mut self, reports: BTreeMap<String, Vec<u8>>) {
        let gone: Vec<String> = self.reports.keys().filter(|topic| !reports.contains_key(*topic)).cloned().collect();
        for topic in gone {
            self.reports.remove(&topic);
            self.forget(&topic);
        }
        for (topic, payload) in reports {
            self.reports.insert(topic.clone(), ());
            self.state(topic, payload);
        }
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

    /// After a new connection: the broker may have forgotten everything.
    pub(super) fn publish_again(&self) {
        for (topic, payload) in &self.retained {
            self.publish(Outgoing::state(topic.clone(), payload.clone()));
        }
    }

    fn publish(&self, message: Outgoing) {
        if let Err(problem) = self.handle.publish(message) {
            tracing::warn!("{problem}");
        }
    }
}
