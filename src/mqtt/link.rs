//! One connection, whichever version of MQTT it speaks: the two halves of the client library under one roof.
//!
//! It doesn't outlive its connection. A link that failed is thrown away with all it held, because the library carries
//! collisions, stale events and half a session over to the next one; what was not confirmed is still in the outbox.

use super::disconnect::Disconnect;
use super::link_event::{Granted, LinkEvent};
use super::message::Outgoing;
use super::options::Options;
use super::outbox::Dispatch;
use super::protocol::Protocol;
use super::subscriptions::Request;
use super::{v5, v311};

/// A connection, or an attempt at one.
pub(super) enum Link {
    V5(v5::V5Link),
    V311(v311::V311Link),
}

/// The way into a link that is being polled; never blocks.
pub(super) enum Requests {
    V5(v5::V5Requests),
    V311(v311::V311Requests),
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
    pub(super) async fn poll(&mut self) -> Result<LinkEvent, Disconnect> {
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
