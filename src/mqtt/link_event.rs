//! What happens on a connection, whichever version of MQTT it speaks, and the limits that both versions share.

use std::time::Duration;

use super::message::Message;

/// Requests that the library holds before it writes them. Larger than all windows together, so that handing over never
/// fails in practice; if it does, the request waits.
pub(super) const CAPACITY: usize = 128;

/// Seconds for connecting, TLS and CONNACK together.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What happened on the connection.
#[derive(Debug)]
pub(super) enum LinkEvent {
    Connected(Granted),
    /// The oldest message handed over was written; packet id 0 is QoS 0.
    Sent(u16),
    /// The oldest SUBSCRIBE handed over was written.
    SubscribeSent(u16),
    /// An answer per filter: `None`, or why it was refused.
    Subscribed(u16, Vec<Option<String>>),
    /// An UNSUBSCRIBE is answered.
    Unsubscribed,
    /// The broker has the message, or says why it won't.
    Acknowledged(u16, Option<String>),
    Message(Message),
    DisconnectSent,
    /// Pings, and whatever else shows that the connection lives.
    Other,
}

impl LinkEvent {
    /// It shows that the broker lives.
    pub(super) fn comes_from_broker(&self) -> bool {
        match self {
            Self::Connected(_)
            | Self::Subscribed(..)
            | Self::Unsubscribed
            | Self::Acknowledged(..)
            | Self::Message(_) => true,
            Self::Sent(_) | Self::SubscribeSent(_) | Self::DisconnectSent | Self::Other => false,
        }
    }

    /// A message whose topic nobody can name is of no use to anybody: then it is `Other`.
    pub(super) fn message(topic: Vec<u8>, payload: Vec<u8>, retain: bool) -> Self {
        match String::from_utf8(topic) {
            Ok(topic) if !topic.is_empty() => Self::Message(Message { topic, payload, retain }),
            _ => Self::Other,
        }
    }
}

/// A keep-alive as MQTT writes it, rounded down: a ping too early does no harm.
pub(super) fn whole_seconds(keep_alive: Duration) -> u16 {
    u16::try_from(keep_alive.as_secs()).unwrap_or(u16::MAX)
}

/// What the broker said when it let us in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Granted {
    pub(super) session_present: bool,
    pub(super) max_packet_size: Option<u32>,
    pub(super) keep_alive: Duration,
    /// It takes QoS 1.
    pub(super) acknowledges: bool,
    /// It keeps retained messages.
    pub(super) retains: bool,
}
