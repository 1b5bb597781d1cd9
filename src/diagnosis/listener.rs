//! Listens to a broker as Sunward would, and remembers what came.

use crate::config::Setup;
use crate::core::{Criteria, Event, Expiry, Instant, Now, Refusal, Sensed, Settings, TaskId, is_plausible};
use crate::devices::{Devices, Outcome, Received, Sensors, ToDevice};
use crate::units::PowerUnit;
use crate::wire::topic;
use crate::wire::topics::{TaskTopic, Topic, Topics};
use crate::wire::{self, Limits};

use super::case::Case;
use super::conclusion::Diagnosis;
use super::observation::Observation;
use super::problems;

/// Listens as Sunward would, and remembers what came.
///
/// Feed it with [`Listener::receive`], wake it at [`Listener::next_wakeup`], publish what [`Listener::next_question`]
/// returns, and call [`Listener::end`] at the end.
pub struct Listener {
    sensors: Sensors,
    tasks: Devices,
    criteria: Criteria,
    limits: Limits,
    topics: Topics,
    power: String,
    unit: PowerUnit,
    settings: Settings,
    observation: Observation,
}

impl Listener {
    /// Begins to listen.
    #[must_use]
    pub fn new(setup: Setup, now: Instant) -> Self {
        let Setup { config, topics, power_topic: power, settings, criteria, limits, sensors, tasks, .. } = setup;
        let mut observation = Observation::default();
        observation.expect(&config, &tasks);
        let unit = config.power.unit_of_measurement;
        let mut all = Self { sensors, tasks, criteria, limits, topics, power, unit, settings, observation };
        for event in all.tasks.register() {
            all.take(event, "[[task]]", false, now);
        }
        all
    }

    /// Returns the topics to subscribe to, each once.
    #[must_use]
    pub fn filters(&self) -> Vec<String> {
        let own = [TaskTopic::Config, TaskTopic::State, TaskTopic::Availability];
        let own = own.into_iter().map(|topic| self.topics.every_task(topic));
        let devices = self.sensors.filters().into_iter().chain(self.tasks.topics().map(str::to_owned));
        topic::distinct(std::iter::once(self.power.clone()).chain(own).chain(devices).collect())
    }

    /// Takes a message. `retain`: the broker had kept it.
    pub fn receive(&mut self, topic: &str, payload: &[u8], retain: bool, now: Now) {
        if payload.is_empty() {
            if let Some(Topic::Task(id, TaskTopic::Config)) = self.topics.parse(topic) {
                self.observation.tasks.remove(&id);
            }
            return;
        }
        self.observation.note_message(topic, retain);
        for reading in self.sensors.receive(topic, payload, retain, now.at) {
            match reading.outcome {
                Outcome::Value(_) => self.observation.topics[reading.sensor].values += 1,
                Outcome::Retained(value) => {
                    self.observation.topics[reading.sensor].values += 1;
                    if let Some(key) = reading.key {
                        self.observation.series(&key, topic).retained = Some(value);
                    }
                }
                Outcome::Absent(why) => {
                    self.observation.note_without_value(reading.sensor, Ok(why.to_string()), payload);
                }
                Outcome::Failed(why) => {
                    self.observation.note_without_value(reading.sensor, Err(why.to_string()), payload);
                }
            }
        }
        self.take_outputs(retain, now.at);
        for outcome in self.tasks.receive(topic, payload, retain, now.at).into_iter().flatten() {
            self.take_received(outcome, topic, retain, now.at);
        }
        if topic == self.power {
            self.receive_record(payload, retain, now);
        }
        if let Some(Topic::Task(id, kind)) = self.topics.parse(topic) {
            self.receive_task(id, kind, topic, payload, retain, now.at);
        }
    }

    fn receive_record(&mut self, payload: &[u8], retain: bool, now: Now) {
        let record = match wire::power_message(payload, self.unit) {
            Ok(record) => record,
            Err(problem) => return self.observation.note_rejection(&self.power, &problem.to_string()),
        };
        if !record.has_net && !record.values.is_empty() {
            self.observation.without_net = true;
        }
        let mut values = record.values;
        let (age, limit) = (now.age(record.measured), self.settings.max_record_gap);
        if age > limit && !retain {
            return self.observation.note_rejection(&self.power, &Refusal::Old { age, limit }.to_string());
        }
        let measured = now.at - age;
        if retain {
            for (key, value) in values {
                self.observation.series(&key, &self.power).retained = Some(value);
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
            TaskTopic::Config => match wire::registration(&id, payload, &self.criteria, &self.limits) {
                Ok(message) => Event::Registered(id, Box::new(message.registration)),
                Err(problem) => Event::RegistrationRefused(id, problem.to_string()),
            },
            TaskTopic::State => match wire::state(payload, &self.limits) {
                Ok(state) => Event::State(id, Box::new(state)),
                Err(problem) => Event::StateRefused(id, problem.to_string()),
            },
            TaskTopic::Availability => match wire::availability(payload) {
                Ok(available) => Event::Availability(id, available),
                Err(problem) => return self.observation.note_rejection(topic, &problem.to_string()),
            },
            _ => return,
        };
        self.take(event, topic, retain, now);
    }

    fn take_outputs(&mut self, retain: bool, now: Instant) {
        while let Some((from, observation)) = self.sensors.next_output() {
            self.take_received(observation, &from, retain, now);
        }
    }

    fn take_received(&mut self, observation: Received, from: &str, retain: bool, now: Instant) {
        match observation {
            Ok(event) => self.take(event, from, retain, now),
            Err(problem) => self.observation.note_rejection(from, &problem),
        }
    }

    fn take(&mut self, event: Event, from: &str, retain: bool, now: Instant) {
        match event {
            Event::Sensed(sensed) => self.put(sensed, from, now),
            event => self.observation.take_task(event, from, retain, now),
        }
    }

    fn put(&mut self, sensed: Sensed, from: &str, now: Instant) {
        if is_plausible(sensed.value) {
            self.observation.series(&sensed.key, from).put(&sensed, now);
        } else {
            let refusal = Refusal::Implausible { key: sensed.key, value: sensed.value.0 };
            self.observation.note_rejection(from, &refusal.to_string());
        }
    }

    /// Notes what the broker refused, in words.
    pub fn refused(&mut self, what: String) {
        self.observation.refused.insert(what);
    }

    /// Notes that the broker has confirmed every subscription: devices with a `query_topic` are asked for their state.
    pub fn subscribed(&mut self, now: Instant) {
        self.tasks.connected(now);
    }

    /// Returns the next question to a device. Nothing else is to be published.
    pub fn next_question(&mut self) -> Option<ToDevice> {
        self.tasks.next_message()
    }

    /// Returns when [`Listener::wake`] has to be called although no message came. `None`: never.
    #[must_use]
    pub fn next_wakeup(&self) -> Option<Instant> {
        [self.sensors.next_wakeup(), self.tasks.next_wakeup()].into_iter().flatten().min()
    }

    /// Does what is due by now.
    pub fn wake(&mut self, now: Instant) {
        self.sensors.wake(now);
        self.take_outputs(false, now);
        self.tasks.wake(now);
    }

    /// Ends listening. Returns what came and what of it is a problem.
    #[must_use]
    pub fn end(mut self, now: Now) -> Diagnosis {
        self.observation.missing = self.sensors.warnings();
        let case = Case { observation: &self.observation, settings: &self.settings, power: &self.power, now };
        let (problems, notes) = (problems::all(&case), problems::unknown(&case));
        Diagnosis { observation: self.observation, end: now.at, problems, notes }
    }
}
