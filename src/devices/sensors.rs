//! All configured sensors and derived keys: messages become values of keys.
//!
//! Feed it with [`Sensors::receive`] and [`Sensors::note`], wake it at [`Sensors::next_wakeup`] with [`Sensors::wake`], and
//! after each of these take what [`Sensors::next_output`] hands out.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::Heard;
use super::derived::DerivedKeys;
use super::sensor::{Outcome, Reading, Sensor, SensorSettings};
use super::template::Message;
use crate::core::{Event, Expiry, Instant, Sensed, is_plausible};
use crate::units::Watts;
use crate::wire::PayloadError;
use crate::wire::topic;

#[cfg(test)]
mod tests;

/// See the module.
#[derive(Default)]
pub struct Sensors {
    sensors: Vec<Sensor>,
    derived: DerivedKeys,
    /// Of values in whole records.
    expire_after: Duration,
    /// Each with the topic, or the key of the configuration, that it came from.
    outputs: VecDeque<(String, Heard)>,
}

impl Sensors {
    /// The sensors and derived keys of `[power]`; `expire_after` is that of sensors that bring none.
    ///
    /// # Errors
    /// Everything that can't be meant, by its key below `power`.
    pub fn new(
        sensors: &[SensorSettings],
        derived: &BTreeMap<String, String>,
        expire_after: Duration,
    ) -> Result<Self, Vec<PayloadError>> {
        let mut all = Self { expire_after, ..Self::default() };
        let mut problems = Vec::new();
        for (number, written) in sensors.iter().enumerate() {
            let place = format!("sensor[{number}]");
            match Sensor::new(written, expire_after) {
                Ok(sensor) => all.sensors.push(sensor),
                Err(wrong) => problems.extend(wrong.into_iter().map(|problem| problem.within(&place))),
            }
            let same = sensors[..number].iter().position(|other| other.key == written.key);
            if let Some(other) = same {
                let problem = format!(
                    "power.sensor[{other}] measures `{key}` too: give each its own key, and add them up with \
                     [power.derived] {key} = \"…\"",
                    key = written.key,
                );
                problems.push(PayloadError::field("key", problem).within(&place));
            }
        }
        match DerivedKeys::new(derived) {
            Ok(derived) => all.derived = derived,
            Err(problem) => problems.push(problem.within("derived")),
        }
        let measured = |key: &String| sensors.iter().position(|sensor| sensor.key == *key);
        for (key, sensor) in derived.keys().filter_map(|key| Some((key, measured(key)?))) {
            let problem = format!("power.sensor[{sensor}] measures `{key}` already: give one of them another name");
            problems.push(PayloadError::field(key, problem).within("derived"));
        }
        if problems.is_empty() { Ok(all) } else { Err(problems) }
    }

    /// What has to be subscribed to, each once however many sensors it feeds.
    #[must_use]
    pub fn filters(&self) -> Vec<String> {
        topic::distinct(self.sensors.iter().map(|sensor| sensor.filter().to_owned()).collect())
    }

    /// Whether anything here listens to this topic.
    #[must_use]
    pub fn listens_to(&self, topic: &str) -> bool {
        self.sensors.iter().any(|sensor| topic::covers(sensor.filter(), topic))
    }

    /// Takes a message in, and tells what each sensor that listens to its topic made of it.
    pub fn receive(&mut self, topic: &str, payload: &[u8], retain: bool, now: Instant) -> Vec<Reading> {
        let message = Message::new(topic, payload);
        let mut readings = Vec::new();
        for (number, sensor) in self.sensors.iter_mut().enumerate() {
            if !topic::covers(sensor.filter(), topic) {
                continue;
            }
            let heard = match &message {
                Ok(message) => sensor.receive(message, retain),
                Err(problem) => Some((sensor.key().map(str::to_owned), Outcome::Failed(problem.clone()))),
            };
            let Some((key, outcome)) = heard else { continue };
            let expiry = sensor.expire_after.map_or(Expiry::Never, Expiry::After);
            readings.push((Reading { sensor: number, key, outcome }, expiry));
        }
        for (reading, expiry) in &readings {
            match reading {
                Reading { key: Some(key), outcome: Outcome::Value(value), .. } => {
                    self.take_in(topic, key, *value, *expiry, retain, now);
                }
                Reading { outcome: Outcome::Failed(problem), .. } => self.fault(topic, problem.to_string()),
                _ => {}
            }
        }
        self.settle(now);
        readings.into_iter().map(|(reading, _)| reading).collect()
    }

    fn take_in(&mut self, topic: &str, key: &str, value: Watts, expiry: Expiry, retain: bool, now: Instant) {
        if self.derived.is_derived(key) {
            return self.fault(topic, format!("the key `{key}` is derived from others (power.derived.{key})"));
        }
        // Nobody knows how old a retained value is.
        let measured = if retain { Instant::START } else { now };
        let sensed = Sensed { key: key.to_owned(), value, measured, expiry };
        if is_plausible(value) {
            self.derived.note(&sensed, !retain, now);
        }
        self.outputs.push_back((topic.to_owned(), Ok(Event::Sensed(sensed))));
    }

    /// Takes out of a whole record what is derived, and answers with what derived keys are made of.
    #[must_use]
    pub fn sift(&self, record: &mut Vec<(String, Watts)>) -> Vec<(String, Watts)> {
        record.retain(|(key, _)| !self.derived.is_derived(key));
        record.iter().filter(|(key, value)| self.derived.is_input(key) && is_plausible(*value)).cloned().collect()
    }

    /// Notes values of a whole record that was measured then.
    pub fn note(&mut self, values: Vec<(String, Watts)>, measured: Instant, now: Instant) {
        let expiry = Expiry::After(self.expire_after);
        for (key, value) in values {
            self.derived.note(&Sensed { key, value, measured, expiry }, true, now);
        }
        self.settle(now);
    }

    /// When [`Sensors::wake`] has to be called although nothing arrived.
    #[must_use]
    pub fn next_wakeup(&self) -> Option<Instant> {
        self.derived.next_wakeup()
    }

    /// Does what is due by the clock alone.
    pub fn wake(&mut self, now: Instant) {
        self.settle(now);
    }

    fn settle(&mut self, now: Instant) {
        for outcome in self.derived.settle(now) {
            let from = |key: &str| format!("power.derived.{key}");
            self.outputs.push_back(match outcome {
                Ok(sensed) => (from(&sensed.key), Ok(Event::Sensed(sensed))),
                Err(problem) => (from(problem.named().unwrap_or_default()), Err(problem.problem().to_owned())),
            });
        }
    }

    /// What came of it, in order, and the topic, or the key of the configuration, that it came from.
    pub fn next_output(&mut self) -> Option<(String, Heard)> {
        self.outputs.pop_front()
    }

    /// Standing problems, in plain words.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        self.sensors.iter().filter_map(Sensor::suspicion).chain(self.derived.missing()).collect()
    }

    fn fault(&mut self, topic: &str, error: String) {
        self.outputs.push_back((topic.to_owned(), Err(error)));
    }
}
