//! The settings of the program, as SPEC section 12 names them, with their defaults.
//!
//! The structs here are the public configuration: names and defaults. Where they come from is `load`'s business, and
//! refusing what cannot be meant is `validate`'s.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::core::Settings;
use crate::devices::SensorSettings;
use crate::units::{PowerUnit, Watts, duration};
use crate::wire::Table;

mod checks;
mod criteria;
mod estimate;
mod load;
mod meaning;
mod merge;
mod problem;
mod sources;
mod strict;
mod tasks;
mod url;
mod validate;
mod variables;

#[cfg(test)]
mod example_tests;

pub use criteria::Criteria;
pub use estimate::Estimate;
pub use load::{Loaded, SEARCHED, load};
pub use problem::{ConfigError, Place, Problem, is_secret};
pub(crate) use sources::settings_of;
pub use sources::{Source, Sources};
pub use url::BrokerUrl;
pub use validate::{Invalid, validate};

/// Everything that can be configured.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The broker to connect to, and how.
    pub mqtt: Mqtt,
    /// The embedded broker, used when `mqtt.url` is absent.
    pub broker: Broker,
    /// Where power records come from.
    pub power: Power,
    /// The scheduler's own settings.
    pub scheduler: Scheduler,
    /// Devices that can't register themselves.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub task: Vec<Table>,
    /// What `sunward replay` takes out of a record.
    #[serde(skip_serializing_if = "Replay::is_empty")]
    pub replay: Replay,
    /// What Home Assistant finds by itself.
    pub homeassistant: HomeAssistant,
    /// IANA time zone of the home, for `now` in criteria; absent: the system's.
    pub time_zone: Option<String>,
}

/// `[mqtt]`: the connection to the broker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mqtt {
    /// `mqtt://host[:1883]` or `mqtts://host[:8883]`; absent: the embedded broker.
    pub url: Option<String>,
    /// MQTT version spoken.
    pub protocol: Protocol,
    /// Identifies this Sunward to the broker; must be unique there and stay the same.
    pub client_id: String,
    /// User name for the broker.
    pub username: Option<String>,
    /// Its password.
    pub password: Option<String>,
    /// A file that holds the password (first line), instead of `password`.
    pub password_file: Option<PathBuf>,
    /// PEM file of the authorities to trust for `mqtts://`; absent: the system's.
    pub ca_file: Option<PathBuf>,
    /// PEM file of the client certificate, for brokers that ask for one.
    pub client_cert_file: Option<PathBuf>,
    /// PEM file of its private key.
    pub client_key_file: Option<PathBuf>,
    /// Every topic of Sunward begins with it.
    pub base_topic: String,
    /// Time between pings when nothing else is sent; at least 5 s.
    #[serde(with = "duration")]
    pub keep_alive: Duration,
    /// Largest MQTT packet accepted and sent, in bytes.
    pub max_packet_size: u32,
}

impl Default for Mqtt {
    fn default() -> Self {
        Self {
            url: None,
            protocol: Protocol::V5,
            client_id: "sunward".into(),
            username: None,
            password: None,
            password_file: None,
            ca_file: None,
            client_cert_file: None,
            client_key_file: None,
            base_topic: "sunward".into(),
            keep_alive: Duration::from_secs(30),
            max_packet_size: 1024 * 1024,
        }
    }
}

/// `mqtt.protocol`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Protocol {
    /// MQTT 5.
    #[default]
    #[serde(rename = "5")]
    V5,
    /// MQTT 3.1.1, for ioBroker, FHEM, Node-RED's aedes and other older brokers.
    #[serde(rename = "3.1.1")]
    V311,
}

/// `[broker]`: the embedded broker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Broker {
    /// Address and port it listens on. It asks for no password: keep it on the loopback address.
    pub listen: String,
    /// Folder for its retained messages; absent: kept in memory, gone with the program.
    pub storage: Option<PathBuf>,
}

impl Default for Broker {
    fn default() -> Self {
        Self { listen: "127.0.0.1:1883".into(), storage: None }
    }
}

/// `[power]`: where power records come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Power {
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
    pub estimate: Estimate,
    /// Single values on topics of their own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sensor: Vec<SensorSettings>,
    /// Keys that are made of others: key → Jinja expression.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub derived: BTreeMap<String, String>,
}

impl Default for Power {
    fn default() -> Self {
        let Settings { expire_after, reserve, .. } = Settings::default();
        Self {
            topic: None,
            fallback_topic: None,
            unit_of_measurement: PowerUnit::Watts,
            expire_after,
            reserve,
            estimate: Estimate::default(),
            sensor: Vec::new(),
            derived: BTreeMap::new(),
        }
    }
}

/// `[homeassistant]`: MQTT discovery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HomeAssistant {
    /// Sunward and its tasks appear in Home Assistant by themselves.
    pub discovery: bool,
    /// What the topics begin with that Home Assistant listens to.
    pub discovery_prefix: String,
}

impl Default for HomeAssistant {
    fn default() -> Self {
        Self { discovery: true, discovery_prefix: "homeassistant".into() }
    }
}

/// `[scheduler]`: how decisions are made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scheduler {
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
    pub criteria: Criteria,
    /// State older than this makes a registered task without `expire_after` and availability unreachable.
    #[serde(with = "duration")]
    pub task_expire_after: Duration,
    /// Set-points are sent at most this often.
    #[serde(with = "duration")]
    pub setpoint_interval: Duration,
    /// Decide and report everything, command nothing.
    pub dry_run: bool,
}

impl Default for Scheduler {
    fn default() -> Self {
        let usual = Settings::default();
        Self {
            cycle: usual.cycle,
            window_size: usual.window_size,
            confirm_records: usual.confirm_records,
            headroom: usual.headroom,
            ignore_power_threshold: usual.ignore_power_threshold,
            max_record_gap: usual.max_record_gap,
            criteria: Criteria::default(),
            task_expire_after: usual.task_expire_after,
            setpoint_interval: usual.setpoint_interval,
            dry_run: usual.dry_run,
        }
    }
}

/// `[replay]`: of no effect but for `sunward replay`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Replay {
    /// The tasks: a registration and the appliance behind it each, as [`crate::replay::PlannedTask`] reads them.
    pub task: Vec<Table>,
}

impl Replay {
    fn is_empty(&self) -> bool {
        self.task.is_empty()
    }
}
