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
    /// The waiting command of each addressee.
    commands: HashMap<String, u64>,
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
    /// When it is worth nothing any more.
    expires: Option<Instant>,
    /// When it is not sent any more.
    sent_until: Option<Instant>,
    handed_at: Option<Instant>,
}

impl Entry {
    fn size(&self) -> usize {
        size(&self.message)
    }

    fn is_too_old(&self, now: Instant) -> bool {
        self.sent_until.is_some_and(|until| until <= now)
    }

    fn is_command(&self) -> bool {
        matches!(self.message.kind, Kind::Command { .. })
    }
}

fn size(message: &Outgoing) -> usize {
    message.topic.len() + message.payload.len()
}

impl Outbox {
    /// Takes a message. A retained value replaces the one of its topic that still waits, in its place. A command makes the one
    /// obsolete that still waits for the same addressee, and goes to the end.
    pub(super) fn put(&mut self, message: Outgoing, now: Instant) -> Result<(), Full> {
        let replaced = self.replaced_by(&message).or_else(|| self.superseded_by(&message));
        let replaced = replaced.and_then(|place| self.waiting.get(&place));
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
        if let Some(old) = self.superseded_by(&message).and_then(|place| self.waiting.remove(&place)) {
            self.bytes -= old.size();
        }
        let place = self.replaced_by(&message).unwrap_or(self.next);
        self.next += 1;
        self.bytes += size(&message);
        if message.kind == Kind::Retained {
            self.latest.insert(message.topic.clone(), place);
        }
        if let Some(addressee) = &message.addressee {
            self.commands.insert(addressee.clone(), place);
        }
        let expires = message.kind.expiry().map(|expiry| now + expiry);
        let sent_until = message.kind.patience().map(|patience| now + patience);
        if let Some(old) = self.waiting.insert(place, Entry { message, expires, sent_until, handed_at: None }) {
            self.bytes -= old.size();
        }
    }

    /// The next message to send, if the window allows one. What is too old is forgotten instead. `lives`: the broker has just
    /// shown that it does. To one that may be frozen no command goes, nor what waits behind it: it would be obeyed whenever
    /// the broker goes on.
    pub(super) fn hand_over(&mut self, now: Instant, lives: bool) -> Option<Dispatch> {
        while self.flying.len() < WINDOW {
            let next = self.waiting.first_entry()?;
            if next.get().is_command() && !next.get().is_too_old(now) && !lives {
                return None;
            }
            let (place, mut entry) = next.remove_entry();
            self.forget_names(&entry.message, place);
            if entry.is_too_old(now) {
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
                expiry: entry.expires.map(|expires| expires.saturating_duration_since(now)),
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

    /// The connection is gone: what it did not confirm waits again, unless it is too old, or a newer value waits,
    /// or a newer command for the same addressee.
    pub(super) fn connection_lost(&mut self, now: Instant) {
        self.handed.clear();
        self.unacknowledged.clear();
        // From the newest to the oldest, so that the newest value of a topic is the one that stays.
        while let Some((place, entry)) = self.flying.pop_last() {
            if entry.is_too_old(now) {
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

    /// A command waits that may still be sent.
    pub(super) fn has_command_next(&self) -> bool {
        self.waiting.first_key_value().is_some_and(|(_, entry)| entry.is_command())
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

    /// The place of the waiting command that a newer one for the same addressee makes obsolete.
    fn superseded_by(&self, message: &Outgoing) -> Option<u64> {
        self.commands.get(message.addressee.as_ref()?).copied()
    }

    /// A message doesn't wait any more.
    fn forget_names(&mut self, message: &Outgoing, place: u64) {
        if message.kind == Kind::Retained {
            self.latest.remove(&message.topic);
        }
        if let Some(addressee) = &message.addressee
            && self.commands.get(addressee) == Some(&place)
        {
            self.commands.remove(addressee);
        }
    }

    fn wait_again(&mut self, place: u64, entry: Entry) {
        if let Some(addressee) = &entry.message.addressee {
            if self.commands.contains_key(addressee) {
                self.bytes -= entry.size();
                return;
            }
            self.commands.insert(addressee.clone(), place);
        }
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
mod tests;
