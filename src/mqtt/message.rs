//! What is sent and what comes in: messages as the rest of the program sees them, and the checks they pass first.
//!
//! How a message travels is decided in `v5` and `v311`.

use std::time::Duration;

use thiserror::Error;

use crate::wire::topic::check_topic;

/// Telemetry that could not be sent within this time is worth nothing any more: a power reading of the past must not
/// look like one of now.
const TELEMETRY_PATIENCE: Duration = Duration::from_secs(10);

/// A command that could not be sent within this time is not sent any more: it was decided on what was known then. The next
/// cycle decides on what is known after the outage.
const COMMAND_PATIENCE: Duration = Duration::from_secs(10);

/// The largest number of bytes by which a PUBLISH exceeds its topic and payload: fixed header (5), topic length (2),
/// packet id (2), properties (1 + 5 for the expiry).
const PUBLISH_OVERHEAD: usize = 15;

/// A message that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Where it was published.
    pub topic: String,
    /// What it says.
    pub payload: Vec<u8>,
    /// The broker kept it and replays it: it may be days old.
    pub retain: bool,
}

/// What comes out of the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// The broker let us in; all subscriptions are on their way again.
    Connected {
        /// The broker remembered us. With a clean start it never does.
        session_present: bool,
        /// It is the first time since [`super::connect`].
        first: bool,
    },
    /// Every subscription asked for so far is answered.
    Subscribed,
    /// The broker refused a subscription or a message, or one that came in was too large.
    Refused {
        /// Plain words that name the filter or the topic.
        what: String,
    },
    /// The connection is lost, or an attempt failed in a new way; the next attempt comes by itself.
    Disconnected {
        /// Plain words, with a hint where there is one.
        reason: String,
    },
    /// A message.
    Message(Message),
    /// A command left: the broker confirmed it, or it was written to the socket where nothing is confirmed (MQTT 3.1.1).
    CommandSent {
        /// Its topic.
        topic: String,
        /// What it said.
        payload: Vec<u8>,
    },
    /// The broker answered what [`super::Handle::ask`] asked: it lives, and all that it had sent before came before this.
    Answered,
    /// Messages came in faster than they were taken: the oldest of the topics on which most was said had to go.
    Dropped {
        /// How many since the last of these.
        count: u64,
        /// The topic on which most was said.
        loudest: String,
    },
    /// The broker ends our connections again and again, as it does when another program uses the same client id and
    /// both throw each other out.
    ClientIdConflict {
        /// How often within the last minutes.
        times: usize,
    },
}

/// A message to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    pub(super) topic: String,
    pub(super) payload: Vec<u8>,
    pub(super) kind: Kind,
    /// Of several commands for one of these, only the latest waits.
    pub(super) addressee: Option<String>,
}

/// What a message is decides how it travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// QoS 1, retained.
    Retained,
    /// Never retained. MQTT 5: QoS 1 that expires; MQTT 3.1.1: QoS 0.
    Command { expiry: Duration },
    /// QoS 1, not retained.
    Event,
    /// QoS 0, not retained.
    Telemetry,
}

impl Kind {
    /// How long a message of this kind is worth anything; `None`: for ever.
    pub(super) fn expiry(self) -> Option<Duration> {
        match self {
            Self::Command { expiry } => Some(expiry),
            _ => self.patience(),
        }
    }

    /// How long a message of this kind may wait for a connection; `None`: as long as it takes.
    pub(super) fn patience(self) -> Option<Duration> {
        match self {
            Self::Command { expiry } => Some(expiry.min(COMMAND_PATIENCE)),
            Self::Telemetry => Some(TELEMETRY_PATIENCE),
            Self::Retained | Self::Event => None,
        }
    }
}

impl Outgoing {
    /// A state: retained, QoS 1. Of several that wait for one topic only the latest is sent.
    pub fn state(topic: impl Into<String>, payload: impl Into<Vec<u8>>) -> Self {
        Self::new(topic, payload, Kind::Retained)
    }

    /// Makes the broker forget what it retains for a topic.
    pub fn clear(topic: impl Into<String>) -> Self {
        Self::state(topic, Vec::new())
    }

    /// A command: never retained, in order, and worthless after `expiry`. Over MQTT 5 it goes with QoS 1 and the broker
    /// learns when it expires; over MQTT 3.1.1 with QoS 0, so that no broker keeps it for a device that is away. It goes only
    /// to a broker that has just shown that it lives, and not later than ten seconds after this.
    pub fn command(topic: impl Into<String>, payload: impl Into<Vec<u8>>, expiry: Duration) -> Self {
        Self::new(topic, payload, Kind::Command { expiry })
    }

    /// Of several commands that wait for one addressee, whatever their topics, only the latest is sent.
    #[must_use]
    pub fn addressed_to(self, addressee: impl Into<String>) -> Self {
        Self { addressee: Some(addressee.into()), ..self }
    }

    /// Something that happened: QoS 1, not retained, sent however late.
    pub fn event(topic: impl Into<String>, payload: impl Into<Vec<u8>>) -> Self {
        Self::new(topic, payload, Kind::Event)
    }

    /// A reading: QoS 0, not retained, worthless after ten seconds.
    pub fn telemetry(topic: impl Into<String>, payload: impl Into<Vec<u8>>) -> Self {
        Self::new(topic, payload, Kind::Telemetry)
    }

    fn new(topic: impl Into<String>, payload: impl Into<Vec<u8>>, kind: Kind) -> Self {
        Self { topic: topic.into(), payload: payload.into(), kind, addressee: None }
    }

    /// Where it goes.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic
    }

    pub(super) fn check(&self, limit: u32) -> Result<(), PublishError> {
        check_topic(&self.topic).map_err(PublishError::Topic)?;
        let size = packet_size(&self.topic, &self.payload);
        if size > limit as usize {
            return Err(PublishError::TooLarge { topic: self.topic.clone(), size, limit });
        }
        Ok(())
    }
}

/// Why a message isn't taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PublishError {
    /// Not a topic, or not a filter.
    #[error("{0}")]
    Topic(String),
    /// Larger than we, or the broker, allow a packet to be.
    #[error(
        "the message for {topic} takes {size} bytes and the limit is {limit}: see mqtt.max_packet_size and the broker's own limit"
    )]
    TooLarge {
        /// Its topic.
        topic: String,
        /// The size of its packet.
        size: usize,
        /// The smaller of the two limits.
        limit: u32,
    },
    /// So much waits for the broker that nothing more is taken.
    #[error("too many messages wait for the broker; the one for {topic} was not taken")]
    Full {
        /// Its topic.
        topic: String,
    },
    /// The connection has been closed for good.
    #[error("the MQTT connection has been closed; the message for {topic} was not taken")]
    Closed {
        /// Its topic.
        topic: String,
    },
}

/// An upper bound of the size of the PUBLISH packet.
pub(super) fn packet_size(topic: &str, payload: &[u8]) -> usize {
    topic.len() + payload.len() + PUBLISH_OVERHEAD
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_measured_with_its_header() {
        let message = Outgoing::state("topic", vec![0; 100]);
        assert_eq!(message.check(120), Ok(()));
        assert_eq!(message.check(119), Err(PublishError::TooLarge { topic: "topic".into(), size: 120, limit: 119 }));
    }
}
