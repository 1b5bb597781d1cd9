//! What the broker knows of one client, connected or not.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use bytes::BytesMut;
use mqtt5_protocol::ReasonCode;

use super::access::Permissions;
use super::link::Link;
use super::message::Message;
use super::queue::Queue;

/// What a client subscribed to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subscription {
    pub(super) at_least_once: bool,
    pub(super) no_local: bool,
    pub(super) retain_as_published: bool,
}

/// Retained messages that are still to be handed over to a new subscription: not copies, but how far it came.
#[derive(Debug)]
pub(super) struct Replay {
    pub(super) filter: String,
    pub(super) at_least_once: bool,
    pub(super) after: Option<Box<str>>,
    pub(super) done: bool,
}

/// A last will.
#[derive(Debug)]
pub(super) struct Will {
    pub(super) message: Arc<Message>,
    /// Seconds.
    pub(super) delay: u32,
}

/// A client.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// Of the account; another one can't take the session over.
    pub(super) permissions: Arc<Permissions>,
    pub(super) link: Option<Arc<Link>>,
    /// Who published with the number of the link, also when that is gone.
    pub(super) publisher: u64,
    pub(super) subscriptions: BTreeMap<String, Subscription>,
    pub(super) queue: Queue,
    pub(super) replays: VecDeque<Replay>,
    /// Answers, encoded.
    pub(super) answers: BytesMut,
    /// Messages with QoS 2 that were taken, until the client has let them go.
    pub(super) taken: HashSet<u16>,
    /// Seconds that the session outlives its connection.
    pub(super) expiry: u32,
    pub(super) gone_since: Option<Instant>,
    pub(super) will: Option<Will>,
    pub(super) will_due: Option<Instant>,
    /// The connection is to end, for this reason.
    pub(super) closing: Option<ReasonCode>,
}

impl Session {
    /// Returns whether it is kept for an absent client.
    pub(super) fn is_kept(&self) -> bool {
        self.expiry > 0
    }

    /// Wakes the connection: there is something to send.
    pub(super) fn wake(&self) {
        if let Some(link) = &self.link {
            link.wake.notify_one();
        }
    }
}
