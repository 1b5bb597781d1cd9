//! One configured task while Sunward runs: what its device has told, when to ask it, and its last set-point.
//!
//! Nothing is sent here: messages to the device are returned.

use std::time::Duration;

use minijinja::context;

use super::assembled::{AssembledState, StateChange};
use super::binary::BinaryValue;
use super::configured::DeviceTask;
use super::outgoing::{SetpointTopic, ToDevice};
use crate::core::{Action, Event, Instant};
use crate::devices::received::Received;
use crate::devices::template::{DeviceMessage, Rendered};
use crate::units::Watts;

/// The shortest time between two questions.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// The time between two questions while the state is unknown: the device may have joined the network after the last one.
const ASK_UNTIL_KNOWN: Duration = Duration::from_secs(60);

/// One configured task while Sunward runs.
#[derive(Debug)]
pub(super) struct TrackedDevice {
    pub(super) task: DeviceTask,
    state: AssembledState,
    available: Option<bool>,
    /// Whether it ran when an earlier Sunward saw it last.
    was_running: bool,
    /// When it told its state last.
    told_at: Option<Instant>,
    asked_at: Option<Instant>,
    /// The last set-point.
    setpoint: Option<ToDevice>,
}

impl TrackedDevice {
    pub(super) fn new(task: DeviceTask) -> Self {
        let state = AssembledState::default();
        Self { task, state, available: None, was_running: false, told_at: None, asked_at: None, setpoint: None }
    }

    /// Returns the event that registers it.
    pub(super) fn registered(&self) -> Event {
        Event::Registered(self.task.id.clone(), Box::new(self.task.registration.clone()))
    }

    /// Takes a message, and adds what it comes to. `retained`: the broker had kept it. Returns whether the device has just
    /// become available, and has to be asked for its state.
    pub(super) fn receive(
        &mut self,
        message: &DeviceMessage<'_>,
        retained: bool,
        now: Instant,
        received: &mut Vec<Received>,
    ) -> bool {
        let (change, rejected) = self.state.receive(&self.task, message, retained);
        received.extend(self.event(change, now).map(Ok));
        let id = &self.task.id;
        for why in rejected {
            received.push(Ok(Event::StateRefused(id.clone(), why.clone())));
            received.push(Err(format!("task {id}: {why}")));
        }
        self.receive_availability(message, retained, received)
    }

    fn receive_availability(
        &mut self,
        message: &DeviceMessage<'_>,
        retained: bool,
        received: &mut Vec<Received>,
    ) -> bool {
        let id = &self.task.id;
        let Some(topic) = self.task.availability.as_ref().filter(|topic| topic.topic == message.topic()) else {
            return false;
        };
        match topic.read(message) {
            Ok(BinaryValue::Known(available)) => {
                received.push(Ok(Event::Availability(id.clone(), Some(available))));
                let was_away = self.available == Some(false);
                self.available = Some(available);
                // After a power cut a plug may become available only after Sunward has asked for the first time.
                available && (was_away || !retained && !self.state.is_known())
            }
            Ok(BinaryValue::Unknown | BinaryValue::Untold) => false,
            Err(why) => {
                received.push(Err(format!("task {id}: availability: {why}")));
                false
            }
        }
    }

    fn event(&mut self, change: StateChange, now: Instant) -> Option<Event> {
        let id = self.task.id.clone();
        match change {
            StateChange::None => None,
            StateChange::Cleared => Some(Event::StateCleared(id)),
            StateChange::State(state) => {
                self.told_at = Some(now);
                Some(Event::State(id, Box::new(state)))
            }
        }
    }

    // Devices that don't tell their state.

    /// Notes that a command has been sent. Returns the new state of an optimistic task.
    pub(super) fn command_sent(&mut self, payload: &[u8], now: Instant) -> Option<Event> {
        let commands = &self.task.commands;
        let running = payload == commands.on.as_bytes();
        if !self.task.optimistic || !running && payload != commands.off.as_bytes() {
            return None;
        }
        let change = self.state.assume(&self.task, running);
        self.event(change, now)
    }

    /// Notes whether it ran when an earlier Sunward saw it last.
    pub(super) fn recall(&mut self, was_running: bool) {
        self.was_running = was_running;
    }

    /// Ends the start-up, once every retained message has come. Returns the state of an optimistic task that has told none:
    /// what it was, or off.
    pub(super) fn end_start_up(&mut self, now: Instant) -> Option<Event> {
        if !self.task.optimistic || self.state.is_known() {
            return None;
        }
        let change = self.state.assume(&self.task, self.was_running);
        self.event(change, now)
    }

    // Messages to the device.

    /// Returns the message that starts or stops it.
    pub(super) fn command(&self, action: Action) -> ToDevice {
        ToDevice { topic: self.task.command_topic.clone(), payload: self.task.commands.of(action).to_owned() }
    }

    /// Returns the messages to a device that may have been away: its last set-point, and the question for its state.
    pub(super) fn resend(&mut self, now: Instant) -> Vec<ToDevice> {
        self.setpoint.clone().into_iter().chain(self.ask(now)).collect()
    }

    /// Returns the question for its state, if it has one.
    pub(super) fn ask(&mut self, now: Instant) -> Option<ToDevice> {
        let question = self.task.query.clone()?;
        self.asked_at = Some(now);
        Some(question)
    }

    /// Returns when to ask next, so that the answer comes before the state expires: after two thirds of `expire_after`, then
    /// every third. Without `expire_after` it is asked until its state is known.
    pub(super) fn asks_at(&self) -> Option<Instant> {
        self.task.query.as_ref()?;
        if self.told_at.is_none() && self.task.registration.expire_after.is_none() {
            return self.asked_at.map(|asked_at| asked_at + ASK_UNTIL_KNOWN);
        }
        let third = (self.task.registration.expire_after? / 3).max(SHORTEST_PAUSE);
        let after_state = self.told_at.map(|told_at| told_at + 2 * third);
        let after_question = self.asked_at.map(|asked_at| asked_at + third);
        after_state.max(after_question)
    }

    /// Returns the message with a new set-point. `None`: the task has no topic for it.
    ///
    /// # Errors
    /// The topic, and why its template made nothing of the watts.
    pub(super) fn set_setpoint(&mut self, watts: Watts) -> Option<Result<ToDevice, (String, String)>> {
        let SetpointTopic { topic, template } = self.task.setpoint.as_ref()?;
        let payload = match template {
            None => Ok(whole(watts).to_string()),
            Some(template) => match template.fill(context! { value => whole(watts) }) {
                Ok(Rendered::Text(text)) => Ok(text),
                Ok(Rendered::Absent(why)) => Err(why.to_string()),
                Err(failure) => Err(failure.to_string()),
            },
        };
        Some(match payload {
            Ok(payload) => {
                let message = ToDevice { topic: topic.clone(), payload };
                self.setpoint = Some(message.clone());
                Ok(message)
            }
            Err(why) => {
                let id = &self.task.id;
                Err((topic.clone(), format!("task {id}: setpoint_template made nothing of {} W: {why}", watts.0)))
            }
        })
    }
}

/// Rounds to whole watts.
#[expect(clippy::cast_possible_truncation, reason = "a power lies within ±10 MW")]
fn whole(watts: Watts) -> i64 {
    watts.0.round() as i64
}
