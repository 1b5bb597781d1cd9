//! What the configuration means to the bridge and to the core.

use std::fmt;

use anyhow::Context as _;
use jiff::tz::TimeZone;

use crate::config::{Config, Invalid, PowerUnit, default_criteria};
use crate::devices::filter::{covers, distinct};
use crate::devices::{Sensors, Tasks};
use crate::mqtt::topics::Topics;
use crate::scheduler::{Criteria, Settings};

use super::discovery::Discovery;

/// The core's settings out of the configuration.
///
/// # Errors
/// Names the key that can't work.
pub fn settings(config: &Config) -> anyhow::Result<Settings> {
    let time_zone = match &config.time_zone {
        Some(name) => TimeZone::get(name).context("time_zone")?,
        None => TimeZone::system(),
    };
    Ok(Settings {
        cycle: config.scheduler.cycle,
        window_size: config.scheduler.window_size,
        confirm_records: config.scheduler.confirm_records,
        headroom: config.scheduler.headroom,
        ignore_power_threshold: config.scheduler.ignore_power_threshold,
        max_record_gap: config.scheduler.max_record_gap,
        expire_after: config.power.expire_after,
        task_expire_after: config.scheduler.task_expire_after,
        reserve: config.power.reserve,
        setpoint_interval: config.scheduler.setpoint_interval,
        time_zone,
        dry_run: config.scheduler.dry_run,
    })
}

/// The sensors and derived keys of the configuration.
///
/// # Errors
/// Names every key that can't be meant.
pub(super) fn sensors(config: &Config) -> anyhow::Result<Sensors> {
    let told = |problems: Vec<Invalid>| {
        let lines = problems.into_iter().map(|Invalid { key, message, .. }| format!("{key}: {message}"));
        anyhow::anyhow!(lines.collect::<Vec<_>>().join("\n"))
    };
    Sensors::from_config(config).map_err(told)
}

/// The criteria of tasks that bring none of their own.
pub(super) fn criteria(config: &Config) -> anyhow::Result<Criteria> {
    default_criteria(config).map_err(|problem| anyhow::anyhow!("scheduler.{problem}"))
}

/// Everything that messages come from.
pub(super) struct Heard {
    pub(super) topics: Topics,
    pub(super) power: Power,
    pub(super) sensors: Sensors,
    pub(super) tasks: Tasks,
    pub(super) discovery: Discovery,
}

impl Heard {
    pub(super) fn new(config: &Config) -> anyhow::Result<Self> {
        let topics = Topics::new(&config.mqtt.base_topic)?;
        Ok(Self {
            power: Power::new(config, &topics),
            sensors: sensors(config)?,
            tasks: tasks(config)?,
            discovery: Discovery::new(&config.homeassistant, &topics),
            topics,
        })
    }

    /// What is listened to for as long as Sunward runs, each once.
    pub(super) fn filters(&self) -> Vec<String> {
        let mut filters = self.topics.filters();
        filters.extend([self.power.topic.clone(), self.power.fallback_topic.clone()]);
        filters.extend(self.sensors.filters());
        filters.extend(self.tasks.topics().map(str::to_owned));
        filters.extend(self.discovery.filters());
        distinct(filters)
    }

    /// What is read during the start-up only, what earlier runs told, but for what is listened to anyway.
    pub(super) fn read_once(&self, others: &[String]) -> Vec<String> {
        let own = self.topics.own_filters().into_iter().chain(self.discovery.read_once());
        own.filter(|own| !others.iter().any(|other| covers(other, own))).collect()
    }
}

/// The tasks of the configuration.
fn tasks(config: &Config) -> anyhow::Result<Tasks> {
    Tasks::new(&config.task, &criteria(config)?)
        .map_err(|(number, problem)| anyhow::anyhow!("task[{number}].{problem}"))
}

/// Where power records come from.
pub(super) struct Power {
    pub(super) topic: String,
    pub(super) fallback_topic: String,
    pub(super) unit: PowerUnit,
    sensors: Vec<String>,
}

/// The topics, as people want to see them when nothing comes.
impl fmt::Display for Power {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.topic)?;
        self.sensors.iter().try_for_each(|topic| write!(f, ", {topic}"))
    }
}

impl Power {
    pub(super) fn new(config: &Config, topics: &Topics) -> Self {
        Self {
            topic: config.power.topic.clone().unwrap_or_else(|| topics.power()),
            fallback_topic: config.power.fallback_topic.clone().unwrap_or_else(|| topics.power_fallback()),
            unit: config.power.unit_of_measurement,
            sensors: config.power.sensor.iter().map(|sensor| sensor.topic.clone()).collect(),
        }
    }
}
