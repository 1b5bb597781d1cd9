//! All configured tasks: messages of devices become events; commands, questions and set-points find their topics.
//!
//! After every call, publish what [`Devices::next_message`] returns, in this order and not retained.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::configured::DeviceTask;
use super::outgoing::ToDevice;
use super::tracked::TrackedDevice;
use crate::core::{Action, Event, Instant, TaskId};
use crate::devices::received::Received;
use crate::devices::template::DeviceMessage;
use crate::units::Watts;

/// All configured tasks and their devices. By default there are none.
#[derive(Debug, Default)]
pub struct Devices {
    devices: BTreeMap<TaskId, TrackedDevice>,
    by_topic: BTreeMap<String, BTreeSet<TaskId>>,
    outgoing: VecDeque<ToDevice>,
    /// The broker is connected and has confirmed every subscription.
    connected: bool,
}

impl Devices {
    /// The devices of a configuration. Each has an id of its own.
    #[must_use]
    pub fn new(configured: impl IntoIterator<Item = DeviceTask>) -> Self {
        let mut all = Self::default();
        for task in configured {
            for (_, topic) in task.listens_to() {
                all.by_topic.entry(topic.to_owned()).or_default().insert(task.id.clone());
            }
            all.devices.insert(task.id.clone(), TrackedDevice::new(task));
        }
        all
    }

    /// Returns every topic to subscribe to, once.
    pub fn topics(&self) -> impl Iterator<Item = &str> {
        self.by_topic.keys().map(String::as_str)
    }

    /// Returns a configured task. `None`: the configuration has no such task.
    #[must_use]
    pub fn get(&self, id: &TaskId) -> Option<&DeviceTask> {
        self.devices.get(id).map(|device| &device.task)
    }

    /// Returns all configured tasks, by their ids in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = &DeviceTask> {
        self.devices.values().map(|device| &device.task)
    }

    // Messages and events.

    /// Returns the events that register every task. The scheduler needs them before all others. As in Home Assistant, a task
    /// with an `availability_topic` is unavailable until it tells otherwise.
    #[must_use]
    pub fn register(&self) -> Vec<Event> {
        self.devices.values().map(TrackedDevice::registered).collect()
    }

    /// Returns the event that registers a configured task again, after somebody tried to register another with its id.
    #[must_use]
    pub fn registered(&self, id: &TaskId) -> Option<Event> {
        self.devices.get(id).map(TrackedDevice::registered)
    }

    /// Takes a message, and returns what it comes to. `None`: no task listens to its topic. `retained`: the broker had kept
    /// it.
    pub fn receive(&mut self, topic: &str, payload: &[u8], retained: bool, now: Instant) -> Option<Vec<Received>> {
        let listeners = self.by_topic.get(topic)?;
        let message = match DeviceMessage::new(topic, payload) {
            Ok(message) => message,
            Err(problem) => return Some(vec![Err(problem.to_string())]),
        };
        let mut received = Vec::new();
        for id in listeners {
            let Some(device) = self.devices.get_mut(id) else { continue };
            if device.receive(&message, retained, now, &mut received) && self.connected {
                self.outgoing.extend(device.resend(now));
            }
        }
        Some(received)
    }

    /// Notes that a command has been sent. Returns the new state of an optimistic task.
    pub fn command_sent(&mut self, topic: &str, payload: &[u8], now: Instant) -> Option<Event> {
        let mut addressed = self.devices.values_mut().filter(|device| device.task.command_topic == topic);
        addressed.find_map(|device| device.command_sent(payload, now))
    }

    /// Notes whether a task ran when an earlier Sunward saw it last.
    pub fn recall(&mut self, id: &TaskId, was_running: bool) {
        if let Some(device) = self.devices.get_mut(id) {
            device.recall(was_running);
        }
    }

    /// Ends the start-up, once every retained message has come. Returns the states of optimistic tasks that have told none:
    /// what they were, or off.
    pub fn end_start_up(&mut self, now: Instant) -> Vec<Event> {
        self.devices.values_mut().filter_map(|device| device.end_start_up(now)).collect()
    }

    // Messages to devices.

    /// Notes that the broker is connected and has confirmed every subscription: devices are asked for their state.
    pub fn connected(&mut self, now: Instant) {
        self.connected = true;
        self.outgoing.extend(self.devices.values_mut().flat_map(|device| device.resend(now)));
    }

    /// Notes that the connection is lost: no device is asked.
    pub fn disconnected(&mut self) {
        self.connected = false;
    }

    /// Returns when [`Devices::wake`] has to be called. `None`: never.
    #[must_use]
    pub fn next_wakeup(&self) -> Option<Instant> {
        self.devices.values().filter(|_| self.connected).filter_map(TrackedDevice::asks_at).min()
    }

    /// Asks the devices that are due.
    pub fn wake(&mut self, now: Instant) {
        for device in self.devices.values_mut().filter(|_| self.connected) {
            if device.asks_at().is_some_and(|at| at <= now) {
                self.outgoing.extend(device.ask(now));
            }
        }
    }

    /// Returns the message that starts or stops a task. `None`: it is not configured.
    #[must_use]
    pub fn command(&self, id: &TaskId, action: Action) -> Option<ToDevice> {
        self.devices.get(id).map(|device| device.command(action))
    }

    /// Sends a set-point to a task. Returns whether the task has a topic for it; otherwise it goes to Sunward's own topic.
    ///
    /// # Errors
    /// Its topic, and why its template made nothing of the watts.
    pub fn set_setpoint(&mut self, id: &TaskId, watts: Watts) -> Result<bool, (String, String)> {
        let Some(outcome) = self.devices.get_mut(id).and_then(|device| device.set_setpoint(watts)) else {
            return Ok(false);
        };
        self.outgoing.push_back(outcome?);
        Ok(true)
    }

    /// Returns whether a task is configured with a topic for its set-points.
    #[must_use]
    pub fn has_setpoint_topic(&self, id: &TaskId) -> bool {
        self.get(id).is_some_and(|task| task.setpoint.is_some())
    }

    /// Returns the next message to publish.
    pub fn next_message(&mut self) -> Option<ToDevice> {
        self.outgoing.pop_front()
    }
}
