//! All configured sensors and derived keys: messages become values of keys.
//!
//! Feed it with [`Sensors::receive`] and [`Sensors::note_record`], wake it at [`Sensors::next_wakeup`] with
//! [`Sensors::wake`], and after each of these take what [`Sensors::next_output`] returns.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::derived::DerivedKeys;
use super::reading::{Outcome, SensorReading};
use super::sensor::Sensor;
use super::settings::SensorSettings;
use crate::core::{Event, Expiry, Instant, Sensed, is_plausible};
use crate::devices::received::Received;
use crate::devices::template::DeviceMessage;
use crate::units::Quantity;
use crate::wire::{PayloadError, topic};

/// All configured sensors and derived keys. By default there are none.
#[derive(Default)]
pub struct Sensors {
    sensors: Vec<Sensor>,
    derived: DerivedKeys,
    /// How long the values of whole records are valid.
    expire_after: Duration,
    /// Each with the topic, or the key of the configuration, that it came from.
    outputs: VecDeque<(String, Received)>,
}

impl Sensors {
    /// Reads the sensors and derived keys of `[power]`. `expire_after` is the default for sensors without their own, and
    /// how long the values of whole records are valid.
    ///
    /// # Errors
    /// Everything that is wrong, each by its key below `power`.
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

    /// Returns the topics to subscribe to, each once however many sensors it feeds.
    #[must_use]
    pub fn filters(&self) -> Vec<String> {
        topic::distinct(self.sensors.iter().map(|sensor| sensor.filter().to_owned()).collect())
    }

    /// Returns whether any sensor listens to this topic.
    #[must_use]
    pub fn listens_to(&self, topic: &str) -> bool {
        self.sensors.iter().any(|sensor| topic::covers(sensor.filter(), topic))
    }

    /// Takes a message. Returns what it came to for each sensor that listens to its topic. `retain`: the broker had kept
    /// the message, so that its age is unknown.
    pub fn receive(&mut self, topic: &str, payload: &[u8], retain: bool, now: Instant) -> Vec<SensorReading> {
        let message = DeviceMessage::new(topic, payload);
        let mut readings = Vec::new();
        for (number, sensor) in self.sensors.iter_mut().enumerate() {
            if !topic::covers(sensor.filter(), topic) {
                continue;
            }
            let received = match &message {
                Ok(message) => sensor.receive(message, retain),
                Err(problem) => Some((sensor.key().map(str::to_owned), Outcome::Failed(problem.clone()))),
            };
            let Some((key, outcome)) = received else { continue };
            let expiry = sensor.expire_after.map_or(Expiry::Never, Expiry::After);
            readings.push((SensorReading { sensor: number, key, outcome }, expiry));
        }
        for (reading, expiry) in &readings {
            match reading {
                SensorReading { key: Some(key), outcome: Outcome::Value(value), .. } => {
                    self.add_value(topic, key, *value, *expiry, retain, now);
                }
                SensorReading { outcome: Outcome::Failed(problem), .. } => self.reject(topic, problem.to_string()),
                _ => {}
            }
        }
        self.calculate_due(now);
        readings.into_iter().map(|(reading, _)| reading).collect()
    }

    fn add_value(&mut self, topic: &str, key: &str, value: Quantity, expiry: Expiry, retain: bool, now: Instant) {
        if self.derived.is_derived(key) {
            return self.reject(topic, format!("the key `{key}` is derived from others (power.derived.{key})"));
        }
        // The age of a retained value is unknown: it counts as measured long ago.
        let measured = if retain { Instant::START } else { now };
        let sensed = Sensed { key: key.to_owned(), value, measured, expiry };
        if is_plausible(value) {
            self.derived.note(&sensed, !retain, now);
        }
        self.outputs.push_back((topic.to_owned(), Ok(Event::Sensed(sensed))));
    }

    /// Removes derived keys from a whole record, as their own values replace them. Returns the values that derived keys
    /// are calculated from, for [`Sensors::note_record`].
    #[must_use]
    pub fn remove_derived(&self, record: &mut Vec<(String, Quantity)>) -> Vec<(String, Quantity)> {
        record.retain(|(key, _)| !self.derived.is_derived(key));
        record.iter().filter(|(key, value)| self.derived.is_input(key) && is_plausible(*value)).cloned().collect()
    }

    /// Takes the values of a whole record that derived keys are calculated from.
    pub fn note_record(&mut self, values: Vec<(String, Quantity)>, measured: Instant, now: Instant) {
        let expiry = Expiry::After(self.expire_after);
        for (key, value) in values {
            self.derived.note(&Sensed { key, value, measured, expiry }, true, now);
        }
        self.calculate_due(now);
    }

    /// Returns when [`Sensors::wake`] has to be called although no message came. `None`: never.
    #[must_use]
    pub fn next_wakeup(&self) -> Option<Instant> {
        self.derived.next_wakeup()
    }

    /// Calculates the derived keys that are due.
    pub fn wake(&mut self, now: Instant) {
        self.calculate_due(now);
    }

    fn calculate_due(&mut self, now: Instant) {
        for outcome in self.derived.calculate_due(now) {
            let from = |key: &str| format!("power.derived.{key}");
            self.outputs.push_back(match outcome {
                Ok(sensed) => (from(&sensed.key), Ok(Event::Sensed(sensed))),
                Err(problem) => (from(problem.named().unwrap_or_default()), Err(problem.problem().to_owned())),
            });
        }
    }

    /// Returns the next value or error, with the topic, or the key of the configuration, that it came from.
    pub fn next_output(&mut self) -> Option<(String, Received)> {
        self.outputs.pop_front()
    }

    /// Returns what is wrong for as long as it lasts: sensors without any value, derived keys without their inputs.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        self.sensors.iter().filter_map(Sensor::suspicion).chain(self.derived.missing()).collect()
    }

    fn reject(&mut self, topic: &str, error: String) {
        self.outputs.push_back((topic.to_owned(), Err(error)));
    }
}
