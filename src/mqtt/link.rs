//! One connection, whichever version of MQTT it speaks: the two halves of the client library under one roof.
//!
//! Refuses to outlive its connection. A link that failed is thrown away with all it held, because the library carries
//! collisions, stale events and half a session over to the next one; what was not confirmed is still in the outbox.

use std::time::Duration;

use super::disconnect::Loss;
use super::message::{Message, Outgoing};
use super::options::Options;
use super::outbox::Dispatch;
use super::subscriptions::Request;
use super::{v5, v311};
use crate::config::Protocol;

/// Requests that the library holds before it writes them. Larger than all windows together, so that handing over never
/// fails in practice; if it does, the request waits.
pub(super) const CAPACITY: usize = 128;

/// Seconds for connecting, TLS and CONNACK together.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What happened on the connection.
#[derive(Debug)]
pub(super) enum Event {
    Connected(Granted),
    /// The oldest message handed over was written; packet id 0 is QoS 0.
    Sent(u16),
    /// The oldest SUBSCRIBE handed over was written.
    SubscribeSent(u16),
    /// An answer per filter: `None`, or why it was refused.
    Subscribed(u16, Vec<Option<String>>),
    /// The broker has the message, or says why it won't.
    Acknowledged(u16, Option<String>),
    Message(Message),
    DisconnectSent,
    /// Pings, and whatever else shows that the connection lives.
    Other,
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

/// See the module.
pub(super) enum Link {
    V5(v5::Link),
    V311(v311::Link),
}

/// The way into a link that is being polled; never blocks.
pub(super) enum Requests {
    V5(v5::Requests),
    V311(v311::Requests),
}

/// A new connection, made by the first `poll`.
pub(super) fn open(options: &Options, will: Option<&Outgoing>) -> (Requests, Link) {
    match options.protocol {
        Protocol::V5 => {
            let (requests, link) = v5::open(options, will);
            (Requests::V5(requests), Link::V5(link))
        }
        Protocol::V311 => {
            let (requests, link) = v311::open(options, will);
            (Requests::V311(requests), Link::V311(link))
        }
    }
}

impl Link {
    /// The next event. Not safe to cancel: a link whose poll was dropped is to be dropped too.
    pub(super) async fn poll(&mut self) -> Result<Event, Loss> {
        match self {
            Self::V5(link) => link.poll().await,
            Self::V311(link) => link.poll().await,
        }
    }
}

impl Requests {
    /// False: not taken, try again later.
    pub(super) fn publish(&self, message: Dispatch, granted: Granted) -> bool {
        match self {
            Self::V5(requests) => requests.publish(message, granted),
            Self::V311(requests) => requests.publish(message),
        }
    }

    /// False: not taken, try again later.
    pub(super) fn ask(&self, request: &Request) -> bool {
        match self {
            Self::V5(requests) => requests.ask(request),
            Self::V311(requests) => requests.ask(request),
        }
    }

    /// False: not taken, try again later.
    pub(super) fn disconnect(&self) -> bool {
        match self {
            Self::V5(requests) => requests.disconnect(),
            Self::V311(requests) => requests.disconnect(),
        }
    }
}
