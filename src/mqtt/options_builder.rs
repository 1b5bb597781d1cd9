//! Makes the options of a connection out of settings as people write them.
//!
//! It doesn't stop at the first problem: whatever cannot work is an error that names its key and says what to write
//! instead, and [`OptionsBuilder::build_or_all`] returns all of them.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use super::address::Address;
use super::client_id;
use super::files;
use super::options::Options;
use super::options_error::OptionsError;
use super::protocol::Protocol;
use super::tls::{self, Files};

/// The client library refuses shorter ones, and a home's network has longer hiccups.
const SHORTEST_KEEP_ALIVE: Duration = Duration::from_secs(5);

/// Sixteen bits of seconds, says MQTT.
const LONGEST_KEEP_ALIVE: Duration = Duration::from_secs(65_535);

/// Room for a registration and a report; below, nothing would work.
const SMALLEST_PACKET_LIMIT: u32 = 4 * 1024;

/// The largest packet that MQTT knows.
const LARGEST_PACKET_LIMIT: u32 = 256 * 1024 * 1024 - 1;

const CA_FILE: &str = "mqtt.ca_file";
const CERTIFICATE: &str = "mqtt.client_cert_file";
const KEY: &str = "mqtt.client_key_file";
const PASSWORD: &str = "mqtt.password";
const PASSWORD_FILE: &str = "mqtt.password_file";
const URL: &str = "mqtt.url";
const USERNAME: &str = "mqtt.username";

/// Options in the making. What isn't said stays at its default: MQTT 5, the client id `sunward`, nobody's login, the
/// system's authorities, 30 seconds between pings, packets of up to 1 MiB.
#[derive(Debug)]
pub struct OptionsBuilder {
    url: Url,
    options: Options,
    problems: Vec<OptionsError>,
}

/// What is known of the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Url {
    /// None is configured.
    Absent,
    /// It can't be meant, so that nobody knows yet whether it would be encrypted.
    Wrong,
    Plain,
    Encrypted,
}

impl OptionsBuilder {
    /// Begins with the address `url`; where that is absent, with that of a broker that listens on this computer.
    #[must_use]
    pub fn new(url: Option<&str>, listener: Option<SocketAddr>) -> Self {
        let nowhere = || Address { tls: false, host: String::new(), port: 0 };
        let (url, address, problem) = match (url.map(Address::parse), listener) {
            (Some(Ok(address)), _) => (if address.tls { Url::Encrypted } else { Url::Plain }, address, None),
            (Some(Err(problem)), _) => (Url::Wrong, nowhere(), Some(problem)),
            (None, Some(listener)) => (Url::Absent, Address::of_listener(listener), None),
            (None, None) => {
                let problem = "it is missing: write for example \"mqtt://192.168.1.10:1883\"";
                (Url::Absent, nowhere(), Some(problem.to_owned()))
            }
        };
        let options = Options {
            address,
            tls: None,
            protocol: Protocol::default(),
            client_id: "sunward".into(),
            login: None,
            keep_alive: Duration::from_secs(30),
            max_packet_size: 1024 * 1024,
        };
        Self { url, options, problems: problem.map(|problem| OptionsError::new(URL, problem)).into_iter().collect() }
    }

    /// The version of MQTT.
    #[must_use]
    pub fn protocol(mut self, protocol: Protocol) -> Self {
        self.options.protocol = protocol;
        self
    }

    /// The name under which the broker knows this connection: at most 64 characters, none of them `/`, `+` or `#`.
    #[must_use]
    pub fn client_id(mut self, id: &str) -> Self {
        self.problems.extend(client_id::check(id).err());
        id.clone_into(&mut self.options.client_id);
        self
    }

    /// The time between pings: 5 s to 65,535 s.
    #[must_use]
    pub fn keep_alive(mut self, time: Duration) -> Self {
        if !(SHORTEST_KEEP_ALIVE..=LONGEST_KEEP_ALIVE).contains(&time) {
            let [least, most, found] = [SHORTEST_KEEP_ALIVE, LONGEST_KEEP_ALIVE, time].map(humantime::format_duration);
            self.refuse("mqtt.keep_alive", format!("expected {least} to {most}, found {found}"));
        }
        self.options.keep_alive = time;
        self
    }

    /// The largest packet that is sent and accepted, in bytes: 4,096 to 268,435,455.
    #[must_use]
    pub fn max_packet_size(mut self, bytes: u32) -> Self {
        if !(SMALLEST_PACKET_LIMIT..=LARGEST_PACKET_LIMIT).contains(&bytes) {
            let expected = format!("expected {SMALLEST_PACKET_LIMIT} to {LARGEST_PACKET_LIMIT}, found {bytes}");
            self.refuse("mqtt.max_packet_size", expected);
        }
        self.options.max_packet_size = bytes;
        self
    }

    /// The user's name, and the password or the file with the password in its first line.
    #[must_use]
    pub fn login(mut self, name: Option<&str>, password: Option<&str>, password_file: Option<&Path>) -> Self {
        let key = if password.is_some() { PASSWORD } else { PASSWORD_FILE };
        let read = match (password, password_file) {
            (Some(_), Some(_)) => {
                self.refuse_beside(PASSWORD_FILE, PASSWORD, format!("{PASSWORD} is set too, keep one of them"));
                None
            }
            (Some(password), None) => Some(password.to_owned()),
            (None, Some(file)) => match files::first_line(file) {
                Ok(password) => Some(password),
                Err(problem) => {
                    self.refuse(PASSWORD_FILE, problem);
                    None
                }
            },
            (None, None) => None,
        };
        match name {
            Some(name) => self.options.login = Some((name.to_owned(), read.unwrap_or_default())),
            None if password.is_some() || password_file.is_some() => {
                self.refuse_beside(key, USERNAME, format!("needs {USERNAME} beside it"));
            }
            None => {}
        }
        self
    }

    /// PEM files: the authorities to trust instead of the system's, the client certificate and its private key.
    #[must_use]
    pub fn certificates(mut self, authorities: Option<&Path>, certificate: Option<&Path>, key: Option<&Path>) -> Self {
        let given = [(CA_FILE, authorities), (CERTIFICATE, certificate), (KEY, key)];
        let given = given.iter().filter_map(|(key, file)| Some((*key, (*file)?)));
        match self.url {
            // Somebody believes to be protected and is not.
            Url::Absent => given.for_each(|(key, _)| {
                self.refuse_beside(key, URL, format!("is of use with {URL} = \"mqtts://…\" only"));
            }),
            Url::Plain => given.for_each(|(key, _)| {
                self.refuse_beside(key, URL, format!("is of use with mqtts:// only, {URL} begins with mqtt://"));
            }),
            Url::Wrong | Url::Encrypted => {
                let unreadable = given.filter_map(|(key, file)| Some(OptionsError::new(key, files::read(file).err()?)));
                let before = self.problems.len();
                self.problems.extend(unreadable);
                if self.url == Url::Encrypted && self.problems.len() == before {
                    self.encrypt(Files { authorities, certificate, key });
                }
            }
        }
        match (certificate, key) {
            (Some(_), None) => self.refuse_beside(CERTIFICATE, KEY, format!("needs {KEY} beside it")),
            (None, Some(_)) => self.refuse_beside(KEY, CERTIFICATE, format!("needs {CERTIFICATE} beside it")),
            _ => {}
        }
        self
    }

    /// Returns the options, if all of them can work.
    ///
    /// # Errors
    /// The first that can't.
    pub fn build(self) -> Result<Options, OptionsError> {
        let Self { options, problems, .. } = self.finished();
        problems.into_iter().next().map_or(Ok(options), Err)
    }

    /// Returns the options, if all of them can work.
    ///
    /// # Errors
    /// All that can't, in the order in which they were said.
    pub fn build_or_all(self) -> Result<Options, Vec<OptionsError>> {
        let Self { options, problems, .. } = self.finished();
        if problems.is_empty() { Ok(options) } else { Err(problems) }
    }

    fn finished(mut self) -> Self {
        if self.url == Url::Encrypted && self.options.tls.is_none() && self.problems.is_empty() {
            self.encrypt(Files::default());
        }
        self
    }

    fn encrypt(&mut self, files: Files<'_>) {
        match tls::client_config(files) {
            Ok(tls) => self.options.tls = Some(tls),
            Err(problem) => self.problems.push(problem),
        }
    }

    fn refuse(&mut self, key: &'static str, problem: impl Into<String>) {
        self.problems.push(OptionsError::new(key, problem));
    }

    fn refuse_beside(&mut self, key: &'static str, other: &'static str, problem: String) {
        self.problems.push(OptionsError::against(key, other, problem));
    }
}
