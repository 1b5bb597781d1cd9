//! The MQTT layer suspects what brokers don't say: a client id that two use, a subscription that is granted and not served,
//! a message that nobody wants. And it suspects nobody without a reason.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use sunward::config::Protocol;
use sunward::mqtt::{Incoming, Outgoing};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::home::{Home, STATE, Sunward, both};
use crate::mosquitto::{Mosquitto, Setup};
use crate::peer::{PATIENCE, PROTOCOLS, Peer, settings};

/// Three connections that are closed, one to see whether another client id fares better, and one after it.
const JUDGED: usize = 6;

/// A proxy that lets so many bytes of the broker through on each connection and then closes it.
struct Cutter {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    connected: Arc<Notify>,
    /// Bytes of the broker, of all connections.
    passed: Arc<AtomicUsize>,
}

impl Cutter {
    async fn start(broker: &str, after: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, passed, connected) = (Arc::default(), Arc::default(), Arc::new(Notify::new()));
        let broker = broker.trim_start_matches("mqtt://").to_owned();
        let (count, told, bytes): (Arc<AtomicUsize>, _, Arc<AtomicUsize>) =
            (Arc::clone(&connections), connected.clone(), Arc::clone(&passed));
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                told.notify_one();
                let bytes = bytes.clone();
                let mut server = TcpStream::connect(&broker).await.unwrap();
                tokio::spawn(async move {
                    let (mut from_client, mut to_client) = client.split();
                    let (mut from_server, mut to_server) = server.split();
                    let cut = async {
                        for _ in 0..after {
                            let mut byte = [0];
                            if from_server.read_exact(&mut byte).await.is_err() {
                                return;
                            }
                            bytes.fetch_add(1, Ordering::Relaxed);
                            if to_client.write_all(&byte).await.is_err() {
                                return;
                            }
                        }
                        // What the client says is read to the end, so that it sees a close and not a reset.
                        let _ = to_client.shutdown().await;
                        std::future::pending().await
                    };
                    tokio::select! {
                        () = cut => {}
                        _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
                    }
                });
            }
        });
        Self { address, connections, connected, passed }
    }

    async fn connections(&self, number: usize) {
        while self.connections.load(Ordering::Relaxed) < number {
            tokio::time::timeout(PATIENCE, self.connected.notified()).await.expect("it does not connect any more");
        }
    }
}

/// Goes through all that came in so far.
async fn conflict(peer: &mut Peer) -> Option<usize> {
    while let Ok(Some(item)) = tokio::time::timeout(Duration::ZERO, peer.inbox.next()).await {
        if let Incoming::ClientIdConflict { times } = item {
            return Some(times);
        }
    }
    None
}

#[tokio::test]
async fn a_connection_cut_at_any_byte_is_not_blamed_on_another_program() {
    let broker = Mosquitto::start();
    let mut other = Peer::new(&broker.url(), &["t"]).await;
    other.publish_retained("t", "x").await;
    other.expect("t", |payload| payload == "x").await;
    let check = |protocol, after| {
        let url = broker.url();
        async move {
            let cutter = Cutter::start(&url, after).await;
            let mut peer = Peer::start(&settings(&format!("mqtt://{}", cutter.address), protocol), &["t"], None);
            cutter.connections(JUDGED).await;
            assert_eq!(conflict(&mut peer).await, None, "{protocol:?}, cut after {after} bytes");
        }
    };
    let mut checks = tokio::task::JoinSet::new();
    for protocol in PROTOCOLS {
        // CONNACK, SUBACK and the message.
        let cutter = Cutter::start(&broker.url(), usize::MAX).await;
        let mut peer = Peer::start(&settings(&format!("mqtt://{}", cutter.address), protocol), &["t"], None);
        peer.expect("t", |payload| payload == "x").await;
        let all = cutter.passed.load(Ordering::Relaxed);
        assert!(all > 15, "{all}");
        (1..=all).for_each(|after| drop(checks.spawn(check(protocol, after))));
    }
    while let Some(done) = checks.join_next().await {
        done.unwrap();
    }
}

#[tokio::test]
async fn a_broker_that_restarts_again_and_again_is_not_blamed_on_another_program() {
    let check = |protocol| async move {
        let mut broker = Mosquitto::start();
        let mut peer = Peer::start(&settings(&broker.url(), protocol), &["t"], None);
        let mut blamed = false;
        for _ in 0..JUDGED {
            peer.until("Subscribed", |item| {
                blamed |= matches!(item, Incoming::ClientIdConflict { .. });
                matches!(item, Incoming::Subscribed).then_some(())
            })
            .await;
            broker.restart();
        }
        assert!(!blamed && conflict(&mut peer).await.is_none(), "{protocol:?}");
    };
    tokio::join!(check(Protocol::V5), check(Protocol::V311));
}

#[tokio::test]
async fn two_with_one_client_id_are_noticed() {
    let check = |protocol| async move {
        let broker = Mosquitto::start();
        let config = settings(&broker.url(), protocol);
        let mut first = Peer::start(&config, &[], None);
        let _second = Peer::start(&config, &[], None);
        let times = first
            .until("ClientIdConflict", |item| match item {
                Incoming::ClientIdConflict { times } => Some(*times),
                _ => None,
            })
            .await;
        assert!(times >= 3, "{protocol:?}: {times}");
    };
    tokio::join!(check(Protocol::V5), check(Protocol::V311));
}

/// Takes a client id again whenever it has lost it.
async fn thief(broker: String, client_id: String) {
    let mut connect = vec![0x10, 12 + client_id.len() as u8, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 60, 0];
    connect.push(client_id.len() as u8);
    connect.extend(client_id.bytes());
    // Ends with the broker.
    while let Ok(mut stream) = TcpStream::connect(&broker).await {
        let _ = stream.write_all(&connect).await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }
}

#[tokio::test]
async fn whoever_takes_the_client_id_again_and_again_keeps_nobody_off_line() {
    let check = |protocol| async move {
        let broker = Mosquitto::start();
        let config = settings(&broker.url(), protocol);
        let address = broker.url().trim_start_matches("mqtt://").to_owned();
        let thief = tokio::spawn(thief(address, config.client_id.clone()));
        let mut peer = Peer::start(&config, &["own"], None);
        peer.until("ClientIdConflict", |item| matches!(item, Incoming::ClientIdConflict { .. }).then_some(())).await;
        peer.until("Subscribed", |item| matches!(item, Incoming::Subscribed).then_some(())).await;
        for number in 0..100 {
            peer.publish("own", &number.to_string()).await;
            peer.until("its own message", |item| match item {
                Incoming::Disconnected { reason } => panic!("{protocol:?}, message {number}: {reason}"),
                Incoming::Message(message) => (message.payload == number.to_string().as_bytes()).then_some(()),
                _ => None,
            })
            .await;
        }
        thief.abort();
    };
    tokio::join!(check(Protocol::V5), check(Protocol::V311));
}

#[tokio::test]
async fn a_subscription_that_is_granted_and_not_served_is_told_with_its_topic() {
    let deny = [
        ("reading", "topic read open/#\ntopic write #\n", "secret/#"),
        ("writing, which only MQTT 5 says", "topic read #\ntopic write open/#\n", "secret/#"),
    ];
    let check = |protocol, denied: &'static str, acl: &'static str, filter: &'static str| async move {
        let broker = Mosquitto::start_with(&Setup { acl: Some(acl.into()), ..Setup::default() });
        let mut peer = Peer::subscribed_to(&settings(&broker.url(), protocol), &[filter, "open/#"]).await;
        peer.publish_retained("open/a", "x").await;
        peer.publish_retained("secret/a", "x").await;
        let what = peer.refused().await;
        let on_the_wire = protocol == Protocol::V5 && denied.starts_with("writing");
        let expected = if on_the_wire { "publishing on secret/a" } else { "to read secret/# or to write secret/a" };
        assert!(what.contains(expected), "{protocol:?}, {denied}: {what}");
        // Told once, and the one that is served is not suspected.
        peer.publish_retained("secret/a", "y").await;
        peer.publish_retained("open/a", "end").await;
        peer.until("the end", |item| match item {
            Incoming::Refused { what } => panic!("{what}"),
            Incoming::Message(message) => (message.payload == b"end").then_some(()),
            _ => None,
        })
        .await;
    };
    let mut checks = tokio::task::JoinSet::new();
    for protocol in PROTOCOLS {
        deny.iter().for_each(|(denied, acl, filter)| drop(checks.spawn(check(protocol, denied, acl, filter))));
    }
    while let Some(done) = checks.join_next().await {
        done.unwrap();
    }
}

#[tokio::test]
async fn a_retained_message_of_twenty_mebibytes_is_dropped_by_name_and_the_connection_stays() {
    let broker = Mosquitto::start();
    let mut config = settings(&broker.url(), Protocol::V5);
    config.max_packet_size = 32 * 1024 * 1024;
    let other = Peer::start(&config, &[], None);
    other.handle.publish(Outgoing::state("t/2", vec![b'x'; 20 * 1024 * 1024])).unwrap();
    other.publish_retained("t/1", "x").await;
    other.publish_retained("t/3", "x").await;
    assert!(other.handle.close(Vec::new()).await);
    for protocol in PROTOCOLS {
        let mut peer = Peer::start(&settings(&broker.url(), protocol), &["t/+", "end"], None);
        peer.subscribed().await;
        let mut came = Vec::new();
        for _ in 0..3 {
            // Whoever still waited for the rest of the message, or was thrown out for it, would never hear this.
            peer.publish("end", "").await;
            peer.until("the end", |item| match item {
                Incoming::Message(message) if message.topic == "end" => Some(()),
                Incoming::Message(message) => {
                    came.push(message.topic.clone());
                    None
                }
                Incoming::Refused { what } => {
                    came.push(what.clone());
                    None
                }
                Incoming::Disconnected { reason } => panic!("{protocol:?}: {reason}"),
                _ => None,
            })
            .await;
        }
        came.sort();
        let told = "t/2: dropped a message of more than 1048576 bytes (mqtt.max_packet_size); if it is retained, \
                    mosquitto_pub -r -n -t 't/2' clears it";
        let expected = ["t/1", told, "t/3"].into_iter();
        let expected: Vec<_> = expected.filter(|said| protocol == Protocol::V311 || *said != told).collect();
        assert_eq!(came, expected, "{protocol:?}");
    }
}

#[tokio::test]
async fn a_state_of_twenty_mebibytes_keeps_neither_sunward_off_line_nor_others_from_running() {
    both(async |protocol| {
        let mut home = Home::empty(protocol, "").await;
        let mut config = settings(&home.broker.url(), Protocol::V5);
        config.max_packet_size = 32 * 1024 * 1024;
        let hacked = Peer::start(&config, &[], None);
        hacked.handle.publish(Outgoing::state("sunward/task/hacked/state", vec![b'x'; 20 * 1024 * 1024])).unwrap();
        assert!(hacked.handle.close(Vec::new()).await);
        home.start().await;
        home.register("heater", json!({"power": 1000})).await;
        home.running("heater", false).await;
        assert_eq!(home.cycle_with(json!({"net": -3000})).await.commands, ["heater=start"], "{protocol:?}");
        let sunward = home.sunward.as_ref().unwrap();
        // What the broker keeps back over MQTT 5 nobody can name.
        let named = sunward.log().contains("sunward/task/hacked/state: dropped a message of more than 1048576 bytes");
        assert_eq!(named, protocol == Protocol::V311, "{}", sunward.log());
        assert!(!sunward.log().contains("not connected"), "{}", sunward.log());
        #[cfg(target_os = "linux")]
        assert!(sunward.peak_memory() < 32 * 1024, "{protocol:?}: {} KiB", sunward.peak_memory());
        home.stop().await;
    })
    .await;
}

#[tokio::test]
async fn sunward_says_which_of_its_topics_the_broker_withholds() {
    let check = |protocol| async move {
        let acl = format!("topic write #\ntopic read {STATE}\n");
        let broker = Mosquitto::start_with(&Setup { acl: Some(acl), ..Setup::default() });
        let mut peer = Peer::new(&broker.url(), &[STATE]).await;
        let mut sunward = Sunward::spawn(Some(&broker.url()), protocol, "[mqtt]\nkeep_alive = \"5s\"\n");
        peer.expect(STATE, |state| {
            state.contains("the subscription to sunward/scheduler/availability and delivers nothing")
        })
        .await;
        assert!(sunward.stop().await.success(), "{}", sunward.log());
    };
    tokio::join!(check(Protocol::V5), check(Protocol::V311));
}
