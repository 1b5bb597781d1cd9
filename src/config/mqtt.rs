//! `[mqtt]`, and the options of the connection that it describes.
//!
//! What can work is checked by [`crate::mqtt::OptionsBuilder`].

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::mqtt::{Options, OptionsBuilder, OptionsError, Protocol};
use crate::units::duration;

/// `[mqtt]`: the connection to the broker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mqtt {
    /// `mqtt://host[:1883]` or `mqtts://host[:8883]`; absent: the embedded broker.
    pub url: Option<String>,
    /// MQTT version spoken.
    pub protocol: Protocol,
    /// Identifies this Sunward to the broker; must be unique there and stay the same.
    pub client_id: String,
    /// User name for the broker.
    pub username: Option<String>,
    /// Its password.
    pub password: Option<String>,
    /// A file that holds the password (first line), instead of `password`.
    pub password_file: Option<PathBuf>,
    /// PEM file of the authorities to trust for `mqtts://`; absent: the system's.
    pub ca_file: Option<PathBuf>,
    /// PEM file of the client certificate, for brokers that ask for one.
    pub client_cert_file: Option<PathBuf>,
    /// PEM file of its private key.
    pub client_key_file: Option<PathBuf>,
    /// Every topic of Sunward begins with it.
    pub base_topic: String,
    /// Time between pings when nothing else is sent; at least 5 s.
    #[serde(with = "duration")]
    pub keep_alive: Duration,
    /// Largest MQTT packet accepted and sent, in bytes.
    pub max_packet_size: u32,
}

impl Default for Mqtt {
    fn default() -> Self {
        Self {
            url: None,
            protocol: Protocol::V5,
            client_id: "sunward".into(),
            username: None,
            password: None,
            password_file: None,
            ca_file: None,
            client_cert_file: None,
            client_key_file: None,
            base_topic: "sunward".into(),
            keep_alive: Duration::from_secs(30),
            max_packet_size: 1024 * 1024,
        }
    }
}

impl Mqtt {
    /// The options of a connection to `url`, with every file read.
    ///
    /// # Errors
    /// Names the first key that cannot work; `url` is needed.
    pub fn options(&self) -> Result<Options, OptionsError> {
        self.builder(None).build()
    }

    /// The options; where `url` is absent, of a connection to a broker that listens on this computer.
    pub(super) fn builder(&self, listener: Option<SocketAddr>) -> OptionsBuilder {
        let Self { client_id, username, password, password_file, .. } = self;
        OptionsBuilder::new(self.url.as_deref(), listener)
            .protocol(self.protocol)
            .client_id(client_id)
            .keep_alive(self.keep_alive)
            .max_packet_size(self.max_packet_size)
            .login(username.as_deref(), password.as_deref(), password_file.as_deref())
            .certificates(self.ca_file.as_deref(), self.client_cert_file.as_deref(), self.client_key_file.as_deref())
    }
}
