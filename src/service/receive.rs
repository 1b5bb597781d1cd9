//! What comes in: each message becomes an event of the scheduler, or a rejection that names its topic. `wire` reads the
//! payloads.

use super::output::Output;
use super::service::Service;
use crate::core::{Event, Source, TaskId, UserCommand};
use crate::mqtt::Message;
use crate::wire::topics::{TaskTopic, Topic};
use crate::wire::{self, RegistrationMessage, SetCommand};

impl Service {
    pub(super) fn receive(&mut self, message: Message) {
        if message.retain {
            self.start_up.note_retained(self.now.at);
        }
        let sensed = self.receive_from_sensors(&message);
        let known = self.receive_from_device(&message) || sensed;
        let is_power = message.topic == self.power.topic;
        if is_power || message.topic == self.power.fallback_topic {
            let source = if is_power { Source::Meter } else { Source::Fallback };
            self.receive_power(source, &message);
            return;
        }
        let starting = !self.start_up.is_over();
        if self.discovery.receive(&message, starting, &mut self.outputs) {
            if self.discovery.is_birth(&message) && !starting {
                self.outputs.info("Home Assistant has started: it is told everything again");
                self.publish_again();
            }
            return;
        }
        let topic = self.topics.parse(&message.topic);
        match topic {
            Some(Topic::SchedulerSet) => self.receive_command(message),
            Some(Topic::Task(id, kind @ (TaskTopic::ModeSet | TaskTopic::PrioritySet))) => {
                self.receive_task_command(id, kind, message);
            }
            Some(Topic::Task(id, kind)) => self.receive_task(id, kind, &message),
            Some(Topic::SchedulerState) if starting && message.retain => {
                if let Err(problem) = self.earlier_run.note_state(&message.payload, self.now.wall) {
                    self.outputs.warn(format!("the state of an earlier run can't be read: {problem}"));
                }
            }
            Some(Topic::SchedulerAvailability) => self.receive_own_availability(&message),
            Some(Topic::SchedulerCycle) if starting && message.retain => {
                self.earlier_run.note_cycle(&message.payload);
            }
            Some(Topic::SchedulerCycle) if !message.retain => self.receive_cycle(&message),
            None if known => {}
            // Nothing that somebody publishes for us may be passed over in silence.
            None if message.payload.is_empty() => {}
            None => self.reject(&message.topic, "not a topic of Sunward's: a task id has 1 to 64 of A-Z a-z 0-9 _ -"),
            Some(_) => {}
        }
    }

    /// Whoever calls this Sunward away is wrong: another one has ended that speaks on the same topics, or the broker was late
    /// with a last will.
    fn receive_own_availability(&mut self, message: &Message) {
        if message.retain || !self.start_up.is_over() || message.payload != b"offline" {
            return;
        }
        self.publisher.publish_always(message.topic.clone(), b"online".to_vec(), &mut self.outputs);
        self.reject(
            &message.topic,
            "\"offline\" came, and this Sunward runs: is there another one with this mqtt.base_topic?",
        );
    }

    /// A cycle has run: ours, which comes back, or another Sunward's.
    fn receive_cycle(&mut self, message: &Message) {
        if self.duplicate.note_cycle(&message.payload, self.now) {
            if let Some(warning) = self.duplicate.warning(self.now) {
                self.outputs.warn(format!("{}: {warning}", message.topic));
            }
            self.reports_due.state();
        }
    }

    fn receive_power(&mut self, source: Source, message: &Message) {
        if message.retain {
            self.outputs.debug(format!("{}: a retained record is not a new one", message.topic));
            return;
        }
        match wire::power_message(&message.payload, self.power.unit) {
            Ok(record) => self.take_power_message(source, record, &message.topic),
            Err(problem) => self.reject(&message.topic, &problem.to_string()),
        }
    }

    pub(super) fn receive_command(&mut self, message: Message) {
        let Some(message) = self.due_command(message) else { return };
        match wire::command(&message.payload) {
            Ok(Some(SetCommand::Do(command))) => {
                self.outputs.info(format!("{}: {}", message.topic, describe(command)));
                self.handle(Event::Command(command), &message.topic);
            }
            Ok(Some(SetCommand::Schedule)) => self.run_cycle(),
            Ok(None) => {}
            Err(problem) => self.reject(&message.topic, &problem.to_string()),
        }
    }

    /// A command, if it is to be obeyed now: what comes during the start-up is kept until that is over.
    pub(super) fn due_command(&mut self, message: Message) -> Option<Message> {
        if message.payload.is_empty() {
            return None;
        }
        if !self.start_up.is_over() {
            self.start_up.keep(message);
            return None;
        }
        // Obeyed once: it must not come again with the next connection. A retained one that comes live doesn't say so.
        self.outputs.push(Output::Clear { topic: message.topic.clone() });
        Some(message)
    }

    fn receive_task(&mut self, id: TaskId, kind: TaskTopic, message: &Message) {
        if self.receive_about_configured(&id, kind, message) {
            return;
        }
        let topic = &message.topic;
        let payload = message.payload.as_slice();
        let event = match kind {
            TaskTopic::Config if payload.is_empty() => {
                self.payloads.remove(&id);
                Ok(Event::Unregistered(id))
            }
            TaskTopic::Config => match wire::registration(&id, payload, &self.criteria, &self.limits) {
                Ok(message) => return self.register(id, message, topic),
                Err(problem) => Err((Event::RegistrationRefused(id, problem.to_string()), problem)),
            },
            TaskTopic::State if payload.is_empty() => Ok(Event::StateCleared(id)),
            TaskTopic::State => match wire::state(payload, &self.limits) {
                // What the broker replays after a reconnect is as old as it was.
                Ok(state) if message.retain && self.scheduler.state(&id) == Some(&state) => return,
                Ok(state) => Ok(Event::State(id, Box::new(state))),
                Err(problem) => Err((Event::StateRefused(id, problem.to_string()), problem)),
            },
            TaskTopic::Availability => match wire::availability(payload) {
                Ok(available) => Ok(Event::Availability(id, available)),
                Err(problem) => return self.reject(topic, &problem.to_string()),
            },
            TaskTopic::Report | TaskTopic::Mode | TaskTopic::Priority | TaskTopic::Setpoint => {
                if !self.start_up.is_over() && message.retain && !payload.is_empty() {
                    self.note_earlier_run(id, kind, message);
                }
                return;
            }
            TaskTopic::Set | TaskTopic::ModeSet | TaskTopic::PrioritySet => return,
        };
        match event {
            Ok(event) => self.handle(event, topic),
            Err((event, problem)) => {
                self.handle(event, topic);
                self.reject(topic, &problem.to_string());
            }
        }
    }

    /// What an earlier run said of a task.
    fn note_earlier_run(&mut self, id: TaskId, kind: TaskTopic, message: &Message) {
        self.earlier_run.note_task(&id, kind, &message.payload);
        self.publisher.note_retained(&message.topic, &message.payload);
        if kind != TaskTopic::Setpoint {
            self.reported.insert(id);
        }
    }

    /// A task has registered itself: its commands, which may follow at once, say what this registration wants.
    fn register(&mut self, id: TaskId, message: RegistrationMessage, topic: &str) {
        let RegistrationMessage { registration, commands } = message;
        let before = self.payloads.insert(id.clone(), commands);
        if before.is_some_and(|before| self.payloads.get(&id) != Some(&before)) {
            self.handle(Event::PayloadsChanged(id.clone()), topic);
        }
        self.handle(Event::Registered(id.clone(), Box::new(registration)), topic);
        if self.scheduler.task(&id, self.now).is_none() {
            // There was no room for it. One whose keys another task has may be registered later.
            self.payloads.remove(&id);
        }
    }
}

fn describe(command: UserCommand) -> &'static str {
    match command {
        UserCommand::Pause => "paused",
        UserCommand::Resume => "resumed",
        UserCommand::StopAll => "everything is to be stopped, then paused",
    }
}
