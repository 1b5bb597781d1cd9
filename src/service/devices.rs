//! Off-the-shelf devices: what they say goes to the scheduler, what it decides goes to their own topics. `devices` reads
//! and writes their words.

use super::output::Output;
use super::service::Service;
use crate::core::{Action, Event, TaskId};
use crate::mqtt::Message;
use crate::units::Watts;
use crate::wire::report::{self, TaskReport};
use crate::wire::topics::TaskTopic;

/// Where the tasks of the configuration come from.
const CONFIGURATION: &str = "[[task]]";

impl Service {
    /// Before anything comes in.
    pub(super) fn register_devices(&mut self) {
        for event in self.devices.register() {
            self.handle(event, CONFIGURATION);
        }
    }

    /// A message on a topic that the configuration names. False: it names no such topic.
    pub(super) fn receive_from_device(&mut self, message: &Message) -> bool {
        let outcomes = self.devices.receive(&message.topic, &message.payload, message.retain, self.now.at);
        let Some(outcomes) = outcomes else { return false };
        for outcome in outcomes {
            self.feed_received(outcome, &message.topic);
        }
        self.send_to_devices();
        true
    }

    /// Somebody speaks on Sunward's own topics for a task that the configuration describes. False: it describes no such
    /// task, or what was said concerns no device.
    pub(super) fn receive_about_configured(&mut self, id: &TaskId, kind: TaskTopic, message: &Message) -> bool {
        let Some(registered) = self.devices.registered(id) else { return false };
        let (topic, empty) = (&message.topic, message.payload.is_empty());
        match kind {
            TaskTopic::Config if empty => self.handle(registered, topic),
            TaskTopic::Config => {
                let why = format!("task {id} stands in the configuration, [[task]], which wins over a registration");
                self.handle(Event::RegistrationRefused(id.clone(), why.clone()), topic);
                self.reject(topic, &why);
            }
            TaskTopic::State | TaskTopic::Availability if empty => {}
            TaskTopic::State | TaskTopic::Availability => {
                self.reject(topic, &format!("task {id} tells this on the topics of its [[task]], not here"));
            }
            TaskTopic::Report if !self.start_up.is_over() && message.retain => {
                let report: TaskReport = serde_json::from_slice(&message.payload).unwrap_or_default();
                self.devices.recall(id, report.running() == Some(true));
                return false;
            }
            _ => return false,
        }
        true
    }

    /// The broker has a command: some devices never say more.
    pub(super) fn command_sent(&mut self, topic: &str, payload: &[u8]) {
        if let Some(event) = self.devices.command_sent(topic, payload, self.now.at) {
            self.handle(event, topic);
        }
    }

    /// The retained messages have come in.
    pub(super) fn settle_devices(&mut self) {
        for event in self.devices.end_start_up(self.now.at) {
            self.handle(event, CONFIGURATION);
        }
    }

    /// The broker is there again: devices are asked for their states.
    pub(super) fn query_devices(&mut self) {
        self.devices.connected(self.now.at);
        self.send_to_devices();
    }

    /// Some state would expire soon.
    pub(super) fn wake_devices(&mut self) {
        self.devices.wake(self.now.at);
        self.send_to_devices();
    }

    pub(super) fn command(&mut self, task: &TaskId, action: Action) {
        let (topic, payload) = match self.devices.command(task, action) {
            Some(message) => (message.topic, message.payload),
            None => {
                let Some(commands) = self.payloads.get(task) else {
                    // A task that registers has payloads, and one of the configuration has a command topic.
                    return self.outputs.warn(format!("task {task} has no payloads: its command is not sent"));
                };
                (self.topics.task(task, TaskTopic::Set), commands.of(action).to_owned())
            }
        };
        self.outputs.push(Output::Command { topic, payload, expiry: self.cycle, task: Some(task.clone()) });
    }

    /// The task may use so much from now on. What goes to a device is not retained: a charger that reboots must not take
    /// up what was true yesterday.
    pub(super) fn send_setpoint(&mut self, task: &TaskId, watts: Option<Watts>) {
        let topic = self.topics.task(task, TaskTopic::Setpoint);
        match watts.map(|watts| (watts, self.devices.set_setpoint(task, watts))) {
            Some((watts, Ok(false))) => {
                let payload = report::setpoint(watts).into_bytes();
                self.publisher.publish_if_changed(topic, payload, &mut self.outputs);
            }
            None => self.publisher.clear_retained(&topic, &mut self.outputs),
            Some((_, Ok(true))) => {
                self.publisher.clear_retained(&topic, &mut self.outputs);
                // Not later than a start that comes behind it.
                self.send_to_devices();
            }
            Some((_, Err((topic, problem)))) => self.reject(&topic, &problem),
        }
    }

    pub(super) fn send_to_devices(&mut self) {
        while let Some(message) = self.devices.next_message() {
            let (topic, payload) = (message.topic, message.payload);
            self.outputs.push(Output::Command { topic, payload, expiry: self.cycle, task: None });
        }
    }
}
