//! What waits for one client: bounded in messages and bytes, and no publisher takes more than half of what is left.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::limits::Limits;
use super::message::Message;

/// A message on its way to one client.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub(super) message: Arc<Message>,
    pub(super) at_least_once: bool,
    pub(super) retain: bool,
    publisher: u64,
}

impl Waiting {
    pub(super) fn new(message: Arc<Message>, at_least_once: bool, retain: bool, publisher: u64) -> Self {
        Self { message, at_least_once, retain, publisher }
    }
}

/// Sent with QoS 1, not confirmed.
#[derive(Debug)]
pub(super) struct Unconfirmed {
    pub(super) id: u16,
    pub(super) waiting: Waiting,
    /// On the present connection.
    pub(super) sent: bool,
}

/// The queue of one client.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<Waiting>,
    pub(super) unconfirmed: VecDeque<Unconfirmed>,
    bytes: usize,
    /// Messages and bytes of each publisher that wait.
    shares: HashMap<u64, (usize, usize)>,
    last_id: u16,
}

impl Queue {
    /// Puts a message at the end, or returns that there is no room. `all` counts the bytes of all queues.
    pub(super) fn push(&mut self, waiting: Waiting, limits: &Limits, all: &mut usize) -> bool {
        let cost = waiting.message.cost();
        let free = limits.max_queued_bytes.min(limits.all_queued_bytes().saturating_sub(*all) / 2);
        let places = limits.max_queued_messages.saturating_sub(self.len());
        let (messages, bytes) = self.shares.get(&waiting.publisher).copied().unwrap_or_default();
        let left = free.max(limits.max_queued_bytes / 64).saturating_sub(self.bytes);
        // Whoever waits for nothing gets one message of any size.
        let refused = places == 0 || messages > places || bytes + cost > left;
        if refused && self.len() > 0 {
            return false;
        }
        self.count(&waiting, all);
        self.waiting.push_back(waiting);
        true
    }

    /// Takes the first one out, if it may be sent now.
    pub(super) fn pop(&mut self, window: usize, all: &mut usize) -> Option<Waiting> {
        if self.waiting.front()?.at_least_once && self.unconfirmed.len() >= window {
            return None;
        }
        let waiting = self.waiting.pop_front()?;
        self.released(&waiting, all);
        Some(waiting)
    }

    /// Keeps a message until it is confirmed; returns the packet identifier for it.
    pub(super) fn keep(&mut self, waiting: Waiting, all: &mut usize) -> u16 {
        while {
            self.last_id = self.last_id.checked_add(1).unwrap_or(1);
            self.unconfirmed.iter().any(|one| one.id == self.last_id)
        } {}
        self.count(&waiting, all);
        self.unconfirmed.push_back(Unconfirmed { id: self.last_id, waiting, sent: true });
        self.last_id
    }

    /// Notes that the client has it.
    pub(super) fn confirmed(&mut self, id: u16, all: &mut usize) {
        let Some(at) = self.unconfirmed.iter().position(|one| one.id == id) else { return };
        if let Some(one) = self.unconfirmed.remove(at) {
            self.released(&one.waiting, all);
        }
    }

    /// A new connection gets again what it didn't confirm on the former; what had QoS 0 is gone.
    pub(super) fn restart(&mut self, all: &mut usize) {
        for one in &mut self.unconfirmed {
            one.sent = false;
        }
        let (kept, gone): (VecDeque<_>, VecDeque<_>) =
            std::mem::take(&mut self.waiting).into_iter().partition(|waiting| waiting.at_least_once);
        self.waiting = kept;
        for waiting in &gone {
            self.released(waiting, all);
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self, all: &mut usize) {
        *all = all.saturating_sub(self.bytes);
        let last_id = self.last_id;
        *self = Self { last_id, ..Self::default() };
    }

    fn len(&self) -> usize {
        self.waiting.len() + self.unconfirmed.len()
    }

    fn count(&mut self, waiting: &Waiting, all: &mut usize) {
        let cost = waiting.message.cost();
        self.bytes += cost;
        *all += cost;
        let (messages, bytes) = self.shares.entry(waiting.publisher).or_default();
        *messages += 1;
        *bytes += cost;
    }

    fn released(&mut self, waiting: &Waiting, all: &mut usize) {
        let cost = waiting.message.cost();
        self.bytes = self.bytes.saturating_sub(cost);
        *all = all.saturating_sub(cost);
        if let Some((messages, bytes)) = self.shares.get_mut(&waiting.publisher) {
            *messages -= 1;
            *bytes -= cost;
            if *messages == 0 {
                self.shares.remove(&waiting.publisher);
            }
        }
    }
}
