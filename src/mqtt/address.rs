//! The address of a broker: scheme, host and port of `mqtt.url`.
//!
//! User names and passwords in it are refused, because an address gets printed and logged.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use rustls::pki_types::ServerName;

/// Where a broker is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// `mqtts://`: the connection is encrypted.
    pub(super) tls: bool,
    /// Host name or IP address, an IPv6 address without its brackets.
    pub(super) host: String,
    /// TCP port; 1883, or 8883 for `mqtts://`, where the address names none.
    pub(super) port: u16,
}

/// `host:port`, as people write it.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, .. } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

impl Address {
    /// Where a client on this computer reaches a listener: one that listens on every interface is reached through
    /// loopback.
    pub(super) fn of_listener(listener: SocketAddr) -> Self {
        let ip = match listener.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        Self { tls: false, host: ip.to_string(), port: listener.port() }
    }

    /// Takes `mqtt://host[:port]` or `mqtts://host[:port]` apart; the scheme may be in capitals.
    ///
    /// # Errors
    /// One sentence that says what was expected, and the corrected address where that can be guessed.
    pub(super) fn parse(url: &str) -> Result<Self, String> {
        if url.contains('@') {
            // Not quoted: what stands before the @ may be a password.
            return Err("expected only the host after ://, write the user name and the password as mqtt.username and \
                        mqtt.password"
                .into());
        }
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(format!("expected {EXPECTED}, found \"{url}\"{}", without_scheme(url)));
        };
        let tls = match scheme.to_lowercase().as_str() {
            "mqtt" => false,
            "mqtts" => true,
            "tcp" => return Err(format!("expected {EXPECTED}, write \"mqtt://{rest}\"")),
            "ssl" | "tls" => return Err(format!("expected {EXPECTED}, write \"mqtts://{rest}\"")),
            "ws" | "wss" | "http" | "https" => {
                return Err(format!(
                    "expected {EXPECTED}, found {scheme}://; WebSockets are not spoken, name the broker's plain MQTT port"
                ));
            }
            _ => return Err(format!("expected {EXPECTED}, found \"{url}\"")),
        };
        let (host, port) = host_and_port(rest.strip_suffix('/').unwrap_or(rest), if tls { 8883 } else { 1883 })?;
        if tls && ServerName::try_from(host.as_str()).is_err() {
            return Err(format!("expected a name or an address that a certificate can hold, found \"{host}\""));
        }
        Ok(Self { tls, host, port })
    }
}

const EXPECTED: &str = "mqtt://host or mqtts://host, with :port if it is not the usual one";

/// What to type instead of a bare host name.
fn without_scheme(url: &str) -> String {
    if url.is_empty() || url.contains(char::is_whitespace) {
        String::new()
    } else {
        format!(", write \"mqtt://{url}\"")
    }
}

fn host_and_port(authority: &str, usual: u16) -> Result<(String, u16), String> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').ok_or("expected a ] after the IPv6 address")?;
            if host.parse::<Ipv6Addr>().is_err() {
                return Err(format!("\"{host}\" is not an IPv6 address"));
            }
            match after.strip_prefix(':') {
                None if after.is_empty() => (host, None),
                None => return Err(format!("expected a port after a colon, found \"{after}\"")),
                port => (host, port),
            }
        }
        None => match authority.split_once(':') {
            Some((_, port)) if port.contains(':') => {
                return Err(format!(
                    "expected an IPv6 address in brackets, such as mqtt://[::1], found \"{authority}\""
                ));
            }
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    if host.is_empty() {
        return Err("the host is missing, expected for example mqtt://homeassistant.local".into());
    }
    if host.contains(|c: char| c.is_whitespace() || c.is_control() || "/?#[]\\\"".contains(c)) {
        return Err(format!("expected a host name or an IP address and nothing behind it, found \"{host}\""));
    }
    let port = match port {
        None => usual,
        Some(port) => match port.parse() {
            Ok(number) if number > 0 => number,
            _ => return Err(format!("expected a port from 1 to 65535, found \"{port}\"")),
        },
    };
    Ok((host.into(), port))
}

#[cfg(test)]
mod tests {
    use super::Address;

    fn check(url: &str, expect: &str) {
        let said = match Address::parse(url) {
            Ok(Address { tls, host, port }) => format!("{host} {port}{}", if tls { " tls" } else { "" }),
            Err(message) => message,
        };
        assert!(said.contains(expect), "{url}: {said}");
    }

    #[test]
    fn an_address_is_taken_apart() {
        check("mqtt://localhost", "localhost 1883");
        check("mqtts://broker.example/", "broker.example 8883 tls");
        check("MQTT://192.168.1.2:1884", "192.168.1.2 1884");
        check("mqtt://[fe80::1]:1884", "fe80::1 1884");
        check("mqtt://[::1]", "::1 1883");
        check("mqtts://[::1]", "::1 8883 tls");
        check("MqttS://Broker:8884/", "Broker 8884 tls");
    }

    #[test]
    fn a_wrong_address_says_what_to_type() {
        check("homeassistant.local", "write \"mqtt://homeassistant.local\"");
        check("192.168.1.2:1883", "write \"mqtt://192.168.1.2:1883\"");
        check("tcp://host:1883", "write \"mqtt://host:1883\"");
        check("ssl://host", "write \"mqtts://host\"");
        check("ws://host:9001", "WebSockets are not spoken");
        check("ftp://host", "expected mqtt://host or mqtts://host");
        check("mqtt://", "the host is missing");
        check("mqtt://:1883", "the host is missing");
        check("mqtt://host:", "expected a port from 1 to 65535, found \"\"");
        check("mqtt://host:0", "expected a port");
        check("mqtt://host:70000", "expected a port");
        check("mqtt://host:1883/topic", "expected a port");
        check("mqtt://host/topic", "nothing behind it");
        check("mqtt://my host", "nothing behind it");
        check("mqtt://fe80::1", "in brackets");
        check("mqtt://[fe80::1", "expected a ]");
        check("mqtt://[host]", "not an IPv6 address");
        check("mqtt://[::1]1883x", "expected a port");
        check("mqtt://[::1]1883", "expected a port after a colon");
        check("", "expected mqtt://host");
        check("mqtts://a..b", "that a certificate can hold");
        check("ws://broker", "expected mqtt://host or mqtts://host");
        check("mqtt://broker:http", "expected a port");
    }

    #[test]
    fn an_address_is_shown_as_people_write_it() {
        for (url, expect) in [("mqtt://host", "host:1883"), ("mqtts://[::1]", "[::1]:8883")] {
            assert_eq!(Address::parse(url).unwrap().to_string(), expect);
        }
    }

    #[test]
    fn a_listener_on_every_interface_is_reached_through_loopback() {
        for (listener, expect) in [
            ("0.0.0.0:1883", "127.0.0.1:1883"),
            ("[::]:1883", "[::1]:1883"),
            ("10.0.0.1:5", "10.0.0.1:5"),
            ("[::1]:5", "[::1]:5"),
        ] {
            assert_eq!(Address::of_listener(listener.parse().unwrap()).to_string(), expect);
        }
    }

    #[test]
    fn a_password_in_an_address_is_not_repeated() {
        let message = Address::parse("mqtt://me:secret@host").unwrap_err();
        assert!(message.contains("mqtt.password") && !message.contains("secret"), "{message}");
    }
}
