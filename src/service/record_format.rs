//! How a run is written down: one JSON object a line, each with its moment on both clocks.
//!
//! Refuses secrets: of the connection only the base topic is kept.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::input::Input;
use crate::config::{BrokerSettings, Config, Mqtt};
use crate::core::{Action, Decision, Instant, Now};
use crate::mqtt::{Incoming, Message};

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Line {
    /// The steady clock, in nanoseconds.
    pub(super) at: u64,
    pub(super) wall: Timestamp,
    #[serde(flatten)]
    pub(super) what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub(super) enum What {
    /// A run begins, with these settings.
    Start {
        version: String,
        config: serde_json::Value,
        /// Which file of the run it is, from 0; in a further one the last message of every topic follows.
        #[serde(default)]
        part: u32,
    },
    Connected {
        first: bool,
    },
    Subscribed,
    Disconnected,
    Message {
        topic: String,
        payload: Payload,
        retain: bool,
    },
    CommandSent {
        topic: String,
        payload: Payload,
    },
    Settle,
    Cycle,
    Wake,
    Sensors,
    Devices,
    /// What came of the line before.
    Decided {
        action: String,
        task: String,
        rule: String,
        reason: String,
    },
}

/// Text where it is text, else a list of bytes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Payload(pub(super) Vec<u8>);

impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => to.serialize_str(text),
            Err(_) => to.collect_seq(&self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Text(String),
            Bytes(Vec<u8>),
        }
        Ok(Self(match Written::deserialize(from)? {
            Written::Text(text) => text.into_bytes(),
            Written::Bytes(bytes) => bytes,
        }))
    }
}

impl Line {
    pub(super) fn new(now: Now, what: What) -> Self {
        let at = u64::try_from(now.at.since(Instant::START).as_nanos()).unwrap_or(u64::MAX);
        Self { at, wall: now.wall, what }
    }

    pub(super) fn start(now: Now, config: &Config) -> Self {
        let mqtt = Mqtt { base_topic: config.mqtt.base_topic.clone(), ..Mqtt::default() };
        // Another computer may be elsewhere.
        let here = || TimeZone::system().iana_name().map(str::to_owned);
        let time_zone = config.time_zone.clone().or_else(here);
        let config = Config { mqtt, broker: BrokerSettings::default(), time_zone, ..config.clone() };
        let config = crate::config::settings_of(&config);
        Self::new(now, What::Start { version: env!("CARGO_PKG_VERSION").into(), config, part: 0 })
    }

    /// Nothing of what no decision depends on.
    pub(super) fn input(now: Now, input: &Input) -> Option<Self> {
        let what = match input {
            Input::Incoming(Incoming::Connected { first, .. }) => What::Connected { first: *first },
            Input::Incoming(Incoming::Subscribed) => What::Subscribed,
            Input::Incoming(Incoming::Disconnected { .. }) => What::Disconnected,
            Input::Incoming(Incoming::Message(Message { topic, payload, retain })) => {
                What::Message { topic: topic.clone(), payload: Payload(payload.clone()), retain: *retain }
            }
            Input::Incoming(Incoming::CommandSent { topic, payload }) => {
                What::CommandSent { topic: topic.clone(), payload: Payload(payload.clone()) }
            }
            Input::Incoming(
                Incoming::Refused { .. } | Incoming::Dropped { .. } | Incoming::ClientIdConflict { .. },
            ) => {
                return None;
            }
            Input::Settle => What::Settle,
            Input::Cycle => What::Cycle,
            Input::Wake => What::Wake,
            Input::Sensors => What::Sensors,
            Input::Devices => What::Devices,
        };
        Some(Self::new(now, what))
    }

    pub(super) fn decided(now: Now, decision: &Decision) -> Self {
        let action = match decision.action {
            Action::Start => "start",
            Action::Stop => "stop",
        };
        let (task, rule) = (decision.task.to_string(), decision.rule.as_str().to_owned());
        Self::new(now, What::Decided { action: action.into(), task, rule, reason: decision.reason.clone() })
    }

    pub(super) fn now(&self) -> Now {
        Now { at: Instant::START + Duration::from_nanos(self.at), wall: self.wall }
    }
}

impl What {
    /// As it reached the bridge; nothing for what came out of it.
    pub(super) fn into_input(self) -> Option<Input> {
        Some(match self {
            Self::Start { .. } | Self::Decided { .. } => return None,
            Self::Connected { first } => Input::Incoming(Incoming::Connected { session_present: false, first }),
            Self::Subscribed => Input::Incoming(Incoming::Subscribed),
            Self::Disconnected => Input::Incoming(Incoming::Disconnected { reason: "the broker, as recorded".into() }),
            Self::Message { topic, payload: Payload(payload), retain } => {
                Input::Incoming(Incoming::Message(Message { topic, payload, retain }))
            }
            Self::CommandSent { topic, payload: Payload(payload) } => {
                Input::Incoming(Incoming::CommandSent { topic, payload })
            }
            Self::Settle => Input::Settle,
            Self::Cycle => Input::Cycle,
            Self::Wake => Input::Wake,
            Self::Sensors => Input::Sensors,
            Self::Devices => Input::Devices,
        })
    }
}
