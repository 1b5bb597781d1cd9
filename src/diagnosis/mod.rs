//! What somebody hears who listens to a broker for a while, and what of it will hurt. PURE.
//!
//! Feed it with [`Listener::receive`], wake it at [`Listener::next_wakeup`], send what [`Listener::next_question`] hands out,
//! and ask for the [`Diagnosis`] in the end. Refuses to guess: what the time did not show is called unknown, what could
//! have another reason "looks".

mod heard;
mod page;
mod problems;
mod swapped;
#[cfg(test)]
mod tests;

use crate::config::Setup;
use crate::core::{Criteria, Event, Expiry, Instant, Now, Refusal, Sensed, Settings, TaskId, is_plausible};
use crate::devices::{Devices, Outcome, Received, Sensors, ToDevice};
use crate::units::PowerUnit;
use crate::wire;
use crate::wire::topic;
use crate::wire::topics::{TaskTopic, Topic, Topics};

pub use heard::{Heard, Series, Source, TaskHeard};

/// Listens as Sunward would, and remembers what came.
pub struct Listener {
    sensors: Sensors,
    tasks: Devices,
    criteria: Criteria,
    topics: Topics,
    power: String,
    unit: PowerUnit,
    settings: Settings,
    heard: Heard,
}

/// What there is to tell in the end.
#[derive(Debug)]
pub struct Diagnosis {
    /// What was heard.
    pub heard: Heard,
    /// When it ended.
    pub end: Instant,
    /// What will hurt, in whole sentences, the worst first.
    pub problems: Vec<String>,
    /// What could not be told in the time.
    pub notes: Vec<String>,
}

/// What the conclusions are drawn from.
pub(crate) struct Case<'a> {
    pub(crate) heard: &'a Heard,
    pub(crate) settings: &'a Settings,
    pub(crate) power: &'a str,
    pub(crate) now: Now,
}

impl Listener {
    /// Somebody who begins to listen.
    #[must_use]
    pub fn new(setup: Setup, now: Instant) -> Self {
        let Setup { config, topics, power_topic: power, settings, criteria, sensors, tasks, .. } = setup;
        let mut heard = Heard::default();
        heard.expect(&config, &tasks);
        let mut all =
            Self { sensors, tasks, criteria, power, unit: config.power.unit_of_measurement, topics, settings, heard };
        for event in all.tasks.register() {
            all.take(event, "[[task]]", false, now);
        }
        all
    }

    /// What to subscribe to, each topic once.
    #[must_use]
    pub fn filters(&self) -> Vec<String> {
        let own = [TaskTopic::Config, TaskTopic::State, TaskTopic::Availability];
        let own = own.into_iter().map(|topic| self.topics.every_task(topic));
        let devices = self.sensors.filters().into_iter().chain(self.tasks.topics().map(str::to_owned));
        topic::distinct(std::iter::once(self.power.clone()).chain(own).chain(devices).collect())
    }

    /// A message came.
    pub fn receive(&mut self, topic: &str, payload: &[u8], retain: bool, now: Now) {
        if payload.is_empty() {
            if let Some(Topic::Task(id, TaskTopic::Config)) = self.topics.parse(topic) {
                self.heard.tasks.remove(&id);
            }
            return;
        }
        self.heard.note_message(topic, retain);
        for reading in self.sensors.receive(topic, payload, retain, now.at) {
            match reading.outcome {
                Outcome::Value(_) => self.heard.sources[reading.sensor].values += 1,
                Outcome::Retained(value) => {
                    self.heard.sources[reading.sensor].values += 1;
                    if let Some(key) = reading.key {
                        self.heard.series(&key, topic).retained = Some(value);
                    }
                }
                Outcome::Absent(why) => {
                    self.heard.note_without_value(reading.sensor, Ok(why.to_string()), payload);
                }
                Outcome::Failed(why) => {
                    self.heard.note_without_value(reading.sensor, Err(why.to_string()), payload);
                }
            }
        }
        self.take_outputs(retain, now.at);
        for outcome in self.tasks.receive(topic, payload, retain, now.at).into_iter().flatten() {
            self.take_in(outcome, topic, retain, now.at);
        }
        if topic == self.power {
            self.receive_record(payload, retain, now);
        }
        if let Some(Topic::Task(id, kind)) = self.topics.parse(topic) {
            self.receive_task(id, kind, topic, payload, retain, now.at);
        }
    }

    fn receive_record(&mut self, payload: &[u8], retain: bool, now: Now) {
        let record = match wire::record(payload, self.unit) {
            Ok(record) => record,
            Err(problem) => return self.heard.note_fault(&self.power, &problem.to_string()),
        };
        if !record.has_net && !record.values.is_empty() {
            self.heard.without_net = true;
        }
        let mut values = record.values;
        let (age, limit) = (now.age(record.measured), self.settings.max_record_gap);
        if age > limit && !retain {
            return self.heard.note_fault(&self.power, &Refusal::Old { age, limit }.to_string());
        }
        let measured = now.at - age;
        if retain {
            for (key, value) in values {
                self.heard.series(&key, &self.power).retained = Some(value);
            }
            return;
        }
        let inputs = self.sensors.remove_derived(&mut values);
        let expiry = Expiry::After(self.settings.expire_after);
        for (key, value) in values {
            self.put(Sensed { key, value, measured, expiry }, &self.power.clone(), now.at);
        }
        self.sensors.note_record(inputs, measured, now.at);
        self.take_outputs(false, now.at);
    }

    fn receive_task(&mut self, id: TaskId, kind: TaskTopic, topic: &str, payload: &[u8], retain: bool, now: Instant) {
        if self.tasks.get(&id).is_some() {
            return;
        }
        let event = match kind {
            TaskTopic::Config => match wire::registration(&id, payload, &self.criteria) {
                Ok(message) => Event::Registered(id, Box::new(message.registration)),
                Err(problem) => Event::RegistrationRefused(id, problem.to_string()),
            },
            TaskTopic::State => match wire::state(payload) {
                Ok(state) => Event::State(id, Box::new(state)),
                Err(problem) => Event::StateRefused(id, problem.to_string()),
            },
            TaskTopic::Availability => match wire::availability(payload) {
                Ok(available) => Event::Availability(id, available),
                Err(problem) => return self.heard.note_fault(topic, &problem.to_string()),
            },
            _ => return,
        };
        self.take(event, topic, retain, now);
    }

    fn take_outputs(&mut self, retain: bool, now: Instant) {
        while let Some((from, heard)) = self.sensors.next_output() {
            self.take_in(heard, &from, retain, now);
        }
    }

    fn take_in(&mut self, heard: Received, from: &str, retain: bool, now: Instant) {
        match heard {
            Ok(event) => self.take(event, from, retain, now),
            Err(problem) => self.heard.note_fault(from, &problem),
        }
    }

    fn take(&mut self, event: Event, from: &str, retain: bool, now: Instant) {
        match event {
            Event::Sensed(sensed) => self.put(sensed, from, now),
            event => self.heard.take_task(event, from, retain, now),
        }
    }

    fn put(&mut self, sensed: Sensed, from: &str, now: Instant) {
        if is_plausible(sensed.value) {
            self.heard.series(&sensed.key, from).put(&sensed, now);
        } else {
            let refusal = Refusal::Implausible { key: sensed.key, value: sensed.value.0 };
            self.heard.note_fault(from, &refusal.to_string());
        }
    }

    /// The broker refused something.
    pub fn refused(&mut self, what: String) {
        self.heard.refused.insert(what);
    }

    /// Every subscription is answered: devices that don't tell their state by themselves are asked for it.
    pub fn subscribed(&mut self, now: Instant) {
        self.tasks.connected(now);
    }

    /// A question to a device: the only thing that is ever to be published.
    pub fn next_question(&mut self) -> Option<ToDevice> {
        self.tasks.next_message()
    }

    /// When [`Listener::wake`] has to be called although nothing came.
    #[must_use]
    pub fn next_wakeup(&self) -> Option<Instant> {
        [self.sensors.next_wakeup(), self.tasks.next_wakeup()].into_iter().flatten().min()
    }

    /// Does what is due by the clock alone.
    pub fn wake(&mut self, now: Instant) {
        self.sensors.wake(now);
        self.take_outputs(false, now);
        self.tasks.wake(now);
    }

    /// What came of it.
    #[must_use]
    pub fn end(mut self, now: Now) -> Diagnosis {
        self.heard.missing = self.sensors.warnings();
        let case = Case { heard: &self.heard, settings: &self.settings, power: &self.power, now };
        let (problems, notes) = (problems::all(&case), problems::unknown(&case));
        Diagnosis { heard: self.heard, end: now.at, problems, notes }
    }
}
