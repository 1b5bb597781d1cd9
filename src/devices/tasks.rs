//! All configured tasks: messages of devices become events; commands, questions and set-points find their topics.
//!
//! After every call, what [`Tasks::next_message`] hands out is to be sent, in this order and never retained.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Heard;
use super::device::Device;
use super::task::{Task, ToDevice};
use super::template::Message;
use crate::core::{Action, Event, Instant, TaskId};
use crate::units::Watts;

/// See the module.
#[derive(Debug, Default)]
pub struct Tasks {
    devices: BTreeMap<TaskId, Device>,
    by_topic: BTreeMap<String, BTreeSet<TaskId>>,
    waiting: VecDeque<ToDevice>,
    /// The broker is there and listens for us.
    connected: bool,
}

impl Tasks {
    /// The tasks of a configuration. Each has an id of its own.
    #[must_use]
    pub fn new(configured: impl IntoIterator<Item = Task>) -> Self {
        let mut all = Self::default();
        for task in configured {
            for (_, topic) in task.listens_to() {
                all.by_topic.entry(topic.to_owned()).or_default().insert(task.id.clone());
            }
            all.devices.insert(task.id.clone(), Device::new(task));
        }
        all
    }

    /// Every topic that is listened to, once.
    pub fn topics(&self) -> impl Iterator<Item = &str> {
        self.by_topic.keys().map(String::as_str)
    }

    /// A task that stands in the configuration.
    #[must_use]
    pub fn get(&self, id: &TaskId) -> Option<&Task> {
        self.devices.get(id).map(|device| &device.task)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Task> {
        self.devices.values().map(|device| &device.task)
    }

    // What comes in.

    /// What the scheduler hears before anything else: every task is registered. One that has an availability is away until
    /// it says otherwise, as in Home Assistant.
    #[must_use]
    pub fn register(&self) -> Vec<Event> {
        self.devices.values().map(Device::registered).collect()
    }

    /// Its registration again, for one that somebody else had tried to change.
    #[must_use]
    pub fn registered(&self, id: &TaskId) -> Option<Event> {
        self.devices.get(id).map(Device::registered)
    }

    /// A message came; `retained`: the broker replays it. `None`: nobody listens to its topic.
    pub fn receive(&mut self, topic: &str, payload: &[u8], retained: bool, now: Instant) -> Option<Vec<Heard>> {
        let listeners = self.by_topic.get(topic)?;
        let message = match Message::new(topic, payload) {
            Ok(message) => message,
            Err(problem) => return Some(vec![Err(problem.to_string())]),
        };
        let mut heard = Vec::new();
        for id in listeners {
            let Some(device) = self.devices.get_mut(id) else { continue };
            if device.receive(&message, retained, now, &mut heard) && self.connected {
                self.waiting.extend(device.greet(now));
            }
        }
        Some(heard)
    }

    /// A command has left: where nobody answers, that is the state.
    pub fn sent(&mut self, topic: &str, payload: &[u8], now: Instant) -> Option<Event> {
        let mut addressed = self.devices.values_mut().filter(|device| device.task.command_topic == topic);
        addressed.find_map(|device| device.sent(payload, now))
    }

    /// How an earlier run of Sunward had seen it last.
    pub fn recall(&mut self, id: &TaskId, was_running: bool) {
        if let Some(device) = self.devices.get_mut(id) {
            device.recall(was_running);
        }
    }

    /// Everything retained has come in: optimistic tasks of which nothing was said are what they were, or off.
    pub fn settle(&mut self, now: Instant) -> Vec<Event> {
        self.devices.values_mut().filter_map(|device| device.settle(now)).collect()
    }

    // What goes out.

    /// The broker is there and every subscription is answered.
    pub fn connected(&mut self, now: Instant) {
        self.connected = true;
        self.waiting.extend(self.devices.values_mut().flat_map(|device| device.greet(now)));
    }

    /// The connection is gone: nobody can be asked.
    pub fn disconnected(&mut self) {
        self.connected = false;
    }

    /// When [`Tasks::wake`] has to be called.
    #[must_use]
    pub fn next_wakeup(&self) -> Option<Instant> {
        self.devices.values().filter(|_| self.connected).filter_map(Device::asks_at).min()
    }

    /// Asks those whose state would expire otherwise.
    pub fn wake(&mut self, now: Instant) {
        for device in self.devices.values_mut().filter(|_| self.connected) {
            if device.asks_at().is_some_and(|at| at <= now) {
                self.waiting.extend(device.ask(now));
            }
        }
    }

    /// What starts or stops a configured task.
    #[must_use]
    pub fn command(&self, id: &TaskId, action: Action) -> Option<ToDevice> {
        self.devices.get(id).map(|device| device.command(action))
    }

    /// A configured task may use so much from now on. False: it takes its set-point on Sunward's own topic.
    ///
    /// # Errors
    /// Its topic, and why its template made nothing of it.
    pub fn allow(&mut self, id: &TaskId, watts: Watts) -> Result<bool, (String, String)> {
        let Some(outcome) = self.devices.get_mut(id).and_then(|device| device.allow(watts)) else { return Ok(false) };
        self.waiting.push_back(outcome?);
        Ok(true)
    }

    /// Whether a configured task takes its set-points on a topic of its own.
    #[must_use]
    pub fn has_setpoint_topic(&self, id: &TaskId) -> bool {
        self.get(id).is_some_and(|task| task.setpoint.is_some())
    }

    /// The next message to be sent.
    pub fn next_message(&mut self) -> Option<ToDevice> {
        self.waiting.pop_front()
    }
}
