//! Another MQTT client, to see what a home would see; and what tests need to wait without sleeping.
//!
//! Built on our own layer: what it can't do, no task could. Refuses to wait for ever.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sunward::config::{Mqtt, Protocol};
use sunward::mqtt::{Connection, Handle, Inbox, Incoming, Message, Outgoing, connect};
use tokio::time::timeout;

/// Long enough for a slow machine; reached only by a test that fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Both versions, for tests that hold for each.
pub(crate) const PROTOCOLS: [Protocol; 2] = [Protocol::V5, Protocol::V311];

/// Settings with a client id that nobody else uses.
pub(crate) fn settings(url: &str, protocol: Protocol) -> Mqtt {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let client_id = format!("test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    Mqtt { url: Some(url.into()), protocol, client_id, keep_alive: Duration::from_secs(5), ..Mqtt::default() }
}

/// A client.
pub(crate) struct Peer {
    pub(crate) handle: Handle,
    pub(crate) inbox: Inbox,
    pub(crate) connection: Connection,
}

impl Peer {
    /// Connects with MQTT 5 and is subscribed when it answers.
    pub(crate) async fn new(url: &str, filters: &[&str]) -> Self {
        Self::subscribed_to(&settings(url, Protocol::V5), filters).await
    }

    /// Connects, and is subscribed when it answers.
    pub(crate) async fn subscribed_to(settings: &Mqtt, filters: &[&str]) -> Self {
        let mut peer = Self::start(settings, filters, None);
        peer.subscribed().await;
        peer
    }

    /// Starts to connect.
    pub(crate) fn start(settings: &Mqtt, filters: &[&str], will: Option<Outgoing>) -> Self {
        let options = settings.options().unwrap();
        let (handle, inbox, connection) = connect(options, filters.iter().copied(), will).unwrap();
        Self { handle, inbox, connection }
    }

    pub(crate) async fn publish(&self, topic: &str, payload: &str) {
        self.handle.publish(Outgoing::event(topic, payload)).unwrap();
    }

    pub(crate) async fn publish_retained(&self, topic: &str, payload: &str) {
        self.handle.publish(Outgoing::state(topic, payload)).unwrap();
    }

    /// The next of what came in, within the deadline.
    pub(crate) async fn next(&mut self) -> Incoming {
        timeout(PATIENCE, self.inbox.next()).await.expect("nothing came in").expect("the connection was closed")
    }

    /// Passes over everything until `pick` answers something.
    pub(crate) async fn until<T>(&mut self, what: &str, mut pick: impl FnMut(&Incoming) -> Option<T>) -> T {
        let mut seen = Vec::new();
        let found = timeout(PATIENCE, async {
            loop {
                let item = self.inbox.next().await.expect("the connection was closed");
                if let Some(found) = pick(&item) {
                    return found;
                }
                seen.push(item);
            }
        });
        match found.await {
            Ok(found) => found,
            Err(_) => panic!("never came: {what}; instead: {:?}", &seen[seen.len().saturating_sub(20)..]),
        }
    }

    pub(crate) async fn subscribed(&mut self) {
        self.until("Subscribed", |item| matches!(item, Incoming::Subscribed).then_some(())).await;
    }

    pub(crate) async fn disconnected(&mut self) -> String {
        self.until("Disconnected", |item| match item {
            Incoming::Disconnected { reason } => Some(reason.clone()),
            _ => None,
        })
        .await
    }

    /// The next command that left.
    pub(crate) async fn sent(&mut self) -> String {
        self.until("CommandSent", |item| match item {
            Incoming::CommandSent { topic, payload } => Some(format!("{topic}={}", String::from_utf8_lossy(payload))),
            _ => None,
        })
        .await
    }

    pub(crate) async fn refused(&mut self) -> String {
        self.until("Refused", |item| match item {
            Incoming::Refused { what } => Some(what.clone()),
            _ => None,
        })
        .await
    }

    /// Waits for a message on a topic that satisfies the predicate.
    pub(crate) async fn expect(&mut self, topic: &str, predicate: impl Fn(&str) -> bool) -> Message {
        self.until(topic, |item| match item {
            Incoming::Message(message)
                if message.topic == topic && predicate(&String::from_utf8_lossy(&message.payload)) =>
            {
                Some(message.clone())
            }
            _ => None,
        })
        .await
    }

    /// All messages up to one on the topic `end`, as `topic=payload`.
    pub(crate) async fn collect_until(&mut self, end: &str) -> Vec<String> {
        let mut all = Vec::new();
        self.until(end, |item| match item {
            Incoming::Message(message) if message.topic == end => Some(()),
            Incoming::Message(message) => {
                all.push(format!("{}={}", message.topic, String::from_utf8_lossy(&message.payload)));
                None
            }
            _ => None,
        })
        .await;
        all
    }
}
