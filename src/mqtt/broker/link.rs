//! What the two sides of a connection know of each other: the hub writes, the connection sends.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use mqtt5_protocol::ReasonCode;
use tokio::sync::Notify;

use super::access::Permissions;
use super::limits::Limits;

/// One connection of one client.
#[derive(Debug)]
pub(super) struct Link {
    /// Unlike that of any other connection.
    pub(super) id: u64,
    /// 5, or 4 for 3.1.1.
    pub(super) version: u8,
    /// Messages with QoS 1 that it takes before it confirms one.
    pub(super) window: usize,
    /// Bytes of the largest packet that it takes.
    pub(super) max_packet_size: usize,
    /// Whether it wants to read reasons.
    pub(super) reasons: bool,
    pub(super) permissions: Arc<Permissions>,
    /// There is something to send.
    pub(super) wake: Notify,
    /// There is room again for answers.
    pub(super) room: Notify,
}

/// Sunward's own packets may have so many bytes whatever the limit: it is the same program.
const OWN_LARGEST: usize = 1024 * 1024;

impl Link {
    /// Bytes of the largest packet that is taken from it.
    pub(super) fn largest_taken(&self, limits: &Limits) -> usize {
        let largest = limits.max_packet_size as usize;
        if self.permissions.own { largest.max(OWN_LARGEST) } else { largest }
    }

    /// A number for the next connection.
    pub(super) fn next_id() -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        NEXT.fetch_add(1, Ordering::Relaxed)
    }
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// The client said goodbye: no last will.
    Goodbye,
    /// It broke, or is broken off for this reason.
    Broken(Option<ReasonCode>),
}
