//! `[broker]`: the embedded broker, who may come in, and how much it takes.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::checks::{folder, within};
use super::findings::Findings;
use super::users::User;
use crate::units::duration;

/// `[broker]`: the embedded broker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BrokerSettings {
    /// Address and port it listens on. Beyond this computer it needs `users`, or `insecure`.
    pub listen: String,
    /// Folder for its retained messages; absent: kept in memory, gone with the program.
    pub storage: Option<PathBuf>,
    /// It may be reached from the network without any password.
    pub insecure: bool,
    /// Who may come in, by name; empty: everybody who reaches it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub users: BTreeMap<String, User>,
    /// Clients that are connected at once, Sunward not counted.
    pub max_connections: usize,
    /// Bytes of one packet.
    pub max_packet_size: u32,
    /// Messages that wait for one client.
    pub max_queued_messages: usize,
    /// Bytes that wait for one client; for all together eight times as much.
    pub max_queued_bytes: usize,
    /// Retained messages, and as many of Sunward's own.
    pub max_retained_messages: usize,
    /// Bytes of retained messages, and as many of Sunward's own.
    pub max_retained_bytes: usize,
    /// Sessions that outlive their connection.
    pub max_sessions: usize,
    /// Subscriptions of one client.
    pub max_subscriptions: usize,
    /// A session outlives its connection for at most this long.
    #[serde(with = "duration")]
    pub persistent_client_expiration: Duration,
}

impl Default for BrokerSettings {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:1883".into(),
            storage: None,
            insecure: false,
            users: BTreeMap::new(),
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

/// More than any computer that runs this in a home has.
const MOST_BYTES: usize = 1024 * 1024 * 1024;

impl BrokerSettings {
    /// Notes what can't be meant. `used`: no other broker is configured.
    pub(super) fn check(&self, listener: Result<SocketAddr, String>, used: bool, found: &mut Findings) {
        let listener = found.expect("broker.listen", listener);
        found.expect("broker.storage", self.storage.as_deref().map_or(Ok(()), folder));
        let counts = [
            ("max_connections", self.max_connections, 1..=10_000),
            ("max_queued_messages", self.max_queued_messages, 1..=1_000_000),
            ("max_queued_bytes", self.max_queued_bytes, 4_096..=MOST_BYTES),
            ("max_retained_messages", self.max_retained_messages, 16..=1_000_000),
            ("max_retained_bytes", self.max_retained_bytes, 4_096..=MOST_BYTES),
            ("max_sessions", self.max_sessions, 0..=10_000),
            ("max_subscriptions", self.max_subscriptions, 1..=10_000),
        ];
        for (key, value, allowed) in counts {
            found.expect(&format!("broker.{key}"), within(value, allowed));
        }
        found.expect("broker.max_packet_size", within(self.max_packet_size, 4_096..=64 * 1024 * 1024));
        for (name, user) in &self.users {
            user.check(name, &format!("broker.users.{name}"), found);
        }
        let open = listener.is_some_and(|listener| !listener.ip().is_loopback());
        if open && used && self.users.is_empty() && !self.insecure {
            let message = format!(
                "{} can be reached from the network, and nobody is asked for a password: whoever reaches it would command \
                 the appliances. Add accounts, [broker.users.NAME] with a password from `sunward hash-password`; or write \
                 broker.insecure = true if everything in your network may do that",
                self.listen
            );
            found.refuse("broker.listen", message);
        }
    }
}
