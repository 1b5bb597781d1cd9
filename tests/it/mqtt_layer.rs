//! The MQTT layer against a Mosquitto that stays up: what travels how, and what is refused in which words.

use std::time::Duration;

use sunward::config::Protocol;
use sunward::mqtt::{Incoming, Outgoing, PublishError};

use crate::mosquitto::{Mosquitto, Setup};
use crate::peer::{PATIENCE, PROTOCOLS, Peer, settings};
use crate::scripted::OldBroker;

const A_CYCLE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_retained_state_reaches_a_late_subscriber_and_a_command_does_not() {
    let broker = Mosquitto::start();
    for protocol in PROTOCOLS {
        let mut early = Peer::subscribed_to(&settings(&broker.url(), protocol), &["t/#"]).await;
        early.publish_retained("t/state", "old").await;
        early.publish_retained("t/state", "new").await;
        early.handle.publish(Outgoing::command("t/set", "start", A_CYCLE)).unwrap();
        early.expect("t/set", |payload| payload == "start").await;
        let mut late = Peer::subscribed_to(&settings(&broker.url(), protocol), &["t/#"]).await;
        late.publish("t/end", "").await;
        assert_eq!(late.collect_until("t/end").await, ["t/state=new"], "{protocol:?}");
        late.handle.publish(Outgoing::clear("t/state")).unwrap();
        early.expect("t/state", str::is_empty).await;
    }
}

#[tokio::test]
async fn replayed_messages_are_marked_and_live_ones_are_not() {
    let broker = Mosquitto::start();
    let mut first = Peer::new(&broker.url(), &["t"]).await;
    first.publish_retained("t", "x").await;
    assert!(!first.expect("t", |payload| payload == "x").await.retain);
    let mut second = Peer::new(&broker.url(), &[]).await;
    second.handle.subscribe("t").unwrap();
    assert!(second.expect("t", |payload| payload == "x").await.retain);
    second.handle.subscribe("t").unwrap();
    assert!(second.expect("t", |payload| payload == "x").await.retain, "asking again replays");
    second.handle.unsubscribe("t");
    second.handle.subscribe("end").unwrap();
    second.subscribed().await;
    first.publish("t", "unheard").await;
    first.publish("end", "").await;
    assert!(second.collect_until("end").await.iter().all(|message| message != "t=unheard"));
}

#[tokio::test]
async fn a_retained_message_of_twenty_kilobytes_is_received() {
    let broker = Mosquitto::start();
    let large = "x".repeat(20 * 1024);
    let first = Peer::new(&broker.url(), &[]).await;
    first.publish_retained("large", &large).await;
    for protocol in PROTOCOLS {
        let mut peer = Peer::start(&settings(&broker.url(), protocol), &["large"], None);
        peer.expect("large", |payload| payload == large).await;
    }
}

#[tokio::test]
async fn an_oversize_message_is_refused_and_the_connection_stays() {
    let broker = Mosquitto::start_with(&Setup { max_packet_size: Some(10_000), ..Setup::default() });
    for protocol in PROTOCOLS {
        let mut config = settings(&broker.url(), protocol);
        config.max_packet_size = 20_000;
        let mut peer = Peer::start(&config, &["t"], None);
        peer.subscribed().await;
        let refused = peer.handle.publish(Outgoing::event("t", vec![b'x'; 20_000]));
        assert!(matches!(refused, Err(PublishError::TooLarge { limit: 10_000 | 20_000, .. })), "{refused:?}");
        if protocol == Protocol::V5 {
            let refused = peer.handle.publish(Outgoing::event("t", vec![b'x'; 15_000]));
            assert!(matches!(refused, Err(PublishError::TooLarge { limit: 10_000, .. })), "{refused:?}");
        }
        peer.publish("t", "fits").await;
        let next = peer.next().await;
        assert!(matches!(&next, Incoming::Message(message) if message.payload == b"fits"), "{next:?}");
    }
}

#[tokio::test]
async fn what_comes_in_too_large_is_dropped_and_told_with_its_topic_and_nothing_else_is_lost() {
    let broker = Mosquitto::start();
    let other = Peer::new(&broker.url(), &[]).await;
    for (topic, size) in [("t/1", 10), ("t/2", 30_000), ("t/3", 10)] {
        other.publish_retained(topic, &"x".repeat(size)).await;
    }
    for protocol in PROTOCOLS {
        let mut config = settings(&broker.url(), protocol);
        config.max_packet_size = 10_000;
        let mut peer = Peer::start(&config, &["t/#"], None);
        let heard = |item: &Incoming| match item {
            Incoming::Message(message) => Some(message.topic.clone()),
            Incoming::Refused { what } => Some(what.clone()),
            Incoming::Disconnected { reason } => Some(reason.clone()),
            _ => None,
        };
        let mut came = Vec::new();
        peer.until("Subscribed", |item| {
            came.extend(heard(item));
            matches!(item, Incoming::Subscribed).then_some(())
        })
        .await;
        // It is told once.
        other.publish_retained("t/2", &"x".repeat(20_000)).await;
        other.publish("t/end", "").await;
        peer.until("the end", |item| {
            came.extend(heard(item));
            (came.last()? == "t/end").then_some(())
        })
        .await;
        came.sort();
        let told = "t/2: dropped a message of more than 10000 bytes (mqtt.max_packet_size); if it is retained, \
                    mosquitto_pub -r -n -t 't/2' clears it";
        // Over MQTT 5 the broker drops it, without a word.
        let expected = ["t/1", told, "t/3", "t/end"].into_iter();
        let expected: Vec<_> = expected.filter(|said| protocol == Protocol::V311 || *said != told).collect();
        assert_eq!(came, expected, "{protocol:?}");
    }
}

#[tokio::test]
async fn what_waited_and_proves_too_large_for_this_broker_is_told_and_dropped() {
    let broker = Mosquitto::start_with(&Setup { max_packet_size: Some(10_000), ..Setup::default() });
    let mut peer = Peer::start(&settings(&broker.url(), Protocol::V5), &["t"], None);
    peer.handle.publish(Outgoing::event("t", vec![b'x'; 15_000])).unwrap();
    peer.publish("t", "fits").await;
    assert!(peer.refused().await.contains("more than the broker takes"));
    peer.expect("t", |payload| payload == "fits").await;
}

#[tokio::test]
async fn bad_topics_never_reach_the_broker() {
    let broker = Mosquitto::start();
    let peer = Peer::new(&broker.url(), &[]).await;
    for topic in ["", "a/+", "#", "a\0b"] {
        assert!(matches!(peer.handle.publish(Outgoing::event(topic, "")), Err(PublishError::Topic(_))));
    }
    assert!(peer.handle.subscribe("a#").is_err());
}

#[tokio::test]
async fn the_last_will_speaks_when_the_process_dies_and_the_owner_when_it_closes() {
    let broker = Mosquitto::start();
    for protocol in PROTOCOLS {
        let mut watcher = Peer::new(&broker.url(), &["availability"]).await;
        let will = || Some(Outgoing::state("availability", "offline"));
        let mut dying = Peer::start(&settings(&broker.url(), protocol), &[], will());
        dying.subscribed().await;
        dying.publish_retained("availability", "online").await;
        watcher.expect("availability", |payload| payload == "online").await;
        drop(dying);
        watcher.expect("availability", |payload| payload == "offline").await;

        let mut closing = Peer::start(&settings(&broker.url(), protocol), &[], will());
        closing.subscribed().await;
        closing.publish_retained("availability", "online").await;
        watcher.expect("availability", |payload| payload == "online").await;
        let Peer { handle, mut inbox, connection } = closing;
        let other = handle.clone();
        assert!(handle.close(vec![Outgoing::state("availability", "offline")]).await);
        assert!(matches!(other.publish(Outgoing::event("t", "")), Err(PublishError::Closed { .. })));
        drop(connection);
        watcher.expect("availability", |payload| payload == "offline").await;
        // Nothing more comes: after a good end the broker throws the will away.
        watcher.publish("availability", "end").await;
        let next = watcher.next().await;
        assert!(matches!(&next, Incoming::Message(message) if message.payload == b"end"), "{next:?}");
        while inbox.next().await.is_some() {}
        watcher.handle.publish(Outgoing::clear("availability")).unwrap();
        watcher.expect("availability", str::is_empty).await;
    }
}

#[tokio::test]
async fn closing_waits_for_everything_that_was_published() {
    let broker = Mosquitto::start();
    let mut watcher = Peer::new(&broker.url(), &["t/#"]).await;
    let peer = Peer::new(&broker.url(), &[]).await;
    for n in 0..500 {
        peer.publish(&format!("t/{n}"), "x").await;
    }
    assert!(peer.handle.close(vec![Outgoing::event("t/end", "")]).await);
    assert_eq!(watcher.collect_until("t/end").await.len(), 500);
}

#[tokio::test]
async fn refused_subscriptions_and_messages_are_reported_by_name() {
    let acl = "topic readwrite allowed/#\n".to_owned();
    let broker = Mosquitto::start_with(&Setup { acl: Some(acl), ..Setup::default() });
    let mut peer = Peer::new(&broker.url(), &["allowed/x"]).await;
    peer.publish("forbidden/x", "x").await;
    assert_eq!(peer.refused().await, "the broker refused publishing on forbidden/x: not authorized");
    // Told once; and the layer goes on.
    peer.publish("forbidden/x", "x").await;
    peer.publish("allowed/x", "x").await;
    let next = peer.next().await;
    assert!(matches!(&next, Incoming::Message(message) if message.topic == "allowed/x"), "{next:?}");
    // A command that was refused has not left.
    for topic in ["forbidden/set", "allowed/set"] {
        peer.handle.publish(Outgoing::command(topic, "start", A_CYCLE)).unwrap();
    }
    assert_eq!(peer.sent().await, "allowed/set=start");
}

#[tokio::test]
async fn a_refused_login_says_which_settings_to_check() {
    let login = Some(("sunward".to_owned(), "right".to_owned()));
    let broker = Mosquitto::start_with(&Setup { login, ..Setup::default() });
    for protocol in PROTOCOLS {
        let mut config = settings(&broker.url(), protocol);
        config.username = Some("sunward".into());
        config.password = Some("wrong".into());
        let reason = Peer::start(&config, &[], None).disconnected().await;
        assert!(reason.contains("mqtt.username and mqtt.password"), "{reason}");
        config.password = Some("right".into());
        Peer::start(&config, &[], None).subscribed().await;
    }
}

#[tokio::test]
async fn a_broker_that_knows_only_mqtt_3_1_1_is_met_with_the_hint_to_say_so() {
    for kind in [OldBroker::HangsUp, OldBroker::Refuses, OldBroker::StaysSilent] {
        let address = kind.start().await;
        let mut peer = Peer::start(&settings(&format!("mqtt://{address}"), Protocol::V5), &[], None);
        let reason = peer.disconnected().await;
        assert!(reason.contains("mqtt.protocol = \"3.1.1\""), "{kind:?}: {reason}");
    }
    let mut nobody = Peer::start(&settings("mqtt://127.0.0.1:1", Protocol::V5), &[], None);
    let reason = nobody.disconnected().await;
    assert!(reason.starts_with("127.0.0.1:1: ") && !reason.contains("3.1.1"), "{reason}");
}

#[tokio::test]
async fn a_flood_neither_blocks_nor_grows_and_the_latest_values_survive() {
    let broker = Mosquitto::start_with(&Setup { extra: "max_queued_messages 0".into(), ..Setup::default() });
    let mut slow = Peer::new(&broker.url(), &["flood/#", "end"]).await;
    let fast = Peer::new(&broker.url(), &[]).await;
    const MESSAGES: usize = 60_000;
    for n in 0..MESSAGES {
        let message = Outgoing::event(format!("flood/{}", n % 10), n.to_string());
        // The outbox is bounded too; a writer that is faster than the broker has to look at the answer.
        while fast.handle.publish(message.clone()).is_err() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    // Nobody has taken anything from the inbox of `slow` yet; the broker confirms all of it nevertheless.
    tokio::time::timeout(PATIENCE, fast.handle.close(vec![Outgoing::event("end", "")])).await.unwrap();
    let mut dropped = 0;
    let mut latest = [0; 10];
    let mut taken = 0;
    slow.until("end", |item| match item {
        Incoming::Dropped { count, .. } => {
            dropped += count;
            None
        }
        Incoming::Message(message) if message.topic == "end" => Some(()),
        Incoming::Message(message) => {
            taken += 1;
            let value: usize = String::from_utf8_lossy(&message.payload).parse().unwrap();
            latest[value % 10] = value;
            None
        }
        _ => None,
    })
    .await;
    assert_eq!(latest, std::array::from_fn(|n| MESSAGES - 10 + n));
    assert!(dropped > 0 && taken + dropped as usize == MESSAGES, "{taken} taken, {dropped} dropped");
}
