//! How a run is written down: one JSON object a line, each with its moment on both clocks. No secrets: of the connection
//! only the base topic is kept.
//!
//! Inputs are written whole. Outputs, which a playback makes again and only compares, stand in one line behind their input,
//! each with topic and payload; a payload that is long, as a report is, as its checksum and length. So a hundred reports take
//! some five kilobytes, less than the messages that led to them. The lines of the log are left out: they name the broker.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::input::{Input, Timer};
use super::output::Output;
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
        /// Whether outputs follow. Older records have decisions only.
        #[serde(default)]
        outputs: bool,
    },
    /// The configuration was read again.
    Reload {
        config: serde_json::Value,
    },
    Connected {
        first: bool,
    },
    Subscribed,
    Answered,
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
    Refused {
        text: String,
    },
    Dropped {
        count: u64,
        /// Absent in records of earlier versions.
        #[serde(default)]
        loudest: String,
    },
    ClientIdConflict {
        times: usize,
    },
    Settle,
    Cycle,
    Wake,
    Sensors,
    Devices,
    Republish,
    Rejections,
    /// What came of the input before, but for decisions. One input may have two of these lines.
    Outputs {
        list: Vec<WrittenOutput>,
    },
    /// The run ended well: nothing is missing of it.
    End,
    /// A decision that came of the input before.
    Decided {
        action: String,
        task: String,
        rule: String,
        reason: String,
    },
}

/// One output. Of commands all expire with the cycle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum WrittenOutput {
    State(String, Content),
    Command(String, Content),
    Clear(String),
    Subscribe(String),
    Unsubscribe(String),
    Ask,
    Ready,
}

/// A payload that is only compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Content {
    Text(String),
    Long { crc32: u32, bytes: usize },
}

/// A payload of no more bytes is written whole: set-points, commands, modes.
const SHORT: usize = 64;

impl WrittenOutput {
    /// None for what is not written here.
    pub(super) fn of(output: &Output) -> Option<Self> {
        Some(match output {
            Output::State { topic, payload } => Self::State(topic.clone(), Content::of(payload)),
            Output::Command { topic, payload, .. } => Self::Command(topic.clone(), Content::of(payload.as_bytes())),
            Output::Clear { topic } => Self::Clear(topic.clone()),
            Output::Subscribe { filter } => Self::Subscribe(filter.clone()),
            Output::Unsubscribe { filter } => Self::Unsubscribe(filter.clone()),
            Output::Ask => Self::Ask,
            Output::Ready => Self::Ready,
            Output::Decided(_) | Output::Log { .. } => return None,
        })
    }
}

impl Content {
    pub(super) fn of(payload: &[u8]) -> Self {
        match std::str::from_utf8(payload) {
            Ok(text) if payload.len() <= SHORT => Self::Text(text.to_owned()),
            _ => {
                let mut crc = flate2::Crc::new();
                crc.update(payload);
                Self::Long { crc32: crc.sum(), bytes: payload.len() }
            }
        }
    }
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
        let config = settings_without_secrets(config);
        Self::new(now, What::Start { version: env!("CARGO_PKG_VERSION").into(), config, part: 0, outputs: true })
    }

    pub(super) fn reload(now: Now, config: &Config) -> Self {
        Self::new(now, What::Reload { config: settings_without_secrets(config) })
    }

    pub(super) fn input(now: Now, input: &Input) -> Self {
        let what = match input {
            Input::Incoming(Incoming::Connected { first, .. }) => What::Connected { first: *first },
            Input::Incoming(Incoming::Subscribed) => What::Subscribed,
            Input::Incoming(Incoming::Answered) => What::Answered,
            Input::Incoming(Incoming::Disconnected { .. }) => What::Disconnected,
            Input::Incoming(Incoming::Message(Message { topic, payload, retain })) => {
                What::Message { topic: topic.clone(), payload: Payload(payload.clone()), retain: *retain }
            }
            Input::Incoming(Incoming::CommandSent { topic, payload }) => {
                What::CommandSent { topic: topic.clone(), payload: Payload(payload.clone()) }
            }
            Input::Incoming(Incoming::Refused { what }) => What::Refused { text: what.clone() },
            Input::Incoming(Incoming::Dropped { count, loudest }) => {
                What::Dropped { count: *count, loudest: loudest.clone() }
            }
            Input::Incoming(Incoming::ClientIdConflict { times }) => What::ClientIdConflict { times: *times },
            Input::Timer(Timer::Settle) => What::Settle,
            Input::Timer(Timer::Cycle) => What::Cycle,
            Input::Timer(Timer::Scheduler) => What::Wake,
            Input::Timer(Timer::Sensors) => What::Sensors,
            Input::Timer(Timer::Devices) => What::Devices,
            Input::Timer(Timer::Republish) => What::Republish,
            Input::Timer(Timer::Rejections) => What::Rejections,
        };
        Self::new(now, what)
    }

    /// None if there is nothing to write.
    pub(super) fn outputs(now: Now, outputs: &[Output]) -> Option<Self> {
        let list: Vec<_> = outputs.iter().filter_map(WrittenOutput::of).collect();
        (!list.is_empty()).then(|| Self::new(now, What::Outputs { list }))
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

/// No secrets: of the connection only the base topic is kept.
fn settings_without_secrets(config: &Config) -> serde_json::Value {
    let mqtt = Mqtt { base_topic: config.mqtt.base_topic.clone(), ..Mqtt::default() };
    // Another computer may be elsewhere.
    let here = || TimeZone::system().iana_name().map(str::to_owned);
    let time_zone = config.time_zone.clone().or_else(here);
    let config = Config { mqtt, broker: BrokerSettings::default(), time_zone, ..config.clone() };
    crate::config::settings_of(&config)
}

impl What {
    /// As it reached the service; none for what came out of it.
    pub(super) fn into_input(self) -> Option<Input> {
        Some(match self {
            Self::Start { .. } | Self::Reload { .. } | Self::Decided { .. } | Self::Outputs { .. } | Self::End => {
                return None;
            }
            Self::Connected { first } => Input::Incoming(Incoming::Connected { session_present: false, first }),
            Self::Subscribed => Input::Incoming(Incoming::Subscribed),
            Self::Answered => Input::Incoming(Incoming::Answered),
            Self::Disconnected => Input::Incoming(Incoming::Disconnected { reason: "the broker, as recorded".into() }),
            Self::Message { topic, payload: Payload(payload), retain } => {
                Input::Incoming(Incoming::Message(Message { topic, payload, retain }))
            }
            Self::CommandSent { topic, payload: Payload(payload) } => {
                Input::Incoming(Incoming::CommandSent { topic, payload })
            }
            Self::Refused { text } => Input::Incoming(Incoming::Refused { what: text }),
            Self::Dropped { count, loudest } => Input::Incoming(Incoming::Dropped { count, loudest }),
            Self::ClientIdConflict { times } => Input::Incoming(Incoming::ClientIdConflict { times }),
            Self::Settle => Input::Timer(Timer::Settle),
            Self::Cycle => Input::Timer(Timer::Cycle),
            Self::Wake => Input::Timer(Timer::Scheduler),
            Self::Sensors => Input::Timer(Timer::Sensors),
            Self::Devices => Input::Timer(Timer::Devices),
            Self::Republish => Input::Timer(Timer::Republish),
            Self::Rejections => Input::Timer(Timer::Rejections),
        })
    }
}
