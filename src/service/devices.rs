//! Off-the-shelf devices: what they tell goes to the scheduler, what it decides goes to their own topics.
//!
//! Refuses to read what they say: that is `devices`'.

use crate::core::{Action, Event, TaskId};
use crate::mqtt::Message;
use crate::units::Watts;
use crate::wire::report::{self, TaskReport};
use crate::wire::topics::TaskTopic;

use super::Bridge;

impl Bridge {
    /// Before anything else is heard.
    pub(super) fn register_devices(&mut self) {
        for event in self.tasks.register() {
            self.handle(event, "[[task]]");
        }
    }

    /// A message on a topic that the configuration names. False: it names no such topic.
    pub(super) fn receive_from_device(&mut self, message: &Message) -> bool {
        let now = self.clock.now().at;
        let Some(heard) = self.tasks.receive(&message.topic, &message.payload, message.retain, now) else {
            return false;
        };
        for outcome in heard {
            self.take_in(outcome, &message.topic);
        }
        self.send_to_devices();
        self.tell();
        true
    }

    /// Somebody speaks on Sunward's own topics for a task that the configuration describes. False: it describes no such
    /// task, or what was said concerns no device.
    pub(super) fn receive_about_configured(&mut self, id: &TaskId, kind: TaskTopic, message: &Message) -> bool {
        let Some(registered) = self.tasks.registered(id) else { return false };
        let (topic, empty) = (&message.topic, message.payload.is_empty());
        match kind {
            TaskTopic::Config if empty => self.handle(registered, topic),
            TaskTopic::Config => {
                let why = format!("task {id} stands in the configuration, [[task]], which wins over a registration");
                self.handle(Event::RegistrationRefused(id.clone(), why.clone()), topic);
                self.fault(topic, &why);
            }
            TaskTopic::State | TaskTopic::Availability if empty => {}
            TaskTopic::State | TaskTopic::Availability => {
                self.fault(topic, &format!("task {id} tells this on the topics of its [[task]], not here"));
            }
            TaskTopic::Report if self.start_up.is_open() && message.retain => {
                let report: TaskReport = serde_json::from_slice(&message.payload).unwrap_or_default();
                self.tasks.recall(id, report.running() == Some(true));
                return false;
            }
            _ => return false,
        }
        self.tell();
        true
    }

    /// A command is out of our hands: some devices never say more.
    pub(super) fn command_sent(&mut self, topic: &str, payload: &[u8]) {
        if let Some(event) = self.tasks.sent(topic, payload, self.clock.now().at) {
            self.handle(event, topic);
            self.tell();
        }
    }

    /// The retained messages have come in.
    pub(super) fn settle_devices(&mut self) {
        for event in self.tasks.settle(self.clock.now().at) {
            self.handle(event, "[[task]]");
        }
    }

    /// The broker is there again.
    pub(super) fn greet_devices(&mut self) {
        self.tasks.connected(self.clock.now().at);
        self.send_to_devices();
    }

    /// Some state would expire soon.
    pub(super) fn ask_devices(&mut self) {
        self.tasks.wake(self.clock.now().at);
        self.send_to_devices();
    }

    pub(super) fn command(&self, task: &TaskId, action: Action) {
        let (topic, payload) = match self.tasks.command(task, action) {
            Some(message) => (message.topic, message.payload),
            None => {
                let Some(commands) = self.commands.get(task) else { return };
                (self.topics.task(task, TaskTopic::Set), commands.of(action).to_owned())
            }
        };
        self.outlet.command(topic, payload, self.cycle);
    }

    /// The task may use so much from now on. What goes to a device is not retained: a charger that reboots must not take
    /// up what was true yesterday.
    pub(super) fn allow(&mut self, task: &TaskId, watts: Option<Watts>) {
        let topic = self.topics.task(task, TaskTopic::Setpoint);
        match watts.map(|watts| (watts, self.tasks.allow(task, watts))) {
            Some((watts, Ok(false))) => self.outlet.state(topic, report::setpoint(watts).into_bytes()),
            None => self.outlet.forget(&topic),
            Some((_, Ok(true))) => {
                self.outlet.forget(&topic);
                // Not later than a start that comes behind it.
                self.send_to_devices();
            }
            Some((_, Err((topic, problem)))) => self.fault(&topic, &problem),
        }
    }

    pub(super) fn send_to_devices(&mut self) {
        while let Some(message) = self.tasks.next_message() {
            self.outlet.command(message.topic, message.payload, self.cycle);
        }
    }
}
