//! `mqtt.url`, taken apart once: scheme, host, port.
//!
//! Refuses user names and passwords in it: an address gets printed and logged.

/// A broker's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerUrl {
    /// `mqtts://`: the connection is encrypted.
    pub tls: bool,
    /// Host name or IP address, an IPv6 address without its brackets.
    pub host: String,
    /// TCP port; 1883, or 8883 for `mqtts://`, where the address names none.
    pub port: u16,
}

impl BrokerUrl {
    /// Takes `mqtt://host[:port]` or `mqtts://host[:port]` apart.
    ///
    /// # Errors
    /// One sentence that says what was expected, and the corrected address where that can be guessed.
    pub fn parse(url: &str) -> Result<Self, String> {
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
            if host.parse::<std::net::Ipv6Addr>().is_err() {
                return Err(format!("\"{host}\" is not an IPv6 address"));
            }
            (host, after.strip_prefix(':').map_or((!after.is_empty()).then_some(after), Some))
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
    use super::BrokerUrl;

    fn check(url: &str, expect: &str) {
        let said = match BrokerUrl::parse(url) {
            Ok(BrokerUrl { tls, host, port }) => format!("{host} {port}{}", if tls { " tls" } else { "" }),
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
        check("", "expected mqtt://host");
    }

    #[test]
    fn a_password_in_an_address_is_not_repeated() {
        let message = BrokerUrl::parse("mqtt://me:secret@host").unwrap_err();
        assert!(message.contains("mqtt.password") && !message.contains("secret"), "{message}");
    }
}
