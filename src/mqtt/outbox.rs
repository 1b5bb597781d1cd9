//! Everything that waits to be sent or to be acknowledged: the only memory of what the broker has not confirmed.
//!
//! A message leaves it when the broker acknowledged it (QoS 1) or when it went to the socket (QoS 0), never before:
//! whatever the connection loses on its way is still here. It reads no clock: `now` is an argument.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Duration, Instant};

use super::message::{Kind, Outgoing};

/// Messages handed to the connection and not confirmed yet. Small enough for any broker's receive maximum to cope with,
/// large enough that the round trip doesn't matter.
const WINDOW: usize = 64;

/// Messages kept at most: the retained values of 4,096 tasks, each with a device, a report and what is set, and as many
/// commands.
const MAX_MESSAGES: usize = 40_000;

/// Bytes of topics and payloads kept at most: of 4,096 tasks they are 30 MiB.
const MAX_BYTES: usize = 40 * 1024 * 1024;

/// There is no room left.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

/// What the connection is asked to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dispatch {
    pub(super) topic: String,
    pub(super) payload: Vec<u8>,
    pub(super) retain: bool,
    pub(super) kind: Kind,
    /// The time that is left to a message which expires.
    pub(super) expiry: Option<Duration>,
}

/// The messages that wait, and those that are on their way.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// Not handed over yet, in order.
    waiting: BTreeMap<u64, Entry>,
    /// The waiting value of each retained topic.
    latest: HashMap<String, u64>,
    /// Handed to the connection, in the order in which it will send them.
    handed: VecDeque<u64>,
    /// Sent and to be acknowledged, by packet id.
    unacknowledged: HashMap<u16, u64>,
    /// All that is in `handed` or `unacknowledged`.
    flying: BTreeMap<u64, Entry>,
    next: u64,
    bytes: usize,
    expired: u64,
}

#[derive(Debug)]
struct Entry {
    message: Outgoing,
    expires: Option<Instant>,
    handed_at: Option<Instant>,
}

impl Entry {
    fn size(&self) -> usize {
        size(&self.message)
    }
}

fn size(message: &Outgoing) -> usize {
    message.topic.len() + message.payload.len()
}

impl Outbox {
    /// Takes a message. A retained value replaces the one of its topic that still waits, in its place.
    pub(super) fn put(&mut self, message: Outgoing, now: Instant) -> Result<(), Full> {
        let replaced = self.replaced_by(&message).and_then(|place| self.waiting.get(&place));
        let freed = replaced.map_or(0, Entry::size);
        let no_place = replaced.is_none() && self.waiting.len() + self.flying.len() >= MAX_MESSAGES;
        if no_place || self.bytes - freed + size(&message) > MAX_BYTES {
            return Err(Full);
        }
        self.put_last(message, now);
        Ok(())
    }

    /// Takes a message however full it is: for the few words at the very end, which matter most.
    pub(super) fn put_last(&mut self, message: Outgoing, now: Instant) {
        let place = self.replaced_by(&message).unwrap_or(self.next);
        self.next += 1;
        self.bytes += size(&message);
        if message.kind == Kind::Retained {
            self.latest.insert(message.topic.clone(), place);
        }
        let expires = message.kind.patience().map(|patience| now + patience);
        if let Some(old) = self.waiting.insert(place, Entry { message, expires, handed_at: None }) {
            self.bytes -= old.size();
        }
    }

    /// The next message to send, if the window allows one. What has expired is forgotten instead.
    pub(super) fn hand_over(&mut self, now: Instant) -> Option<Dispatch> {
        while self.flying.len() < WINDOW {
            let (place, mut entry) = self.waiting.pop_first()?;
            if entry.message.kind == Kind::Retained {
                self.latest.remove(&entry.message.topic);
            }
            if entry.expires.is_some_and(|expires| expires <= now) {
                self.bytes -= entry.size();
                self.expired += 1;
                continue;
            }
            entry.handed_at = Some(now);
            let dispatch = Dispatch {
                topic: entry.message.topic.clone(),
                payload: entry.message.payload.clone(),
                retain: entry.message.kind == Kind::Retained,
                kind: entry.message.kind,
                expiry: entry.expires.map(|expires| expires - now),
            };
            self.handed.push_back(place);
            self.flying.insert(place, entry);
            return Some(dispatch);
        }
        None
    }

    /// The connection would not take the last one handed over: it waits again.
    pub(super) fn hand_back(&mut self) {
        if let Some(place) = self.handed.pop_back()
            && let Some(entry) = self.flying.remove(&place)
        {
            self.wait_again(place, entry);
        }
    }

    /// The last one handed over can't be sent at all: it is forgotten.
    pub(super) fn discard_last(&mut self) {
        if let Some(place) = self.handed.pop_back() {
            self.forget(place);
        }
    }

    /// The oldest one handed over went to the socket with this packet id. With 0, which is QoS 0, nobody acknowledges it:
    /// the message is done with and answered.
    pub(super) fn sent(&mut self, packet_id: u16) -> Option<Outgoing> {
        let place = self.handed.pop_front()?;
        if packet_id == 0 {
            return self.forget(place);
        }
        self.unacknowledged.insert(packet_id, place);
        None
    }

    /// The broker answered; the message is done with and answered.
    pub(super) fn acknowledged(&mut self, packet_id: u16) -> Option<Outgoing> {
        let place = self.unacknowledged.remove(&packet_id)?;
        self.forget(place)
    }

    /// The connection is gone: what it did not confirm waits again, unless it has expired or a newer value waits.
    pub(super) fn connection_lost(&mut self, now: Instant) {
        self.handed.clear();
        self.unacknowledged.clear();
        // From the newest to the oldest, so that the newest value of a topic is the one that stays.
        while let Some((place, entry)) = self.flying.pop_last() {
            if entry.expires.is_some_and(|expires| expires <= now) {
                self.bytes -= entry.size();
                self.expired += 1;
            } else {
                self.wait_again(place, entry);
            }
        }
    }

    /// When the oldest unconfirmed message was handed over: one that stays for long means a connection that is stuck.
    pub(super) fn oldest_unconfirmed(&self) -> Option<Instant> {
        self.flying.values().filter_map(|entry| entry.handed_at).min()
    }

    /// Nothing waits and nothing is unconfirmed.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.flying.is_empty()
    }

    /// How many messages expired since the last call.
    pub(super) fn take_expired(&mut self) -> u64 {
        std::mem::take(&mut self.expired)
    }

    /// The place of the waiting value that a message makes obsolete.
    fn replaced_by(&self, message: &Outgoing) -> Option<u64> {
        self.latest.get(&message.topic).filter(|_| message.kind == Kind::Retained).copied()
    }

    fn wait_again(&mut self, place: u64, entry: Entry) {
        if entry.message.kind == Kind::Retained {
            if self.latest.contains_key(&entry.message.topic) {
                self.bytes -= entry.size();
                return;
            }
            self.latest.insert(entry.message.topic.clone(), place);
        }
        self.waiting.insert(place, entry);
    }

    fn forget(&mut self, place: u64) -> Option<Outgoing> {
        let entry = self.flying.remove(&place)?;
        self.bytes -= entry.size();
        Some(entry.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn drain(outbox: &mut Outbox, now: Instant) -> Vec<String> {
        std::iter::from_fn(|| outbox.hand_over(now))
            .map(|sent| format!("{}={}", sent.topic, String::from_utf8_lossy(&sent.payload)))
            .collect()
    }

    #[test]
    fn only_the_latest_value_of_a_retained_topic_waits() {
        let (mut outbox, now) = (Outbox::default(), Instant::now());
        for message in [Outgoing::state("a", "1"), Outgoing::state("b", "1"), Outgoing::state("a", "2")] {
            outbox.put(message, now).unwrap();
        }
        outbox.put(Outgoing::clear("b"), now).unwrap();
        assert_eq!(drain(&mut outbox, now), ["a=2", "b="]);
    }

    #[test]
    fn commands_keep_their_order_and_are_all_sent() {
        let (mut outbox, now) = (Outbox::default(), Instant::now());
        for payload in ["stop", "start", "stop"] {
            outbox.put(Outgoing::command("set", payload, SECOND), now).unwrap();
        }
        assert_eq!(drain(&mut outbox, now), ["set=stop", "set=start", "set=stop"]);
    }

    #[test]
    fn what_was_not_acknowledged_is_sent_again_and_a_newer_value_wins() {
        let (mut outbox, now) = (Outbox::default(), Instant::now());
        for topic in ["a", "b", "c"] {
            outbox.put(Outgoing::state(topic, "old"), now).unwrap();
        }
        drain(&mut outbox, now);
        outbox.sent(1);
        outbox.sent(2);
        assert_eq!(outbox.acknowledged(1), Some(Outgoing::state("a", "old")));
        outbox.put(Outgoing::state("b", "new"), now).unwrap();
        outbox.connection_lost(now);
        assert_eq!(drain(&mut outbox, now), ["c=old", "b=new"]);
        assert_eq!(outbox.bytes, "c=old".len() - 1 + "b=new".len() - 1);
    }

    #[test]
    fn a_command_that_expired_meanwhile_is_never_sent() {
        let (mut outbox, now) = (Outbox::default(), Instant::now());
        outbox.put(Outgoing::command("flying", "start", SECOND), now).unwrap();
        drain(&mut outbox, now);
        outbox.put(Outgoing::command("waiting", "start", SECOND), now).unwrap();
        outbox.put(Outgoing::command("patient", "start", 9 * SECOND), now).unwrap();
        outbox.connection_lost(now + SECOND);
        assert_eq!(drain(&mut outbox, now + SECOND), ["patient=start"]);
        assert_eq!(outbox.take_expired(), 2);
    }

    #[test]
    fn the_remaining_time_of_a_command_is_what_the_broker_is_told() {
        let (mut outbox, now) = (Outbox::default(), Instant::now());
        outbox.put(Outgoing::command("set", "start", 9 * SECOND), now).unwrap();
        assert_eq!(outbox.hand_over(now + 4 * SECOND).unwrap().expiry, Some(5 * SECOND));
    }

    #[test]
    fn no_more_than_the_window_is_unconfirmed() {
        let (mut outbox, now) = (Outbox::default(), Instant::now());
        for n in 0..100 {
            outbox.put(Outgoing::event(format!("t/{n}"), "x"), now).unwrap();
        }
        assert_eq!(drain(&mut outbox, now).len(), WINDOW);
        outbox.sent(7);
        assert_eq!(drain(&mut outbox, now).len(), 0);
        outbox.acknowledged(7);
        assert_eq!(drain(&mut outbox, now), ["t/64=x"]);
    }

    #[test]
    fn it_is_full_rather_than_endless_and_takes_newer_values_even_then() {
        let (mut outbox, now) = (Outbox::default(), Instant::now());
        for n in 0..MAX_MESSAGES {
            outbox.put(Outgoing::state(format!("t/{n}"), "x"), now).unwrap();
        }
        assert_eq!(outbox.put(Outgoing::state("one more", "x"), now), Err(Full));
        assert_eq!(outbox.put(Outgoing::state("t/7", "newer"), now), Ok(()));
        outbox.put_last(Outgoing::state("availability", "offline"), now);
        assert_eq!(outbox.waiting.len(), MAX_MESSAGES + 1);
        let huge = vec![0; MAX_BYTES];
        assert_eq!(Outbox::default().put(Outgoing::event("t", huge), now), Err(Full));
    }
}
