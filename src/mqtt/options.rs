//! From the configuration to what a connection needs, everything checked and every file read.
//!
//! Refuses to guess: whatever cannot work is an error that names the key and says what to write instead.

use std::fmt;
use std::net::{Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use super::tls;
use crate::config::{Mqtt, Protocol};

/// The client library refuses shorter ones, and a home's network has longer hiccups.
const SHORTEST_KEEP_ALIVE: Duration = Duration::from_secs(5);

/// Sixteen bits of seconds, says MQTT.
const LONGEST_KEEP_ALIVE: Duration = Duration::from_secs(65_535);

/// Room for a registration and a report; below, nothing would work.
const SMALLEST_PACKET_LIMIT: u32 = 4 * 1024;

/// The largest packet that MQTT knows.
const LARGEST_PACKET_LIMIT: u32 = 256 * 1024 * 1024 - 1;

/// How a broker is reached and how we introduce ourselves.
#[derive(Clone)]
pub struct Options {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: Option<Arc<rustls::ClientConfig>>,
    pub(super) protocol: Protocol,
    pub(super) client_id: String,
    pub(super) credentials: Option<(String, String)>,
    pub(super) keep_alive: Duration,
    pub(super) max_packet_size: u32,
}

/// A setting that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{key}: {problem}")]
pub struct OptionsError {
    /// The key, as it is written in the configuration: `mqtt.url`.
    pub key: &'static str,
    /// What is wrong with it and what to write instead.
    pub problem: String,
}

impl Options {
    /// Checks `[mqtt]` and reads the files that it names. `default` is where the embedded broker listens, for when
    /// `mqtt.url` is absent.
    ///
    /// # Errors
    /// Names the key that cannot work.
    pub fn from_config(config: &Mqtt, default: Option<SocketAddr>) -> Result<Self, OptionsError> {
        let address = match (&config.url, default) {
            (Some(url), _) => Address::parse(url)?,
            (None, Some(listener)) => Address::of(listener),
            (None, None) => {
                return Err(error("mqtt.url", "it is missing: write for example \"mqtt://192.168.1.10:1883\""));
            }
        };
        check_limits(config)?;
        let tls = if address.tls { Some(tls::client_config(config)?) } else { refuse_tls_files(config)? };
        Ok(Self {
            host: address.host,
            port: address.port,
            tls,
            protocol: config.protocol,
            client_id: config.client_id.clone(),
            credentials: credentials(config)?,
            keep_alive: config.keep_alive,
            max_packet_size: config.max_packet_size,
        })
    }

    /// The same broker under another client id, for a second connection beside the first.
    #[must_use]
    pub fn with_client_id(mut self, client_id: impl Into<String>) -> Self {
        self.client_id = client_id.into();
        self
    }

    /// The broker as people write it: `host:port`.
    #[must_use]
    pub fn broker(&self) -> String {
        format!("{}:{}", self.host, self.port)
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
            .field("username", &self.credentials.as_ref().map(|(name, _)| name))
            .field("keep_alive", &self.keep_alive)
            .field("max_packet_size", &self.max_packet_size)
            .finish_non_exhaustive()
    }
}

pub(super) fn error(key: &'static str, problem: impl Into<String>) -> OptionsError {
    OptionsError { key, problem: problem.into() }
}

#[derive(Debug, PartialEq, Eq)]
struct Address {
    tls: bool,
    host: String,
    port: u16,
}

impl Address {
    fn parse(url: &str) -> Result<Self, OptionsError> {
        let bad = |problem: &str| error("mqtt.url", format!("\"{url}\": {problem}"));
        let (tls, rest) = match url.split_once("://") {
            Some(("mqtt", rest)) => (false, rest),
            Some(("mqtts", rest)) => (true, rest),
            _ => return Err(bad("expected \"mqtt://host:1883\", or \"mqtts://host:8883\" for TLS")),
        };
        if rest.contains('@') {
            return Err(error("mqtt.url", "put the user name into mqtt.username and the password into mqtt.password"));
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => match port.parse() {
                Ok(port) if port > 0 => (host, port),
                _ => return Err(bad("the port is not a number from 1 to 65535")),
            },
            _ => (rest, if tls { 8883 } else { 1883 }),
        };
        if let Some(inner) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            if inner.parse::<Ipv6Addr>().is_err() {
                return Err(bad("what stands in brackets is not an IPv6 address"));
            }
            if tls {
                return Err(bad("over TLS, write the host's name: its certificate is checked against it"));
            }
        } else if host.is_empty() || host.contains(['/', '?', '#', ':', '[', ']', ' ']) {
            return Err(bad("expected a host name or address after \"://\", and nothing after the port"));
        }
        Ok(Self { tls, host: host.into(), port })
    }

    /// A listener's address as a client reaches it: one that listens on every interface is reached through loopback.
    fn of(listener: SocketAddr) -> Self {
        let host = match listener {
            SocketAddr::V4(address) if address.ip().is_unspecified() => "127.0.0.1".into(),
            SocketAddr::V6(address) if address.ip().is_unspecified() => "[::1]".into(),
            SocketAddr::V4(address) => address.ip().to_string(),
            SocketAddr::V6(address) => format!("[{}]", address.ip()),
        };
        Self { tls: false, host, port: listener.port() }
    }
}

fn check_limits(config: &Mqtt) -> Result<(), OptionsError> {
    let id = &config.client_id;
    if id.is_empty() || id.len() > 128 || id.contains(['/', '+', '#']) || id.chars().any(char::is_control) {
        // Longer ones and those with a slash are refused by some brokers, the embedded one among them.
        return Err(error("mqtt.client_id", "expected 1 to 128 characters without /, + and #"));
    }
    if !(SHORTEST_KEEP_ALIVE..=LONGEST_KEEP_ALIVE).contains(&config.keep_alive) {
        return Err(error("mqtt.keep_alive", "expected a duration from \"5s\" to \"18h\""));
    }
    if !(SMALLEST_PACKET_LIMIT..=LARGEST_PACKET_LIMIT).contains(&config.max_packet_size) {
        return Err(error("mqtt.max_packet_size", "expected a number of bytes from 4096 to 268435455"));
    }
    Ok(())
}

fn credentials(config: &Mqtt) -> Result<Option<(String, String)>, OptionsError> {
    let password = match (&config.password, &config.password_file) {
        (Some(_), Some(_)) => return Err(error("mqtt.password_file", "mqtt.password is set too: keep one of them")),
        (Some(password), None) => Some(password.clone()),
        (None, Some(path)) => Some(first_line(path)?),
        (None, None) => None,
    };
    match (&config.username, password) {
        (Some(name), password) => Ok(Some((name.clone(), password.unwrap_or_default()))),
        (None, Some(_)) => Err(error("mqtt.username", "it is missing, and a password needs a user name")),
        (None, None) => Ok(None),
    }
}

fn first_line(path: &Path) -> Result<String, OptionsError> {
    let text = std::fs::read_to_string(path)
        .map_err(|problem| error("mqtt.password_file", format!("cannot read {}: {problem}", path.display())))?;
    match text.lines().next().filter(|line| !line.is_empty()) {
        Some(line) => Ok(line.to_owned()),
        None => Err(error("mqtt.password_file", format!("the first line of {} is empty", path.display()))),
    }
}

/// Files for TLS beside a plain URL: somebody believes to be protected and is not.
fn refuse_tls_files(config: &Mqtt) -> Result<Option<Arc<rustls::ClientConfig>>, OptionsError> {
    let set = config.ca_file.is_some() || config.client_cert_file.is_some() || config.client_key_file.is_some();
    if set && config.url.is_some() {
        return Err(error(
            "mqtt.url",
            "certificates are configured, but \"mqtt://\" is not encrypted: write \"mqtts://\"",
        ));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, expect: Result<(bool, &str, u16), &str>) {
        match (Address::parse(url), expect) {
            (Ok(got), Ok((tls, host, port))) => assert_eq!(got, Address { tls, host: host.into(), port }),
            (Err(got), Err(part)) => assert!(got.to_string().contains(part), "{url}: {got}"),
            (got, expect) => panic!("{url}: {got:?}, expected {expect:?}"),
        }
    }

    #[test]
    fn urls_are_read_strictly_and_errors_say_what_to_write() {
        check("mqtt://broker", Ok((false, "broker", 1883)));
        check("mqtts://broker.local/", Ok((true, "broker.local", 8883)));
        check("mqtt://10.0.0.1:1884", Ok((false, "10.0.0.1", 1884)));
        check("mqtt://[::1]:1883", Ok((false, "[::1]", 1883)));
        check("mqtt://[::1]", Ok((false, "[::1]", 1883)));
        check("mqtts://[::1]", Err("host's name"));
        check("broker:1883", Err("expected \"mqtt://host:1883\""));
        check("ws://broker", Err("expected \"mqtt://host:1883\""));
        check("mqtt://me:secret@broker", Err("mqtt.username"));
        check("mqtt://broker:0", Err("port"));
        check("mqtt://broker:http", Err("port"));
        check("mqtt://", Err("host name"));
        check("mqtt://broker/path", Err("host name"));
        check("mqtt://::1", Err("host name"));
    }

    fn refused(change: impl FnOnce(&mut Mqtt), key: &str) {
        let mut config = Mqtt { url: Some("mqtt://broker".into()), ..Mqtt::default() };
        change(&mut config);
        match Options::from_config(&config, None) {
            Err(got) => assert_eq!(got.key, key, "{got}"),
            Ok(got) => panic!("{got:?} was taken"),
        }
    }

    #[test]
    fn what_cannot_work_is_refused_naming_its_key() {
        refused(|mqtt| mqtt.url = None, "mqtt.url");
        refused(|mqtt| mqtt.client_id = String::new(), "mqtt.client_id");
        refused(|mqtt| mqtt.client_id = "a/b".into(), "mqtt.client_id");
        refused(|mqtt| mqtt.keep_alive = Duration::from_secs(4), "mqtt.keep_alive");
        refused(|mqtt| mqtt.max_packet_size = 100, "mqtt.max_packet_size");
        refused(|mqtt| mqtt.password = Some("x".into()), "mqtt.username");
        refused(|mqtt| mqtt.password_file = Some("/nonexistent".into()), "mqtt.password_file");
        refused(|mqtt| mqtt.ca_file = Some("/nonexistent".into()), "mqtt.url");
        let tls = |mqtt: &mut Mqtt| mqtt.url = Some("mqtts://broker".into());
        refused(|mqtt| (tls(mqtt), mqtt.ca_file = Some("/nonexistent".into())).1, "mqtt.ca_file");
        refused(|mqtt| (tls(mqtt), mqtt.client_cert_file = Some("/x".into())).1, "mqtt.client_key_file");
        refused(|mqtt| (tls(mqtt), mqtt.client_key_file = Some("/x".into())).1, "mqtt.client_cert_file");
    }

    #[test]
    fn a_password_comes_from_the_first_line_of_its_file_and_is_never_printed() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "se cret\r\nsecond line\n").unwrap();
        let config = Mqtt { username: Some("me".into()), password_file: Some(file.path().into()), ..Mqtt::default() };
        let options = Options::from_config(&config, Some(([0, 0, 0, 0], 1234).into())).unwrap();
        assert_eq!(options.credentials, Some(("me".into(), "se cret".into())));
        assert_eq!(options.broker(), "127.0.0.1:1234");
        assert!(!format!("{options:?}").contains("cret"));
    }
}
