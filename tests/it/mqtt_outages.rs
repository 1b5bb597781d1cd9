//! The MQTT layer against a broker that comes and goes: what survives, what must not, and what is noticed.

use std::time::Duration;

use sunward::config::Protocol;
use sunward::mqtt::{Incoming, Outgoing};

use crate::mosquitto::Mosquitto;
use crate::peer::{PATIENCE, PROTOCOLS, Peer, settings};

#[tokio::test]
async fn everything_published_while_the_broker_was_away_arrives_afterwards() {
    for protocol in PROTOCOLS {
        let mut broker = Mosquitto::start();
        let mut peer = Peer::subscribed_to(&settings(&broker.url(), protocol), &["t/#"]).await;
        broker.kill();
        peer.disconnected().await;
        for n in 0..60 {
            peer.publish_retained(&format!("t/state/{}", n % 20), &n.to_string()).await;
            peer.publish(&format!("t/event/{n}"), "x").await;
        }
        peer.publish("t/end", "").await;
        broker.restart();
        let mut came = peer.collect_until("t/end").await;
        came.sort();
        came.dedup();
        let mut expected: Vec<String> = (40..60).map(|n| format!("t/state/{}={n}", n % 20)).collect();
        expected.extend((0..60).map(|n| format!("t/event/{n}=x")));
        expected.sort();
        assert_eq!(came, expected, "{protocol:?}");
    }
}

#[tokio::test]
async fn what_was_in_flight_when_the_broker_died_is_sent_again() {
    for protocol in PROTOCOLS {
        let mut broker = Mosquitto::start();
        let mut peer = Peer::subscribed_to(&settings(&broker.url(), protocol), &["t/#"]).await;
        // Frozen, it takes bytes and confirms nothing: everything is in flight or waits behind it.
        broker.freeze();
        for n in 0..200 {
            peer.publish(&format!("t/{n:03}"), "x").await;
        }
        tokio::task::yield_now().await;
        broker.kill();
        peer.disconnected().await;
        broker.restart();
        peer.publish("t/end", "").await;
        let mut came = peer.collect_until("t/end").await;
        came.sort();
        came.dedup();
        assert_eq!(came.len(), 200, "{protocol:?}");
    }
}

#[tokio::test]
async fn a_command_that_expired_while_the_broker_was_away_does_not_arrive() {
    for protocol in PROTOCOLS {
        let mut broker = Mosquitto::start();
        let mut peer = Peer::subscribed_to(&settings(&broker.url(), protocol), &["t/#"]).await;
        broker.kill();
        peer.disconnected().await;
        peer.handle.publish(Outgoing::command("t/stale", "start", Duration::from_millis(1))).unwrap();
        peer.handle.publish(Outgoing::command("t/fresh", "start", Duration::from_secs(60))).unwrap();
        peer.publish("t/end", "").await;
        broker.restart();
        assert_eq!(peer.collect_until("t/end").await, ["t/fresh=start"], "{protocol:?}");
    }
}

#[tokio::test]
async fn a_frozen_broker_is_given_no_command_that_it_would_pass_on_later() {
    for protocol in PROTOCOLS {
        let broker = Mosquitto::start();
        let mut peer = Peer::subscribed_to(&settings(&broker.url(), protocol), &["t/#"]).await;
        broker.freeze();
        // After this the broker doesn't count as alive any more.
        tokio::time::sleep(Duration::from_millis(2_100)).await;
        for payload in ["stop", "stop", "stop", "start"] {
            peer.handle.publish(Outgoing::command("t/set", payload, PATIENCE).addressed_to("task")).unwrap();
        }
        peer.handle.publish(Outgoing::command("t/old", "stop", Duration::from_millis(1))).unwrap();
        peer.publish("t/end", "").await;
        tokio::task::yield_now().await;
        broker.thaw();
        assert_eq!(peer.collect_until("t/end").await, ["t/set=start"], "{protocol:?}");
        peer.handle.ask();
        peer.until("Answered", |item| (*item == Incoming::Answered).then_some(())).await;
    }
}

#[tokio::test]
async fn the_owner_hears_of_a_command_that_left_and_of_no_other() {
    for protocol in PROTOCOLS {
        let mut broker = Mosquitto::start();
        let mut peer = Peer::subscribed_to(&settings(&broker.url(), protocol), &["t/#"]).await;
        let command = |topic: &str, patience: u64| Outgoing::command(topic, "start", Duration::from_millis(patience));
        peer.publish("t/state", "is none").await;
        peer.handle.publish(command("t/first", 60_000)).unwrap();
        assert_eq!(peer.sent().await, "t/first=start", "{protocol:?}");
        broker.kill();
        peer.disconnected().await;
        peer.handle.publish(command("t/stale", 1)).unwrap();
        peer.handle.publish(command("t/fresh", 60_000)).unwrap();
        broker.restart();
        assert_eq!(peer.sent().await, "t/fresh=start", "{protocol:?}");
    }
}

#[tokio::test]
async fn a_broker_that_comes_back_is_subscribed_to_again() {
    for protocol in PROTOCOLS {
        let mut broker = Mosquitto::start();
        let mut peer = Peer::start(&settings(&broker.url(), protocol), &["t/1"], None);
        assert_eq!(peer.next().await, Incoming::Connected { session_present: false, first: true });
        peer.subscribed().await;
        peer.handle.subscribe("t/2").unwrap();
        for _ in 0..2 {
            broker.restart();
            let connected = |item: &Incoming| matches!(item, Incoming::Connected { first: false, .. }).then_some(());
            peer.until("Connected again", connected).await;
            peer.subscribed().await;
            peer.publish("t/1", "x").await;
            peer.publish("t/2", "x").await;
            peer.expect("t/1", |payload| payload == "x").await;
            peer.expect("t/2", |payload| payload == "x").await;
        }
    }
}

#[tokio::test]
async fn a_broker_that_is_not_there_yet_is_waited_for() {
    let mut broker = Mosquitto::start();
    broker.kill();
    let mut peer = Peer::start(&settings(&broker.url(), Protocol::V5), &["t"], None);
    peer.publish("t", "patient").await;
    let reason = peer.disconnected().await;
    assert!(reason.contains("refused"), "{reason}");
    broker.restart();
    peer.expect("t", |payload| payload == "patient").await;
}

#[tokio::test]
async fn a_frozen_broker_is_noticed_whether_idle_or_under_load() {
    let limit = Duration::from_secs(2 * 5 + 5 + 5);
    let check = |protocol, load: usize| async move {
        let broker = Mosquitto::start();
        let mut peer = Peer::subscribed_to(&settings(&broker.url(), protocol), &["t"]).await;
        broker.freeze();
        // More than the socket's buffers hold, so that a flush can never end.
        for n in 0..load {
            peer.handle.publish(Outgoing::event(format!("t/{n}"), vec![0; 500_000])).unwrap();
        }
        let reason = tokio::time::timeout(limit, peer.disconnected()).await;
        assert!(reason.is_ok(), "{protocol:?}, load {load}: not noticed within {limit:?}");
        broker.thaw();
        peer.subscribed().await;
        peer.publish("t", "alive").await;
        peer.expect("t", |payload| payload == "alive").await;
    };
    tokio::join!(check(Protocol::V5, 0), check(Protocol::V311, 0), check(Protocol::V5, 40), check(Protocol::V311, 40));
}

#[tokio::test]
async fn closing_without_a_broker_does_not_wait() {
    let mut broker = Mosquitto::start();
    let mut peer = Peer::new(&broker.url(), &[]).await;
    broker.kill();
    peer.disconnected().await;
    let close = peer.handle.close(vec![Outgoing::state("availability", "offline")]);
    assert!(!tokio::time::timeout(PATIENCE, close).await.unwrap(), "nobody confirmed anything");
}
