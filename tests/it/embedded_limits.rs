//! What somebody can fill the embedded broker with: every limit holds, says so, and leaves the others alone.

use std::path::Path;

use serde_json::json;
use sunward::mqtt::broker::{Embedded, Limits, Settings, start_with};
use tempfile::tempdir;

use crate::raw::{Hello, Raw};

const QUOTA_EXCEEDED: u8 = 0x97;

/// Small, so that a test fills them.
fn small() -> Limits {
    Limits {
        max_connections: 4,
        max_packet_size: 8 * 1024,
        max_queued_messages: 50,
        max_queued_bytes: 64 * 1024,
        max_retained_messages: 40,
        max_retained_bytes: 80 * 1024,
        max_sessions: 2,
        max_subscriptions: 5,
        ..Limits::default()
    }
}

async fn broker(limits: Limits, storage: Option<&Path>) -> Embedded {
    let storage = storage.map(Path::to_path_buf);
    let listen = "127.0.0.1:0".into();
    start_with(Settings { listen, storage, limits, ..Settings::default() }).await.unwrap()
}

/// Fills the bytes with messages of this size; returns how many were taken.
async fn fill(raw: &mut Raw, size: usize) -> usize {
    for number in 0..1_000 {
        match raw.retain(&format!("fill/{number}"), &vec![b'x'; size]).await {
            0 => {}
            code => {
                assert_eq!(code, QUOTA_EXCEEDED);
                return number;
            }
        }
    }
    panic!("it is never full");
}

#[tokio::test]
async fn retained_bytes_are_limited_and_a_full_one_still_replaces_and_clears() {
    let broker = broker(small(), None).await;
    let mut raw = Raw::of(broker.address(), "filler").await;
    let taken = fill(&mut raw, 4_000).await;
    assert!((10..=20).contains(&taken), "{taken}");
    assert_eq!(raw.retain("fill/0", &[b'y'; 4_000]).await, 0, "in its place");
    assert_eq!(raw.retain("fill/0", &[b'y'; 5_000]).await, 0, "a little more in its place");
    assert_eq!(raw.retain("new", &[b'y'; 4_000]).await, QUOTA_EXCEEDED);
    assert_eq!(raw.retain("fill/1", b"").await, 0, "cleared");
    assert_eq!(raw.retain("fill/2", b"").await, 0, "cleared");
    assert_eq!(raw.retain("new", &[b'y'; 4_000]).await, 0, "there is room again");
    // What Sunward itself says has room of its own.
    let (mut own, code) =
        Raw::hello(broker.address(), Hello { id: "sunward", login: Some(broker.own_account()), ..Hello::default() })
            .await;
    assert_eq!((code, own.retain("sunward/scheduler/state", &[b'z'; 4_000]).await), (0, 0));
}

#[tokio::test]
async fn the_number_of_topics_is_limited_and_properties_and_topics_count_as_bytes() {
    let broker = broker(small(), None).await;
    let mut raw = Raw::of(broker.address(), "filler").await;
    assert_eq!(fill(&mut raw, 1).await, 40);
    for number in 0..40 {
        assert_eq!(raw.retain(&format!("fill/{number}"), b"").await, 0);
    }
    // A user property of two empty texts is 5 bytes on the wire.
    let properties = b"\x26\0\0\0\0".repeat(1_000);
    let mut taken = 0;
    for number in 0..40 {
        let packet = raw.publish(&format!("p/{number}"), b"1", 1, true, &properties);
        raw.send(&packet).await;
        taken += usize::from(raw.answer().await.unwrap().len() == 4);
    }
    assert!((8..=16).contains(&taken), "{taken}");
    assert_eq!(raw.retain(&"t/".repeat(3_000), b"1").await, QUOTA_EXCEEDED);
}

#[tokio::test]
async fn in_3_1_1_a_full_one_passes_on_what_it_does_not_keep() {
    let broker = broker(small(), None).await;
    let (mut old, code) = Raw::hello(broker.address(), Hello { id: "old", version: 4, ..Hello::default() }).await;
    assert_eq!(code, 0);
    fill(&mut Raw::of(broker.address(), "filler").await, 4_000).await;
    let mut reader = Raw::of(broker.address(), "reader").await;
    assert_eq!(reader.subscribe(&["new"], 0).await, [0]);
    assert_eq!(old.retain("new", &[b'y'; 7_000]).await, 0);
    assert!(reader.answer().await.unwrap().ends_with(&[b'y'; 7_000]));
    let mut late = Raw::of(broker.address(), "late").await;
    assert_eq!(late.subscribe(&["new"], 0).await, [0]);
    assert_eq!(late.soon().await, None, "it was not kept");
}

#[tokio::test]
async fn a_packet_that_is_too_large_ends_its_connection_with_the_reason() {
    let broker = broker(small(), None).await;
    let mut raw = Raw::of(broker.address(), "large").await;
    // So large that it is still on its way when it is refused.
    let packet = raw.publish("t", &[0; 4_000_000], 1, false, &[]);
    raw.send(&packet).await;
    assert_eq!(raw.answer().await.unwrap()[..3], [0xe0, 1, 0x95]);
    let will = Some(("will", vec![0; 9_000]));
    let (_, code) = Raw::hello(broker.address(), Hello { id: "will", will, ..Hello::default() }).await;
    assert_eq!(code, 0x95);
}

#[tokio::test]
async fn a_will_that_has_no_room_is_refused_with_its_connection() {
    let broker = broker(small(), None).await;
    fill(&mut Raw::of(broker.address(), "filler").await, 4_000).await;
    let will = || Some(("will", vec![b'w'; 6_000]));
    let (_, code) = Raw::hello(broker.address(), Hello { id: "w", will: will(), ..Hello::default() }).await;
    assert_eq!(code, QUOTA_EXCEEDED);
    let (_, code) = Raw::hello(broker.address(), Hello { id: "w", version: 4, will: will(), ..Hello::default() }).await;
    assert_eq!(code, 3, "server unavailable");
}

#[tokio::test]
async fn connections_are_limited_but_not_for_sunward_nor_by_those_who_say_nothing() {
    let broker = broker(small(), None).await;
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(Raw::open(broker.address()).await);
    }
    let mut known = Vec::new();
    for number in 0..4 {
        known.push(Raw::of(broker.address(), &format!("c{number}")).await);
    }
    let (_, code) = Raw::hello(broker.address(), Hello { id: "c4", ..Hello::default() }).await;
    assert_eq!(code, QUOTA_EXCEEDED);
    // In the place of its former connection.
    known.push(Raw::of(broker.address(), "c0").await);
    let (_own, code) =
        Raw::hello(broker.address(), Hello { id: "own", login: Some(broker.own_account()), ..Hello::default() }).await;
    assert_eq!(code, 0);
    assert_eq!(silent[0].answer().await, None, "the oldest silent one made room");
}

#[tokio::test]
async fn who_does_not_read_is_spared_the_flood_and_others_are_not() {
    let broker = broker(small(), None).await;
    let mut deaf = Raw::of(broker.address(), "deaf").await;
    assert_eq!(deaf.subscribe(&["flood"], 1).await, [1]);
    let mut reader = Raw::of(broker.address(), "reader").await;
    assert_eq!(reader.subscribe(&["flood"], 1).await, [1]);
    let mut flooder = Raw::of(broker.address(), "flooder").await;
    let mut heard = 0;
    for _ in 0..300 {
        let packet = flooder.publish("flood", &[b'f'; 4_000], 1, false, &[]);
        flooder.send(&packet).await;
        assert_eq!(flooder.answer().await.unwrap()[0], 0x40);
        if let Some(message) = reader.answer().await {
            heard += 1;
            let id = &message[10..12];
            reader.send(&[0x40, 2, id[0], id[1]]).await;
        }
    }
    assert_eq!(heard, 300);
    let mut came = 0;
    while deaf.soon().await.is_some() {
        came += 1;
    }
    assert!((1..=20).contains(&came), "it confirms nothing, and 64 KiB wait for it at most: {came}");
}

#[tokio::test]
async fn one_publisher_leaves_room_for_another_in_a_queue_that_is_not_read() {
    let limits = Limits { max_queued_messages: 20, ..small() };
    let broker = broker(limits, None).await;
    let (mut away, _) = Raw::hello(broker.address(), Hello { id: "away", expiry: 60, ..Hello::default() }).await;
    assert_eq!(away.subscribe(&["#"], 1).await, [1]);
    drop(away);
    let mut flooder = Raw::of(broker.address(), "flooder").await;
    for _ in 0..100 {
        let packet = flooder.publish("flood", b"f", 1, false, &[]);
        flooder.send(&packet).await;
        flooder.answer().await.unwrap();
    }
    let mut other = Raw::of(broker.address(), "other").await;
    let packet = other.publish("word", b"w", 1, false, &[]);
    other.send(&packet).await;
    other.answer().await.unwrap();
    let (mut back, code) = Raw::hello(broker.address(), Hello { id: "away", expiry: 60, ..Hello::default() }).await;
    assert_eq!(code, 0);
    let (mut floods, mut words) = (0, 0);
    while let Some(message) = back.soon().await {
        if message.ends_with(b"w") { words += 1 } else { floods += 1 }
    }
    assert!(words == 1 && (5..=11).contains(&floods), "{words} {floods}");
}

#[tokio::test]
async fn subscriptions_and_sessions_are_limited() {
    let broker = broker(small(), None).await;
    let mut raw = Raw::of(broker.address(), "many").await;
    let filters: Vec<String> = (0..8).map(|number| format!("a/+/{number}")).collect();
    let filters: Vec<&str> = filters.iter().map(String::as_str).collect();
    let codes = raw.subscribe(&filters, 0).await;
    assert_eq!(codes, [0, 0, 0, 0, 0, QUOTA_EXCEEDED, QUOTA_EXCEEDED, QUOTA_EXCEEDED]);
    assert_eq!(raw.subscribe(&filters[..1], 0).await, [0], "once more is no other");
    for (number, kept) in [true, true, false].into_iter().enumerate() {
        let id = format!("s{number}");
        let (mut raw, code) = Raw::hello(broker.address(), Hello { id: &id, expiry: 60, ..Hello::default() }).await;
        assert_eq!((code, raw.subscribe(&["x"], 1).await), (0, vec![1]));
        drop(raw);
        let (mut raw, _) = Raw::hello(broker.address(), Hello { id: &id, expiry: 60, ..Hello::default() }).await;
        let packet = raw.publish("x", b"1", 1, false, &[]);
        raw.send(&packet).await;
        assert_eq!(raw.answer().await.unwrap()[0], 0x40);
        assert_eq!(raw.soon().await.is_some(), kept, "{number}");
    }
}

fn stored(topic: &str, size: usize) -> String {
    json!({
        "topic": topic, "payload": vec![120; size], "qos": "AtLeastOnce", "retain": true, "stored_at_secs": 1,
        "message_expiry_interval": null,
    })
    .to_string()
}

#[tokio::test]
async fn a_store_that_is_too_large_or_damaged_is_set_aside_and_what_has_room_is_kept() {
    let folder = tempdir().unwrap();
    let files = folder.path().join("retained");
    for round in 1..=4 {
        std::fs::create_dir_all(&files).unwrap();
        for number in 0..100 {
            std::fs::write(files.join(format!("x{number}.json")), stored(&format!("x{number}"), 2_000)).unwrap();
        }
        std::fs::write(files.join("sunward%2Fa.json"), stored("sunward/a", 3_000)).unwrap();
        std::fs::write(files.join("broken.json"), "{\"topic\": ").unwrap();
        std::fs::write(files.join("huge.json"), stored("huge", 100_000)).unwrap();
        let mut settings = Settings { listen: "127.0.0.1:0".into(), limits: small(), ..Settings::default() };
        settings.storage = Some(folder.path().into());
        settings.access.base_topic = "sunward".into();
        let broker = start_with(settings).await.unwrap();
        let mut raw = Raw::of(broker.address(), "reader").await;
        assert_eq!(raw.subscribe(&["sunward/#"], 0).await, [0]);
        assert!(raw.answer().await.unwrap().ends_with(&[b'x'; 3_000]), "Sunward's own come first");
        broker.shutdown().await;
        let kept = std::fs::read_dir(&files).unwrap().count();
        assert!((20..=40).contains(&kept), "{kept}");
        let aside = std::fs::read_dir(folder.path())
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("retained.aside"));
        assert_eq!(aside.count(), round.min(2));
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_no_reason_not_to_start() {
    // Nobody makes a folder there, not even root.
    let broker = broker(small(), Some(Path::new("/proc/sunward"))).await;
    let mut raw = Raw::of(broker.address(), "filler").await;
    assert_eq!(raw.retain("t", b"kept in memory").await, 0);
    assert_eq!(raw.subscribe(&["t"], 0).await, [0]);
    assert!(raw.answer().await.unwrap().ends_with(b"kept in memory"));
    broker.shutdown().await;
}
