//! What a connection needs, checked, with every file read.
//!
//! They are made by `options_builder` only, and only if they can work.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::address::Address;
use super::client_id;
use super::protocol::Protocol;

/// How a broker is reached and how we introduce ourselves.
#[derive(Clone)]
pub struct Options {
    pub(super) address: Address,
    pub(super) tls: Option<Arc<rustls::ClientConfig>>,
    pub(super) protocol: Protocol,
    pub(super) client_id: String,
    /// User name and password.
    pub(super) login: Option<(String, String)>,
    pub(super) keep_alive: Duration,
    pub(super) max_packet_size: u32,
}

impl Options {
    /// The same under the client id `<client id>-<suffix>`, for another connection beside the first.
    #[must_use]
    pub(crate) fn with_client_id_suffix(self, suffix: impl fmt::Display) -> Self {
        Self { client_id: client_id::with_suffix(&self.client_id, suffix), ..self }
    }

    /// The same towards a broker that listens at this address of this computer, without TLS.
    #[must_use]
    pub fn to_listener(self, listener: SocketAddr) -> Self {
        Self { address: Address::of_listener(listener), tls: None, ..self }
    }

    /// The same with another account.
    #[cfg(feature = "embedded-broker")]
    #[must_use]
    pub(crate) fn with_login(self, name: &str, password: &str) -> Self {
        Self { login: Some((name.to_owned(), password.to_owned())), ..self }
    }

    /// The broker as people write it: `host:port`.
    #[must_use]
    pub fn broker(&self) -> String {
        self.address.to_string()
    }
}

/// Without the password.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("broker", &self.broker())
            .field("tls", &self.tls.is_some())
            .field("protocol", &self.protocol)
            .field("client_id", &self.client_id)
            .field("username", &self.login.as_ref().map(|(name, _)| name))
            .field("keep_alive", &self.keep_alive)
            .field("max_packet_size", &self.max_packet_size)
            .finish_non_exhaustive()
    }
}
