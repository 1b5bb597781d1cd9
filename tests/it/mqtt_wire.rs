//! The MQTT layer on the wire: quality of service, expiry, refusals, TLS.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use sunward::config::{Mqtt, Protocol};
use sunward::mqtt::Outgoing;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::home::{AVAILABILITY, Sunward};
use crate::mosquitto::{Mosquitto, Setup};
use crate::peer::{PATIENCE, PROTOCOLS, Peer, settings};
use crate::scripted::refuses_subscriptions;

#[tokio::test]
async fn commands_expire_over_mqtt_5_and_go_unacknowledged_over_3_1_1() {
    for (protocol, command) in [(Protocol::V5, "1 60 t/set"), (Protocol::V311, "0  t/set")] {
        let broker = Mosquitto::start();
        let peer = Peer::start(&settings(&broker.url(), protocol), &[], None);
        peer.publish_retained("t/ready", "x").await;
        let port = broker.url().rsplit(':').next().unwrap().to_owned();
        let mut watcher = tokio::process::Command::new("mosquitto_sub")
            .args(["-V", "5", "-p", &port, "-q", "1", "-t", "t/#", "-F", "%q %E %t"])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(watcher.stdout.take().unwrap()).lines();
        let mut line = async || tokio::time::timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
        assert_eq!(line().await, "1  t/ready");
        peer.handle.publish(Outgoing::command("t/set", "start", Duration::from_secs(60))).unwrap();
        assert_eq!(line().await, command, "{protocol:?}");
        peer.handle.publish(Outgoing::telemetry("t/power", "{}")).unwrap();
        assert_eq!(line().await.split(' ').next(), Some("0"), "{protocol:?}");
        peer.publish("t/event", "x").await;
        assert_eq!(line().await, "1  t/event", "{protocol:?}");
    }
}

#[tokio::test]
async fn a_refused_subscription_is_reported_and_all_are_answered_all_the_same() {
    for protocol in PROTOCOLS {
        let address = refuses_subscriptions(protocol).await;
        let mut peer = Peer::start(&settings(&format!("mqtt://{address}"), protocol), &["secret/#"], None);
        let what = peer.refused().await;
        assert!(what.starts_with("the broker refused subscribing to secret/#: "), "{what}");
        peer.subscribed().await;
    }
}

#[tokio::test]
async fn a_secure_connection_is_made_with_the_right_authority_only() {
    let (certificates, others) = (Certificates::new(), Certificates::new());
    let broker = Mosquitto::start_with(&Setup { extra: certificates.for_mosquitto(), ..Setup::default() });
    for protocol in PROTOCOLS {
        let secure = certificates.settings(&broker, protocol, "localhost");
        let mut peer = Peer::start(&secure, &["t"], None);
        peer.subscribed().await;
        peer.publish("t", "secret").await;
        peer.expect("t", |payload| payload == "secret").await;

        let stranger = Mqtt { ca_file: Some(others.path("ca.pem")), ..secure.clone() };
        let reason = Peer::start(&stranger, &[], None).disconnected().await;
        assert!(reason.contains("mqtt.ca_file"), "{reason}");
        let system = Mqtt { ca_file: None, ..secure.clone() };
        let reason = Peer::start(&system, &[], None).disconnected().await;
        assert!(reason.contains("mqtt.ca_file"), "{reason}");
        let other_name = certificates.settings(&broker, protocol, "127.0.0.1");
        let reason = Peer::start(&other_name, &[], None).disconnected().await;
        assert!(reason.contains("must be a name that the broker's certificate holds"), "{reason}");
        let anonymous = Mqtt { client_cert_file: None, client_key_file: None, ..secure };
        let reason = Peer::start(&anonymous, &[], None).disconnected().await;
        assert!(reason.contains("mqtt.client_cert_file"), "{reason}");
    }
}

#[tokio::test]
async fn tls_on_a_plain_port_is_explained() {
    let certificates = Certificates::new();
    let broker = Mosquitto::start();
    let secure = certificates.settings(&broker, Protocol::V5, "localhost");
    let reason = Peer::start(&secure, &[], None).disconnected().await;
    assert!(reason.contains("write mqtt:// in mqtt.url"), "{reason}");
}

#[tokio::test]
async fn addresses_of_ipv6_and_schemes_in_capitals_are_reached_plain_and_secure() {
    // Not every computer has the loopback address of IPv6.
    let Ok(port) = TcpListener::bind("[::1]:0").and_then(|listener| listener.local_addr()).map(|at| at.port()) else {
        return;
    };
    let certificates = Certificates::new();
    let plain = Mosquitto::start_with(&Setup { extra: format!("listener {port} ::1"), ..Setup::default() });
    for protocol in PROTOCOLS {
        for url in [format!("mqtt://[::1]:{port}"), plain.url().replace("mqtt://", "MQTT://")] {
            Peer::start(&settings(&url, protocol), &["t"], None).subscribed().await;
        }
    }
    let url = format!("MQTT://[::1]:{port}");
    let mut sunward = Sunward::spawn(Some(&url), Protocol::V5, "");
    Peer::start(&settings(&url, Protocol::V5), &[AVAILABILITY], None)
        .expect(AVAILABILITY, |said| said == "online")
        .await;
    assert!(sunward.stop().await.success(), "{}", sunward.log());
    drop(plain);
    let extra = format!("listener {port} ::1\n{}", certificates.for_mosquitto());
    let secure = Mosquitto::start_with(&Setup { extra, ..Setup::default() });
    for protocol in PROTOCOLS {
        let mut settings = certificates.settings(&secure, protocol, "localhost");
        settings.url = Some(format!("MQTTS://[::1]:{port}"));
        Peer::start(&settings, &["t"], None).subscribed().await;
    }
}

/// An authority, a server certificate for `localhost` and `::1`, and a client certificate, made for one test.
pub(crate) struct Certificates {
    folder: TempDir,
}

impl Certificates {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        openssl(
            folder.path(),
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=home -keyout ca.key -out ca.pem",
        );
        for (name, alternative) in [("server", "DNS:localhost,IP:::1"), ("client", "DNS:sunward")] {
            std::fs::write(folder.path().join("ext"), format!("subjectAltName={alternative}")).unwrap();
            openssl(
                folder.path(),
                &format!(
                    "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={name} -keyout {name}.key -out {name}.csr"
                ),
            );
            openssl(
                folder.path(),
                &format!(
                    "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out {name}.pem"
                ),
            );
        }
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn for_mosquitto(&self) -> String {
        let path = |name| self.path(name).display().to_string();
        format!(
            "cafile {}\ncertfile {}\nkeyfile {}\nrequire_certificate true",
            path("ca.pem"),
            path("server.pem"),
            path("server.key")
        )
    }

    fn settings(&self, broker: &Mosquitto, protocol: Protocol, host: &str) -> Mqtt {
        let url = broker.url().replace("mqtt://127.0.0.1", &format!("mqtts://{host}"));
        Mqtt {
            ca_file: Some(self.path("ca.pem")),
            client_cert_file: Some(self.path("client.pem")),
            client_key_file: Some(self.path("client.key")),
            ..settings(&url, protocol)
        }
    }
}

fn openssl(folder: &Path, arguments: &str) {
    let done = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}
