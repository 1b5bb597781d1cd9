//! The settings of the program, as SPEC section 12 names them, with their defaults.
//!
//! The structs here are the public configuration: names and defaults. Where they come from is `load`'s business, and
//! refusing what cannot be meant is `validate`'s.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize};

use crate::units::{Watts, duration};

mod checks;
mod load;
mod merge;
mod problem;
mod strict;
mod tasks;
mod url;
mod validate;
mod variables;

#[cfg(test)]
mod example;

pub(crate) use checks::plain_topic;
pub(crate) use load::settings_of;
pub use load::{Loaded, SEARCHED, Source, Sources, load};
pub use problem::{ConfigError, Place, Problem, is_secret};
pub use tasks::{Task, default_criteria, replay_tasks};
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
    pub task: Vec<Task>,
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
    /// Single values on topics of their own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sensor: Vec<Sensor>,
    /// Keys that are made of others: key → Jinja expression.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub derived: BTreeMap<String, String>,
}

impl Default for Power {
    fn default() -> Self {
        Self {
            topic: None,
            fallback_topic: None,
            unit_of_measurement: PowerUnit::Watts,
            expire_after: Duration::from_secs(300),
            reserve: Watts::ZERO,
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

/// `[[power.sensor]]`: one value on a topic, by Home Assistant's names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sensor {
    /// What is measured, or a template over `topic` where that has wildcards.
    pub key: String,
    /// Where it is published.
    pub topic: String,
    /// Finds the value in the message; absent: the payload is a number.
    #[serde(default)]
    pub value_template: Option<String>,
    /// `W` or `kW`; absent: as it comes.
    #[serde(default)]
    pub unit_of_measurement: Option<String>,
    /// The value is multiplied by this; -1 inverts it.
    #[serde(default = "unscaled")]
    pub scale: f64,
    /// The value counts for so long; absent: `power.expire_after`; 0: for ever.
    #[serde(default, with = "duration::option")]
    pub expire_after: Option<Duration>,
}

fn unscaled() -> f64 {
    1.0
}

/// The unit that a meter speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum PowerUnit {
    /// Watts.
    #[default]
    #[serde(rename = "W")]
    Watts,
    /// Kilowatts.
    #[serde(rename = "kW")]
    Kilowatts,
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
        Self {
            cycle: Duration::from_secs(60),
            window_size: 12,
            confirm_records: 2,
            headroom: Watts(200.0),
            ignore_power_threshold: Watts(100.0),
            max_record_gap: Duration::from_secs(180),
            criteria: Criteria::default(),
            task_expire_after: Duration::from_secs(600),
            setpoint_interval: Duration::from_secs(5),
            dry_run: false,
        }
    }
}

/// `[replay]`: of no effect but for `sunward replay`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Replay {
    /// The tasks: a registration and the appliance behind it each, as [`crate::replay::PlannedTask`] reads them.
    pub task: Vec<Task>,
}

impl Replay {
    fn is_empty(&self) -> bool {
        self.task.is_empty()
    }
}

/// `scheduler.criteria`: a number or a Jinja expression each, as in a registration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "CriteriaAsWritten")]
pub struct Criteria {
    /// Asked for a stopped task.
    pub start: CriterionSource,
    /// Asked for a running one. Where it was omitted, reading fills in [`Criteria::omitted_keep`].
    pub keep: Option<CriterionSource>,
}

impl Criteria {
    /// What `keep` is where it was omitted beside this `start`: 0.75, but at most 0.9 × a numeric `start`, as a task must
    /// not be stopped by the very number that started it.
    #[must_use]
    pub fn omitted_keep(start: &CriterionSource) -> CriterionSource {
        CriterionSource::Number(match start {
            CriterionSource::Number(start) => (0.9 * start).min(0.75),
            CriterionSource::Expression(_) => 0.75,
        })
    }
}

impl Default for Criteria {
    fn default() -> Self {
        CriteriaAsWritten::default().into()
    }
}

/// `Criteria` before the omitted `keep` is filled in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct CriteriaAsWritten {
    start: CriterionSource,
    keep: Option<CriterionSource>,
}

impl Default for CriteriaAsWritten {
    fn default() -> Self {
        Self { start: CriterionSource::Number(1.0), keep: None }
    }
}

impl From<CriteriaAsWritten> for Criteria {
    fn from(CriteriaAsWritten { start, keep }: CriteriaAsWritten) -> Self {
        let keep = keep.unwrap_or_else(|| Self::omitted_keep(&start));
        Self { start, keep: Some(keep) }
    }
}

/// A criterion as it is written: a number `x` is short for `ratio >= x`. A number in quotes is a number too, which is how
/// environment variables come.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum CriterionSource {
    /// `ratio >= x`.
    Number(f64),
    /// A Jinja expression.
    Expression(String),
}

impl<'de> Deserialize<'de> for CriterionSource {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(NumberOrExpression)
    }
}

struct NumberOrExpression;

impl Visitor<'_> for NumberOrExpression {
    type Value = CriterionSource;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number or an expression such as \"ratio >= 0.8\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<CriterionSource, E> {
        // `inf` and `nan` are no numbers to compare a ratio with: as expressions they name unknown variables.
        Ok(match text.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => CriterionSource::Number(number),
            _ => CriterionSource::Expression(text.to_owned()),
        })
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<CriterionSource, E> {
        Ok(CriterionSource::Number(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<CriterionSource, E> {
        #[expect(clippy::cast_precision_loss, reason = "a ratio beyond 2^53 is as good as any other")]
        self.visit_f64(number as f64)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<CriterionSource, E> {
        #[expect(clippy::cast_precision_loss, reason = "a ratio beyond 2^53 is as good as any other")]
        self.visit_f64(number as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::{Criteria, CriterionSource};

    fn check(json: &str, start: CriterionSource, keep: CriterionSource) {
        let criteria: Criteria = serde_json::from_str(json).unwrap();
        assert_eq!(criteria, Criteria { start, keep: Some(keep) }, "{json}");
    }

    #[test]
    fn an_omitted_keep_stays_below_its_start() {
        use CriterionSource::{Expression, Number};
        check("{}", Number(1.0), Number(0.75));
        check(r#"{"start": 0.7}"#, Number(0.7), Number(0.9 * 0.7));
        check(r#"{"start": "0.7"}"#, Number(0.7), Number(0.9 * 0.7));
        check(r#"{"start": 2}"#, Number(2.0), Number(0.75));
        check(r#"{"start": 0}"#, Number(0.0), Number(0.0));
        check(r#"{"start": "running"}"#, Expression("running".into()), Number(0.75));
        check(r#"{"start": 0.7, "keep": 0.7}"#, Number(0.7), Number(0.7));
        check(r#"{"keep": "on_for < 60"}"#, Number(1.0), Expression("on_for < 60".into()));
        check(r#"{"keep": "nan"}"#, Number(1.0), Expression("nan".into()));
    }

    #[test]
    fn the_defaults_are_those_of_the_page() {
        assert_eq!(Criteria::default().keep, Some(CriterionSource::Number(0.75)));
    }
}
