//! What came of each topic, key and task. Nothing is judged here, and memory is bounded.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use crate::config::Config;
use crate::core::{Event, Expiry, Instant, Registration, Sensed, TaskId};
use crate::devices::Devices;
use crate::units::{Quantity, Watts};
use crate::wire::topic::covers;

/// The most values of one key that are kept: the newest.
const MOST_VALUES: usize = 2_000;

/// The most keys, tasks and rejections that are kept.
const MOST: usize = 1_000;

/// The most characters of a message that are shown.
const SAMPLE: usize = 100;

/// Everything that came.
#[derive(Debug, Default)]
pub struct Observation {
    /// The topics of the configuration, in its order; those of sensors first.
    pub topics: Vec<ObservedTopic>,
    /// By key.
    pub keys: BTreeMap<String, Series>,
    /// By id.
    pub tasks: BTreeMap<TaskId, ObservedTask>,
    /// What could not be read: by topic, the last reason and how often.
    pub rejections: BTreeMap<String, (String, u64)>,
    /// What the broker refused.
    pub refused: BTreeSet<String>,
    /// Why sensors and derived keys have no value.
    pub(crate) missing: Vec<String>,
    /// Some record had no `net`.
    pub(crate) without_net: bool,
}

/// A topic of the configuration.
#[derive(Debug)]
pub struct ObservedTopic {
    /// The key of the configuration: `power.sensor[0]`, `task boiler, state_topic`.
    pub name: String,
    /// The topic, maybe with wildcards.
    pub filter: String,
    /// Messages that came live.
    pub live: u64,
    /// Messages that the broker had kept.
    pub retained: u64,
    /// Of both, those with a value.
    pub values: u64,
    /// Why the last message without a value had none.
    pub absent: Option<String>,
    /// Why the last message that couldn't be read couldn't.
    pub failed: Option<String>,
    /// The beginning of the last message without a value.
    pub sample: String,
}

/// The values of one key.
#[derive(Debug, Default)]
pub struct Series {
    /// The topic or the key of the configuration that it came from last.
    pub from: String,
    /// How many came live.
    pub count: u64,
    /// A value that the broker had kept: nobody knows how old it is.
    pub retained: Option<Quantity>,
    /// How long a value counts; `None`: for ever.
    pub expires: Option<Duration>,
    values: VecDeque<(Instant, Quantity)>,
    first: Option<Instant>,
    measured: Instant,
    longest_gap: Duration,
}

/// What came of a task.
#[derive(Debug, Default)]
pub struct ObservedTask {
    /// Its valid registration.
    pub registration: Option<Registration>,
    /// Why the last registration or state was refused.
    pub error: Option<String>,
    /// Its availability.
    pub available: Option<bool>,
    /// Whether it runs, as far as it said.
    pub running: Option<bool>,
    /// Since when it says so.
    pub since: Instant,
    /// When it last told its state live.
    pub last_told: Option<Instant>,
    /// When it was seen to start or stop.
    pub switches: Vec<(Instant, bool)>,
    /// Where its state came from.
    pub from: String,
    /// The keys that its state names.
    keys: Option<Vec<String>>,
    power: Option<Watts>,
}

impl Observation {
    /// Adds the topics and keys of the configuration, before anything comes.
    pub(crate) fn expect(&mut self, config: &Config, tasks: &Devices) {
        let sensors = config.power.sensor.iter().enumerate();
        self.topics = sensors
            .map(|(n, sensor)| ObservedTopic::new(format!("power.sensor[{n}], `{}`", sensor.key), &sensor.topic))
            .collect();
        for task in tasks.iter() {
            let listens =
                task.listens_to().map(|(role, topic)| ObservedTopic::new(format!("task {}, {role}", task.id), topic));
            self.topics.extend(listens);
        }
        let named = config.power.sensor.iter().map(|sensor| (&sensor.key, &sensor.topic));
        for (key, topic) in named.filter(|(key, _)| !key.contains('{')) {
            self.series(key, topic);
        }
        for key in config.power.derived.keys() {
            self.series(key, &format!("power.derived.{key}"));
        }
    }

    pub(crate) fn note_message(&mut self, topic: &str, retain: bool) {
        for source in self.topics.iter_mut().filter(|source| covers(&source.filter, topic)) {
            *if retain { &mut source.retained } else { &mut source.live } += 1;
        }
    }

    /// Notes a message without a value for a sensor: why it has none, or why it could not be read.
    pub(crate) fn note_without_value(&mut self, sensor: usize, why: Result<String, String>, payload: &[u8]) {
        let source = &mut self.topics[sensor];
        source.sample = String::from_utf8_lossy(payload).chars().take(SAMPLE).collect();
        match why {
            Ok(absent) => source.absent = Some(absent),
            Err(failed) => source.failed = Some(failed),
        }
    }

    pub(crate) fn note_rejection(&mut self, from: &str, why: &str) {
        if self.rejections.len() < MOST || self.rejections.contains_key(from) {
            let rejection = self.rejections.entry(from.to_owned()).or_default();
            *rejection = (why.chars().take(300).collect(), rejection.1 + 1);
        }
    }

    /// Returns the values of a key. Beyond the most keys, all others share one.
    pub(crate) fn series(&mut self, key: &str, from: &str) -> &mut Series {
        let key = if self.keys.len() < MOST || self.keys.contains_key(key) { key } else { "(more)" };
        let series = self.keys.entry(key.to_owned()).or_default();
        from.clone_into(&mut series.from);
        series
    }

    pub(crate) fn take_task(&mut self, event: Event, from: &str, retain: bool, now: Instant) {
        let Some(id) = event.task().cloned() else { return };
        if self.tasks.len() >= MOST && !self.tasks.contains_key(&id) {
            return;
        }
        let task = self.tasks.entry(id.clone()).or_default();
        match event {
            Event::Registered(_, registration) => {
                task.registration = Some(*registration);
                task.error = None;
                if task.from.is_empty() {
                    // Where its state is to be expected.
                    let name = format!("task {id}, its state");
                    let described = self.topics.iter().find(|source| source.name == name);
                    let own = || from.strip_suffix("config").map(|branch| format!("{branch}state"));
                    let told = described.map(|source| source.filter.clone()).or_else(own);
                    task.from = told.unwrap_or_else(|| "tells no state".into());
                }
            }
            Event::RegistrationRefused(_, why) | Event::StateRefused(_, why) => task.error = Some(why),
            Event::State(_, state) => {
                if task.running.is_some_and(|running| running != state.running) {
                    task.switches.push((now, state.running));
                    task.switches.drain(..task.switches.len().saturating_sub(MOST));
                }
                if task.running != Some(state.running) {
                    task.since = now;
                }
                task.running = Some(state.running);
                task.last_told = if retain { task.last_told } else { Some(now) };
                task.keys = state.keys;
                task.power = state.power;
                from.clone_into(&mut task.from);
            }
            Event::Availability(_, available) => task.available = available,
            _ => {}
        }
    }

    /// Returns the values of a key, if some came live.
    pub(crate) fn live(&self, key: &str) -> Option<&Series> {
        self.keys.get(key).filter(|series| series.count > 0)
    }
}

impl ObservedTopic {
    fn new(name: String, filter: &str) -> Self {
        let filter = filter.to_owned();
        Self { name, filter, live: 0, retained: 0, values: 0, absent: None, failed: None, sample: String::new() }
    }
}

impl Series {
    pub(crate) fn put(&mut self, sensed: &Sensed, now: Instant) {
        self.expires = match sensed.expiry {
            Expiry::After(time) => Some(time),
            // What never expires may have been kept by the broker, and has no age then.
            Expiry::Never if sensed.measured == Instant::START => {
                self.retained = Some(sensed.value);
                return;
            }
            Expiry::At(_) | Expiry::Never => None,
        };
        if let Some((last, _)) = self.values.back() {
            self.longest_gap = self.longest_gap.max(now.since(*last));
        }
        self.first.get_or_insert(now);
        self.count += 1;
        self.measured = sensed.measured;
        self.values.push_back((now, sensed.value));
        self.values.drain(..self.values.len().saturating_sub(MOST_VALUES));
    }

    /// Returns the newest live value and when it came.
    #[must_use]
    pub fn last(&self) -> Option<(Instant, Quantity)> {
        self.values.back().copied()
    }

    /// Returns when the newest live value was measured.
    #[must_use]
    pub fn measured(&self) -> Instant {
        self.measured
    }

    /// Returns the mean time between two values. `None`: there were fewer than two.
    #[must_use]
    pub fn interval(&self) -> Option<Duration> {
        let gaps = u32::try_from(self.count.checked_sub(1)?).ok().filter(|gaps| *gaps > 0)?;
        Some(self.last()?.0.since(self.first?) / gaps)
    }

    /// Returns the longest time without a value, up to the end.
    pub(crate) fn longest_gap(&self, end: Instant) -> Option<Duration> {
        let since = end.since(self.last()?.0);
        Some(self.longest_gap.max(since))
    }

    /// Returns the values that are kept, oldest first, of a key that counts a power.
    pub(crate) fn powers(&self) -> impl DoubleEndedIterator<Item = (Instant, Watts)> {
        self.values.iter().map(|(at, value)| (*at, value.watts()))
    }

    /// Returns the newest value that had come by then, of a key that counts a power.
    pub(crate) fn power_at(&self, time: Instant) -> Option<Watts> {
        self.powers().rev().find(|(at, _)| *at <= time).map(|(_, value)| value)
    }
}

impl ObservedTask {
    /// Returns its keys: those of its state, otherwise those of its registration.
    #[must_use]
    pub fn keys(&self) -> &[String] {
        let registered = self.registration.as_ref().map(|registration| &registration.keys);
        self.keys.as_ref().or(registered).map_or(&[], Vec::as_slice)
    }

    /// Returns the power that it needs to run: that of its state, otherwise that of its registration.
    #[must_use]
    pub fn power(&self) -> Option<Watts> {
        self.power.or(self.registration.as_ref().map(|registration| registration.power))
    }
}
