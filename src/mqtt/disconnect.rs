//! Why a connection ended, in plain words and with a hint where there is one.
//!
//! What to do about it is decided in `client`.

use rumqttc_v4::ConnectReturnCode as V311Code;
use rumqttc_v5::mqttbytes::Error;
use rumqttc_v5::mqttbytes::v5::{ConnectReturnCode as V5Code, DisconnectReasonCode};

const CLIENT_CERTIFICATE: &str = "; the broker asks for mqtt.client_cert_file and mqtt.client_key_file";

/// A connection, or an attempt at one, that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Disconnect {
    pub(super) cause: Cause,
    pub(super) reason: String,
}

/// The causes that `client` reacts to differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// The broker does not let us in: asking soon again is no use.
    LoginRefused,
    /// Another program connected with our client id.
    ClientIdConflict,
    /// The broker closed the connection without a word, between two packets.
    HungUp,
    /// The connection broke: it was reset, or cut within a packet.
    Broken,
    /// The broker does not answer, or not what it should.
    Silent,
    /// The broker says that it doesn't know this version of MQTT.
    WrongVersion,
    /// We left: this connection was made to see whether it would last.
    TrialOver,
    /// Everything else: no route, no listener, no valid certificate.
    Other,
}

impl Disconnect {
    pub(super) fn new(cause: Cause, reason: impl Into<String>) -> Self {
        Self { cause, reason: reason.into() }
    }

    /// The reason for people, with a hint at the older protocol where this may be a broker that knows only that: `new`
    /// says that we speak MQTT 5 and were never let in.
    pub(super) fn explain(&self, broker: &str, new: bool) -> String {
        let reason = &self.reason;
        let old = matches!(self.cause, Cause::WrongVersion | Cause::HungUp | Cause::Broken | Cause::Silent);
        if old && new {
            return format!(
                "{broker}: {reason}; if this broker speaks only MQTT 3.1.1 (ioBroker, FHEM, Node-RED's aedes), set \
                 mqtt.protocol = \"3.1.1\""
            );
        }
        format!("{broker}: {reason}")
    }
}

impl From<rumqttc_v5::ConnectionError> for Disconnect {
    fn from(error: rumqttc_v5::ConnectionError) -> Self {
        use rumqttc_v5::ConnectionError as E;
        match error {
            E::MqttState(error) => from_v5_state(&error),
            E::Timeout(_) => Self::new(Cause::Silent, "no answer from the broker within 5 s"),
            E::Io(error) => Self::new(Cause::Other, error.to_string()),
            E::ConnectionRefused(code) => refused_v5(code),
            other => Self::new(Cause::WrongVersion, other.to_string()),
        }
    }
}

impl From<rumqttc_v4::ConnectionError> for Disconnect {
    fn from(error: rumqttc_v4::ConnectionError) -> Self {
        use rumqttc_v4::ConnectionError as E;
        match error {
            E::MqttState(rumqttc_v4::StateError::ConnectionAborted) => closed(),
            E::MqttState(rumqttc_v4::StateError::AwaitPingResp) => silent(),
            E::MqttState(rumqttc_v4::StateError::Deserialization(rumqttc_v4::mqttbytes::Error::Io(error))) => {
                broken(&error)
            }
            E::MqttState(rumqttc_v4::StateError::Deserialization(
                rumqttc_v4::mqttbytes::Error::PayloadSizeLimitExceeded(size),
            )) => too_large(size),
            E::MqttState(error) => Self::new(Cause::Silent, error.to_string()),
            E::NetworkTimeout => Self::new(Cause::Silent, "no answer from the broker within 5 s"),
            E::FlushTimeout => Self::new(Cause::Silent, "the broker does not take what is sent to it"),
            E::Io(error) => Self::new(Cause::Other, error.to_string()),
            E::ConnectionRefused(code) => refused_v311(code),
            other => Self::new(Cause::Silent, other.to_string()),
        }
    }
}

fn closed() -> Disconnect {
    Disconnect::new(Cause::HungUp, "the broker closed the connection")
}

fn broken(error: &std::io::Error) -> Disconnect {
    let text = error.to_string();
    // TLS 1.3 lets a client in before it looks at the certificate that isn't there.
    let hint = if text.contains("CertificateRequired") { CLIENT_CERTIFICATE } else { "" };
    Disconnect::new(Cause::Broken, format!("the connection broke: {text}{hint}"))
}

fn too_large(size: usize) -> Disconnect {
    Disconnect::new(
        Cause::Other,
        format!(
            "a message of {size} bytes came in, far more than mqtt.max_packet_size allows; if it is retained, \
             mosquitto_sub -t '#' --retained-only -W 5 -F '%l %t' names its topic, and mosquitto_pub -r -n -t TOPIC clears it"
        ),
    )
}

fn silent() -> Disconnect {
    Disconnect::new(Cause::Silent, "the broker does not answer pings any more")
}

fn from_v5_state(error: &rumqttc_v5::StateError) -> Disconnect {
    use rumqttc_v5::StateError as E;
    match error {
        E::ConnectionAborted => closed(),
        E::AwaitPingResp => silent(),
        E::ServerDisconnect { reason_code: DisconnectReasonCode::SessionTakenOver, .. } => Disconnect::new(
            Cause::ClientIdConflict,
            "another program connected with the same mqtt.client_id: is a second Sunward running?",
        ),
        E::ServerDisconnect { reason_code, reason_string } => {
            let text = reason_string.as_deref().map(|text| format!(" ({text})")).unwrap_or_default();
            Disconnect::new(Cause::Silent, format!("the broker ended the connection: {reason_code:?}{text}"))
        }
        E::ConnFail { reason } => refused_v5(*reason),
        E::Deserialization(Error::Io(error)) | E::Io(error) => broken(error),
        E::Deserialization(Error::PayloadSizeLimitExceeded { pkt_size, .. }) => too_large(*pkt_size),
        // An answer in the form of MQTT 3.1.1 can't be read as one of MQTT 5.
        E::Deserialization(error) => Disconnect::new(Cause::WrongVersion, format!("unreadable answer: {error}")),
        other => Disconnect::new(Cause::Silent, other.to_string()),
    }
}

fn refused_v5(code: V5Code) -> Disconnect {
    match code {
        V5Code::BadUserNamePassword => wrong_password(),
        V5Code::NotAuthorized | V5Code::Banned | V5Code::BadAuthenticationMethod => not_authorized(),
        V5Code::RefusedProtocolVersion | V5Code::UnsupportedProtocolVersion => {
            Disconnect::new(Cause::WrongVersion, "the broker does not speak MQTT 5")
        }
        V5Code::BadClientId | V5Code::ClientIdentifierNotValid => bad_client_id(),
        other => Disconnect::new(Cause::Other, format!("the broker refused the connection: {other:?}")),
    }
}

fn refused_v311(code: V311Code) -> Disconnect {
    match code {
        V311Code::BadUserNamePassword => wrong_password(),
        V311Code::NotAuthorized => not_authorized(),
        V311Code::BadClientId => bad_client_id(),
        V311Code::RefusedProtocolVersion => {
            Disconnect::new(Cause::Other, "the broker does not speak MQTT 3.1.1: try mqtt.protocol = \"5\"")
        }
        other => Disconnect::new(Cause::Other, format!("the broker refused the connection: {other:?}")),
    }
}

fn wrong_password() -> Disconnect {
    Disconnect::new(
        Cause::LoginRefused,
        "the broker refused the login: user name or password is wrong; check mqtt.username and mqtt.password",
    )
}

fn not_authorized() -> Disconnect {
    Disconnect::new(
        Cause::LoginRefused,
        "the broker refused the login: not authorized; check mqtt.username and mqtt.password, and that the broker \
         knows this user",
    )
}

fn bad_client_id() -> Disconnect {
    Disconnect::new(Cause::LoginRefused, "the broker does not accept this mqtt.client_id")
}
