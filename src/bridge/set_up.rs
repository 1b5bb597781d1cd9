//! What the configuration means to the bridge and to the core.

use std::fmt;

use anyhow::Context as _;
use jiff::tz::TimeZone;

use crate::config::{Config, Invalid, PowerUnit};
use crate::devices::{Devices, filter};
use crate::mqtt::topics::Topics;
use crate::scheduler::Settings;

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
        window_size: config.scheduler.window_size,
        confirm_records: config.scheduler.confirm_records,
        headroom: config.scheduler.headroom,
        ignore_power_threshold: config.scheduler.ignore_power_threshold,
        max_record_gap: config.scheduler.max_record_gap,
        expire_after: config.power.expire_after,
        task_expire_after: config.scheduler.task_expire_after,
        reserve: config.power.reserve,
        time_zone,
        dry_run: config.scheduler.dry_run,
    })
}

/// What the configuration says about topics of others.
///
/// # Errors
/// Names every key that can't be meant.
pub(super) fn devices(config: &Config) -> anyhow::Result<Devices> {
    let told = |problems: Vec<Invalid>| {
        let lines = problems.into_iter().map(|Invalid { key, message, .. }| format!("{key}: {message}"));
        anyhow::anyhow!(lines.collect::<Vec<_>>().join("\n"))
    };
    Devices::from_config(config).map_err(told)
}

/// What is listened to for as long as it runs, each once.
pub(super) fn filters(topics: &Topics, power: &Power, devices: &Devices) -> Vec<String> {
    let mut filters = topics.filters();
    filters.extend([power.topic.clone(), power.fallback_topic.clone()]);
    filters.extend(devices.filters());
    filter::distinct(filters)
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
