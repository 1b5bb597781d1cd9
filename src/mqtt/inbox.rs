//! The hand-off from the task that talks to the broker to the owner of the connection: bounded, and never blocking.
//!
//! When the owner can't keep up, the oldest messages of the topics on which most is said go first, then the oldest of all; how
//! many went is counted and reported, with the loudest topic. The broker never waits: a client that stops reading loses its connection.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::message::Incoming;

/// Items kept at most: what 4,096 tasks have retained is handed over at once.
const MAX_ITEMS: usize = 32_768;

/// So many messages of a topic are kept when there are too many: first as many as anybody sends on purpose, in the end the
/// latest only.
const KEPT_OF_A_TOPIC: [usize; 3] = [64, 8, 1];

/// Bytes of topics and payloads kept at most.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Where the owner takes what came in. Dropping it is allowed: then nothing is kept.
#[derive(Debug)]
pub struct Inbox {
    shared: Arc<PendingMessages>,
}

impl Inbox {
    /// Returns what came in next; `None` once the connection has been closed for good and everything has been taken.
    ///
    /// Safe to cancel: nothing is taken before it is returned.
    pub async fn next(&mut self) -> Option<Incoming> {
        loop {
            let waiting = self.shared.wake.notified();
            let popped = self.shared.lock().pop();
            match popped {
                Popped::Item(item) => return Some(item),
                Popped::Closed => return None,
                Popped::Nothing => waiting.await,
            }
        }
    }
}

impl Inbox {
    /// Returns what came in next, if it is here already.
    pub fn try_next(&mut self) -> Option<Incoming> {
        match self.shared.lock().pop() {
            Popped::Item(item) => Some(item),
            Popped::Closed | Popped::Nothing => None,
        }
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        let mut queue = self.shared.lock();
        *queue = Queue { abandoned: true, ..Queue::default() };
    }
}

/// The other end, for the task that talks to the broker. Dropping it closes the inbox.
#[derive(Debug)]
pub(super) struct Sender {
    shared: Arc<PendingMessages>,
}

impl Sender {
    /// Never blocks, never fails.
    pub(super) fn send(&self, item: Incoming) {
        self.shared.lock().push(item);
        self.shared.wake.notify_one();
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.wake.notify_one();
    }
}

/// Both ends.
pub(super) fn inbox() -> (Sender, Inbox) {
    let shared = Arc::new(PendingMessages::default());
    (Sender { shared: shared.clone() }, Inbox { shared })
}

#[derive(Debug, Default)]
struct PendingMessages {
    queue: Mutex<Queue>,
    wake: Notify,
}

impl PendingMessages {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        // No code that holds the lock can leave the queue half changed.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct Queue {
    items: VecDeque<Incoming>,
    bytes: usize,
    dropped: u64,
    /// The topic on which most was said when messages were dropped last.
    loudest: String,
    closed: bool,
    abandoned: bool,
}

enum Popped {
    Item(Incoming),
    Nothing,
    Closed,
}

impl Queue {
    fn push(&mut self, item: Incoming) {
        if self.abandoned {
            return;
        }
        self.bytes += size(&item);
        self.items.push_back(item);
        if self.items.len() > MAX_ITEMS || self.bytes > MAX_BYTES {
            self.make_room();
        }
    }

    fn pop(&mut self) -> Popped {
        if self.dropped > 0 {
            let (count, loudest) = (std::mem::take(&mut self.dropped), std::mem::take(&mut self.loudest));
            return Popped::Item(Incoming::Dropped { count, loudest });
        }
        match self.items.pop_front() {
            Some(item) => {
                self.bytes -= size(&item);
                Popped::Item(item)
            }
            None if self.closed => Popped::Closed,
            None => Popped::Nothing,
        }
    }

    /// Halves the queue at least, so that the work is paid for by the messages that filled it. Topics on which most was said
    /// lose first, and their oldest messages: a command among them is no older value of anything.
    fn make_room(&mut self) {
        let before = self.items.len();
        self.loudest = self.loudest_topic();
        let items: Vec<Incoming> = std::mem::take(&mut self.items).into();
        for most in KEPT_OF_A_TOPIC {
            let (kept, fits) = newest(&items, most);
            if fits || most == 1 {
                self.bytes = kept.iter().map(|index| size(&items[*index])).sum();
                self.dropped += (before - kept.len()) as u64;
                let mut kept = kept.into_iter().rev().peekable();
                let indexed = items.into_iter().enumerate();
                self.items =
                    indexed.filter(|(index, _)| kept.next_if_eq(index).is_some()).map(|(_, item)| item).collect();
                return;
            }
        }
    }

    fn loudest_topic(&self) -> String {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for item in &self.items {
            if let Incoming::Message(message) = item {
                *counts.entry(&message.topic).or_default() += 1;
            }
        }
        counts
            .into_iter()
            .max_by_key(|(topic, count)| (*count, *topic))
            .map(|(topic, _)| topic.to_owned())
            .unwrap_or_default()
    }
}

/// The places of the newest items, at most so many of a topic, from the newest to the oldest; and whether that was room
/// enough for them all.
fn newest(items: &[Incoming], most: usize) -> (Vec<usize>, bool) {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let (mut kept, mut bytes, mut all_fit) = (Vec::new(), 0, true);
    for (index, item) in items.iter().enumerate().rev() {
        let wanted = match item {
            // A value that doesn't fit hides the older ones too: an old value must not pass for the latest.
            Incoming::Message(message) => {
                let count = counts.entry(&message.topic).or_default();
                *count += 1;
                *count <= most
            }
            _ => true,
        };
        let fits = kept.len() < MAX_ITEMS / 2 && bytes + size(item) <= MAX_BYTES / 2;
        all_fit &= fits || !wanted;
        if wanted && (fits || kept.is_empty()) {
            bytes += size(item);
            kept.push(index);
        }
    }
    (kept, all_fit)
}

fn size(item: &Incoming) -> usize {
    match item {
        Incoming::Message(message) => message.topic.len() + message.payload.len(),
        Incoming::CommandSent { topic, payload } => topic.len() + payload.len(),
        Incoming::Refused { what: text } | Incoming::Disconnected { reason: text } => text.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mqtt::Message;

    fn message(topic: &str, payload: impl Into<Vec<u8>>) -> Incoming {
        Incoming::Message(Message { topic: topic.into(), payload: payload.into(), retain: false })
    }

    fn take(queue: &mut Queue) -> Vec<Incoming> {
        std::iter::from_fn(|| match queue.pop() {
            Popped::Item(item) => Some(item),
            _ => None,
        })
        .collect()
    }

    #[test]
    fn order_is_kept_while_there_is_room() {
        let mut queue = Queue::default();
        let sent = vec![message("a", "1"), Incoming::Subscribed, message("a", "2"), message("b", "1")];
        sent.iter().cloned().for_each(|item| queue.push(item));
        assert_eq!(take(&mut queue), sent);
        assert_eq!(queue.bytes, 0);
    }

    #[test]
    fn a_flood_on_one_topic_loses_old_values_only_and_says_how_many() {
        let mut queue = Queue::default();
        queue.push(message("quiet", "kept"));
        for n in 0..100_000 {
            queue.push(message("loud", n.to_string()));
            assert!(queue.items.len() <= MAX_ITEMS);
        }
        let taken = take(&mut queue);
        assert!(matches!(taken[0], Incoming::Dropped { count, .. } if count as usize == 100_002 - taken.len()));
        assert_eq!(taken[1], message("quiet", "kept"));
        assert_eq!(taken.last(), Some(&message("loud", "99999")));
    }

    #[test]
    fn a_flood_on_one_topic_takes_no_command_of_another() {
        let mut queue = Queue::default();
        for word in ["pause", "schedule", "stop_all", "schedule"] {
            queue.push(message("set", word));
            for n in 0..50_000 {
                queue.push(message("loud", n.to_string()));
            }
        }
        let taken = take(&mut queue);
        assert!(matches!(&taken[0], Incoming::Dropped { loudest, .. } if loudest == "loud"));
        let commands: Vec<_> =
            taken.iter().filter(|item| matches!(item, Incoming::Message(it) if it.topic == "set")).collect();
        let expect = ["pause", "schedule", "stop_all", "schedule"].map(|word| message("set", word));
        assert_eq!(commands, expect.iter().collect::<Vec<_>>());
    }

    #[test]
    fn a_flood_of_topics_or_bytes_keeps_the_newest() {
        let mut queue = Queue::default();
        for n in 0..20_000 {
            queue.push(message(&n.to_string(), vec![0; 10_000]));
            assert!(queue.items.len() <= MAX_ITEMS && queue.bytes <= MAX_BYTES);
        }
        assert!(matches!(take(&mut queue).last(), Some(Incoming::Message(last)) if last.topic == "19999"));
    }

    #[tokio::test]
    async fn it_ends_when_the_sender_is_gone_and_everything_is_taken() {
        let (sender, mut inbox) = inbox();
        sender.send(Incoming::Subscribed);
        drop(sender);
        assert_eq!(inbox.next().await, Some(Incoming::Subscribed));
        assert_eq!(inbox.next().await, None);
    }
}
