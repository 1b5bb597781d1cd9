//! The settings as they are written, with their defaults.
//!
//! `load` knows where they come from, and `setup` what they mean.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::broker::BrokerSettings;
use super::criteria::CriteriaSettings;
use super::estimate::EstimateSettings;
use super::mqtt::Mqtt;
use crate::core::Settings;
use crate::devices::SensorSettings;
use crate::units::{PowerUnit, Watts, duration};
use crate::wire::{Limits, Table};

/// Everything that can be configured.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The broker to connect to, and how.
    pub mqtt: Mqtt,
    /// The embedded broker, used when `mqtt.url` is absent.
    pub broker: BrokerSettings,
    /// Where power records come from.
    pub power: PowerSettings,
    /// The scheduler's own settings.
    pub scheduler: SchedulerSettings,
    /// Devices that can't register themselves.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub task: Vec<Table>,
    /// What `sunward replay` takes out of a record.
    #[serde(skip_serializing_if = "ReplaySettings::is_empty")]
    pub replay: ReplaySettings,
    /// What Home Assistant finds by itself.
    pub homeassistant: HomeAssistantSettings,
    /// IANA time zone of the home, for `now` in criteria; absent: the system's.
    pub time_zone: Option<String>,
}

impl Config {
    /// Whether the connection of another configuration can't be this one's.
    pub(crate) fn connects_otherwise(&self, other: &Self) -> bool {
        self.mqtt != other.mqtt || self.has_other_broker(other)
    }

    /// Whether another configuration has another embedded broker, or one of the two has none.
    pub(crate) fn has_other_broker(&self, other: &Self) -> bool {
        let embedded = |config: &Self| {
            let topics = (config.power.topic.clone(), config.power.fallback_topic.clone());
            let prefixes = (config.mqtt.base_topic.clone(), config.homeassistant.discovery_prefix.clone());
            config.mqtt.url.is_none().then(|| (config.broker.clone(), config.mqtt.max_packet_size, topics, prefixes))
        };
        embedded(self) != embedded(other)
    }
}

/// `[power]`: where power records come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PowerSettings {
    /// Topic of whole records; absent: `<base_topic>/power`.
    pub topic: Option<String>,
    /// Topic of records used while the meter is silent; absent: `<base_topic>/power/fallback`.
    pub fallback_topic: Option<String>,
    /// Unit of whole records.
    pub unit_of_measurement: PowerUnit,
    /// A key without a new value keeps its last one for this long.
    #[serde(with = "duration")]
    pub expire_after: Duration,
    /// Watts of export that set-points leave unused.
    pub reserve: Watts,
    /// What stands in for a dead meter.
    pub estimate: EstimateSettings,
    /// Single values on topics of their own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sensor: Vec<SensorSettings>,
    /// Keys that are made of others: key → Jinja expression.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub derived: BTreeMap<String, String>,
}

impl Default for PowerSettings {
    fn default() -> Self {
        let Settings { expire_after, reserve, .. } = Settings::default();
        Self {
            topic: None,
            fallback_topic: None,
            unit_of_measurement: PowerUnit::Watts,
            expire_after,
            reserve,
            estimate: EstimateSettings::default(),
            sensor: Vec::new(),
            derived: BTreeMap::new(),
        }
    }
}

/// `[homeassistant]`: MQTT discovery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HomeAssistantSettings {
    /// Sunward and its tasks appear in Home Assistant by themselves.
    pub discovery: bool,
    /// What the topics begin with that Home Assistant listens to.
    pub discovery_prefix: String,
}

impl Default for HomeAssistantSettings {
    fn default() -> Self {
        Self { discovery: true, discovery_prefix: "homeassistant".into() }
    }
}

/// `[scheduler]`: how decisions are made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SchedulerSettings {
    /// One scheduling step, aligned to the wall clock.
    #[serde(with = "duration")]
    pub cycle: Duration,
    /// Records kept, one per cycle.
    pub window_size: usize,
    /// A start must be affordable in this many newest records.
    pub confirm_records: usize,
    /// Watts held back before a less important task may start.
    pub headroom: Watts,
    /// Values below count as 0 on the keys of tasks.
    pub ignore_power_threshold: Watts,
    /// Without a meter record for longer than this, the data is missing.
    #[serde(with = "duration")]
    pub max_record_gap: Duration,
    /// The criteria of tasks that bring none of their own.
    pub criteria: CriteriaSettings,
    /// State older than this makes a registered task without `expire_after` and availability unreachable.
    #[serde(with = "duration")]
    pub task_expire_after: Duration,
    /// Set-points are sent at most this often.
    #[serde(with = "duration")]
    pub setpoint_interval: Duration,
    /// Decide and report everything, command nothing.
    pub dry_run: bool,
    /// A task that registers a key which another one has is refused.
    pub exclusive_keys: bool,
    /// The largest state of a task, in bytes.
    pub max_state_size: usize,
    /// The largest registration of a task, in bytes.
    pub max_registration_size: usize,
    /// The most fields of a task's state, those of objects within it included.
    pub max_state_fields: usize,
    /// How deep objects and lists of a task's state may stand within each other.
    pub max_state_depth: usize,
}

impl Default for SchedulerSettings {
    fn default() -> Self {
        let (usual, limits) = (Settings::default(), Limits::default());
        Self {
            cycle: usual.cycle,
            window_size: usual.window_size,
            confirm_records: usual.confirm_records,
            headroom: usual.headroom,
            ignore_power_threshold: usual.ignore_power_threshold,
            max_record_gap: usual.max_record_gap,
            criteria: CriteriaSettings::default(),
            task_expire_after: usual.task_expire_after,
            setpoint_interval: usual.setpoint_interval,
            dry_run: usual.dry_run,
            exclusive_keys: usual.exclusive_keys,
            max_state_size: limits.max_state_size,
            max_registration_size: limits.max_registration_size,
            max_state_fields: limits.max_state_fields,
            max_state_depth: limits.max_state_depth,
        }
    }
}

/// `[replay]`: of no effect but for `sunward replay`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReplaySettings {
    /// The tasks: a registration and the appliance behind it each, as [`crate::replay::PlannedTask`] reads them.
    pub task: Vec<Table>,
}

impl ReplaySettings {
    fn is_empty(&self) -> bool {
        self.task.is_empty()
    }
}
