//! How much the embedded broker takes, of everything.
//!
//! The defaults leave room for the rest of Sunward in the 128 MiB that its systemd unit allows.

use std::time::Duration;

/// Every limit that can be configured. None of them is ever exceeded, whoever asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Clients that are connected at once, Sunward not counted.
    pub max_connections: usize,
    /// Bytes of one packet, in either direction.
    pub max_packet_size: u32,
    /// Messages that wait for one client.
    pub max_queued_messages: usize,
    /// Bytes that wait for one client. All clients together: eight times as much.
    pub max_queued_bytes: usize,
    /// Retained messages, and as many of Sunward's own.
    pub max_retained_messages: usize,
    /// Bytes of retained messages, and as many of Sunward's own.
    pub max_retained_bytes: usize,
    /// Sessions that outlive their connection.
    pub max_sessions: usize,
    /// Subscriptions of one client.
    pub max_subscriptions: usize,
    /// A session outlives its connection for at most this long, whatever the client asks for.
    pub persistent_client_expiration: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 100,
            max_packet_size: 256 * 1024,
            max_queued_messages: 1_000,
            max_queued_bytes: 2 * 1024 * 1024,
            max_retained_messages: 10_000,
            max_retained_bytes: 8 * 1024 * 1024,
            max_sessions: 100,
            max_subscriptions: 200,
            persistent_client_expiration: Duration::from_secs(24 * 3600),
        }
    }
}

impl Limits {
    /// Bytes that wait for all clients together.
    pub(super) fn all_queued_bytes(&self) -> usize {
        self.max_queued_bytes.saturating_mul(8)
    }
}
