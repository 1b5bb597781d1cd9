//! The embedded broker: both protocols on one port, limits that hold, errors that say what to type.

use sunward::config::Protocol;
use sunward::mqtt::broker::{Embedded, start};
use sunward::mqtt::{Incoming, Outgoing, PublishError};
use tempfile::tempdir;

use crate::home::{AVAILABILITY, Sunward};
use crate::mosquitto::free_port;
use crate::peer::{PATIENCE, PROTOCOLS, Peer, settings};

const LIMIT: u32 = 64 * 1024;

const ANY_PORT: &str = "127.0.0.1:0";

fn url(broker: &Embedded) -> String {
    format!("mqtt://{}", broker.address())
}

#[tokio::test]
async fn both_protocols_meet_on_one_port() {
    let broker = start(ANY_PORT, None, LIMIT).await.unwrap();
    let mut old = Peer::subscribed_to(&settings(&url(&broker), Protocol::V311), &["t/#"]).await;
    let mut new = Peer::new(&url(&broker), &["t/#"]).await;
    new.handle.publish(Outgoing::command("t/set", "start", std::time::Duration::from_secs(60))).unwrap();
    old.expect("t/set", |payload| payload == "start").await;
    old.publish_retained("t/state", "ON").await;
    new.expect("t/state", |payload| payload == "ON").await;
    for protocol in PROTOCOLS {
        let mut late = Peer::start(&settings(&url(&broker), protocol), &["t/#"], None);
        assert!(late.expect("t/state", |payload| payload == "ON").await.retain);
    }
    broker.shutdown().await;
}

#[tokio::test]
async fn last_wills_are_published() {
    let broker = start(ANY_PORT, None, LIMIT).await.unwrap();
    let mut watcher = Peer::new(&url(&broker), &["availability"]).await;
    for protocol in PROTOCOLS {
        let will = Outgoing::state("availability", "offline");
        let mut peer = Peer::start(&settings(&url(&broker), protocol), &[], Some(will));
        peer.subscribed().await;
        drop(peer);
        watcher.expect("availability", |payload| payload == "offline").await;
    }
}

#[tokio::test]
async fn its_packet_limit_is_the_configured_one() {
    let broker = start(ANY_PORT, None, LIMIT).await.unwrap();
    let peer = Peer::new(&url(&broker), &[]).await;
    let refused = peer.handle.publish(Outgoing::state("t", vec![0; LIMIT as usize]));
    assert!(matches!(refused, Err(PublishError::TooLarge { limit: LIMIT, .. })), "{refused:?}");
}

#[tokio::test]
async fn retained_messages_survive_in_its_folder() {
    let folder = tempdir().unwrap();
    let storage = folder.path().join("new");
    let broker = start(ANY_PORT, Some(&storage), LIMIT).await.unwrap();
    let mut peer = Peer::new(&url(&broker), &["t"]).await;
    peer.publish_retained("t", "kept").await;
    peer.expect("t", |payload| payload == "kept").await;
    peer.handle.close(vec![]).await;
    broker.shutdown().await;
    let broker = start(ANY_PORT, Some(&storage), LIMIT).await.unwrap();
    Peer::new(&url(&broker), &[]).await;
    let mut peer = Peer::start(&settings(&url(&broker), Protocol::V5), &["t"], None);
    assert!(peer.expect("t", |payload| payload == "kept").await.retain);
}

/// A client of Mosquitto, which ends by itself.
async fn mosquitto(client: &str, broker: &Embedded, arguments: &[&str]) -> String {
    let port = broker.address().port().to_string();
    let mut command = tokio::process::Command::new(client);
    command.args(["-p", &port]).args(arguments).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await.expect(client).unwrap();
    assert!(output.status.success(), "{client} {arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn clients_of_mosquitto_are_served_in_both_versions() {
    let broker = start(ANY_PORT, None, LIMIT).await.unwrap();
    for (version, kept) in [("mqttv311", &[][..]), ("mqttv5", &["-x", "60"][..])] {
        let session = [&["-V", version, "-i", version, "-c", "-q", "2", "-t", "t/#"], kept].concat();
        mosquitto("mosquitto_sub", &broker, &[&session[..], &["-E"]].concat()).await;
        for (qos, payload) in [("2", "exactly once"), ("1", "at least once")] {
            mosquitto("mosquitto_pub", &broker, &["-V", version, "-q", qos, "-t", "t/a", "-m", payload]).await;
        }
        let waited = mosquitto("mosquitto_sub", &broker, &[&session[..], &["-C", "2"]].concat()).await;
        assert_eq!(waited, "exactly once\nat least once\n");
    }
    let properties = ["-D", "publish", "message-expiry-interval", "900", "-D", "publish", "user-property", "a", "b"];
    let message = ["-V", "mqttv5", "-r", "-q", "1", "-t", "kept", "-m", "long"];
    mosquitto("mosquitto_pub", &broker, &[&message[..], &properties].concat()).await;
    let told = mosquitto("mosquitto_sub", &broker, &["-V", "mqttv5", "-t", "kept", "-C", "1", "-F", "%r %p %P"]).await;
    assert_eq!(told, "1 long a:b\n", "and not who published it");
}

#[tokio::test]
async fn an_address_in_use_says_what_to_type() {
    let first = start(ANY_PORT, None, LIMIT).await.unwrap();
    let address = first.address();
    let listen = address.to_string();
    let error = start(&listen, None, LIMIT).await.unwrap_err().to_string();
    assert!(error.contains("a broker seems to be running there"), "{error}");
    assert!(error.contains(&format!("mqtt.url = \"mqtt://{address}\"")), "{error}");
    assert!(error.contains("another broker.listen"), "{error}");
    first.shutdown().await;
    start(&listen, None, LIMIT).await.unwrap().shutdown().await;
}

#[tokio::test]
async fn nonsense_in_its_settings_is_named() {
    let error = start("here", None, LIMIT).await.unwrap_err().to_string();
    assert!(error.contains("broker.listen: \"here\""), "{error}");
    let error = start(ANY_PORT, Some("/dev/null/folder".as_ref()), LIMIT).await.unwrap_err().to_string();
    assert!(error.contains("broker.storage"), "{error}");
}

#[tokio::test]
async fn without_a_url_sunward_brings_its_own_broker() {
    let port = free_port();
    let url = format!("mqtt://127.0.0.1:{port}");
    let mut sunward = Sunward::spawn(None, Protocol::V5, &format!("[broker]\nlisten = '127.0.0.1:{port}'"));
    for (n, protocol) in PROTOCOLS.into_iter().enumerate() {
        let id = format!("heater{n}");
        let task = format!("sunward/task/{id}");
        let mut peer = Peer::start(&settings(&url, protocol), &["sunward/#"], None);
        peer.expect(AVAILABILITY, |payload| payload == "online").await;
        peer.publish_retained(&format!("{task}/config"), r#"{"power": 2000}"#).await;
        peer.publish_retained(&format!("{task}/state"), "OFF").await;
        peer.publish("sunward/power", r#"{"net": -2000}"#).await;
        peer.publish("sunward/scheduler/set", "schedule").await;
        peer.expect(&format!("{task}/set"), |payload| payload == "start").await;
        peer.publish_retained(&format!("{task}/config"), "").await;
        peer.expect(&format!("{task}/report"), str::is_empty).await;
    }
    let mut watcher = Peer::new(&url, &[AVAILABILITY]).await;
    assert!(sunward.stop().await.success(), "{}", sunward.log());
    watcher
        .until("offline", |item| match item {
            Incoming::Message(message) => (message.payload == b"offline").then_some(()),
            _ => None,
        })
        .await;
}
