//! The subscriptions that the owner wants, and which of them the broker has answered on this connection.
//!
//! No session is trusted: every connection subscribes to everything again.

use std::collections::{BTreeSet, HashMap, VecDeque};

/// Filters in one SUBSCRIBE: small enough for any broker's packet limit.
const FILTERS_PER_REQUEST: usize = 16;

/// One request to the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Request {
    Subscribe(Vec<String>),
    Unsubscribe(String),
}

/// The filters, and how far each has come.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    wanted: BTreeSet<String>,
    /// Not handed to the connection yet.
    waiting: VecDeque<Request>,
    /// Handed over; their packet ids are still to be learned. In the order of sending.
    handed: VecDeque<Vec<String>>,
    /// Sent and not answered.
    unanswered: HashMap<u16, Vec<String>>,
    /// Something was asked for and `complete` has not yet been answered.
    open: bool,
}

impl Subscriptions {
    pub(super) fn add(&mut self, filter: String) {
        // One that exists is asked for again: that is how retained messages are replayed.
        self.wanted.insert(filter.clone());
        self.waiting.push_back(Request::Subscribe(vec![filter]));
        self.open = true;
    }

    /// Asks again for a filter that is still wanted; its owner doesn't hear of the answer.
    pub(super) fn ask_again(&mut self, filter: String) {
        if self.wanted.contains(&filter) {
            self.waiting.push_back(Request::Subscribe(vec![filter]));
        }
    }

    pub(super) fn remove(&mut self, filter: &str) {
        if self.wanted.remove(filter) {
            self.waiting.push_back(Request::Unsubscribe(filter.to_owned()));
        }
    }

    /// A new connection: everything that is wanted is asked for.
    pub(super) fn connected(&mut self) {
        let wanted: Vec<String> = self.wanted.iter().cloned().collect();
        self.waiting = wanted.chunks(FILTERS_PER_REQUEST).map(|part| Request::Subscribe(part.to_vec())).collect();
        self.handed.clear();
        self.unanswered.clear();
        self.open = true;
    }

    pub(super) fn hand_over(&mut self) -> Option<Request> {
        // A bound of its own: what the connection is asked to do at once stays small.
        if self.handed.len() >= FILTERS_PER_REQUEST {
            return None;
        }
        let request = self.waiting.pop_front()?;
        if let Request::Subscribe(filters) = &request {
            self.handed.push_back(filters.clone());
        }
        Some(request)
    }

    /// The connection would not take this request: it waits again.
    pub(super) fn hand_back(&mut self, request: Request) {
        if matches!(request, Request::Subscribe(_)) {
            self.handed.pop_back();
        }
        self.waiting.push_front(request);
    }

    /// The oldest SUBSCRIBE handed over went out with this packet id.
    pub(super) fn sent(&mut self, packet_id: u16) {
        if let Some(filters) = self.handed.pop_front() {
            self.unanswered.insert(packet_id, filters);
        }
    }

    /// Whether everything that is asked for has gone out: what is published next comes after it.
    pub(super) fn are_out(&self) -> bool {
        self.waiting.is_empty() && self.handed.is_empty()
    }

    /// The broker answered; these are the filters it was asked for.
    pub(super) fn answered(&mut self, packet_id: u16) -> Vec<String> {
        self.unanswered.remove(&packet_id).unwrap_or_default()
    }

    /// True once after everything that was asked for is answered.
    pub(super) fn complete(&mut self) -> bool {
        let idle = self.waiting.is_empty() && self.handed.is_empty() && self.unanswered.is_empty();
        idle && std::mem::take(&mut self.open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_connection_asks_for_everything_and_is_complete_once() {
        let mut subscriptions = Subscriptions::default();
        (0..20).for_each(|n| subscriptions.add(format!("t/{n:02}")));
        subscriptions.remove("t/00");
        for _ in 0..2 {
            subscriptions.connected();
            let mut asked = Vec::new();
            while let Some(Request::Subscribe(filters)) = subscriptions.hand_over() {
                asked.extend(filters);
            }
            assert_eq!(asked.len(), 19);
            assert!(!subscriptions.complete());
            (1..=2).for_each(|id| subscriptions.sent(id));
            assert_eq!(subscriptions.answered(1).len(), 16);
            assert!(!subscriptions.complete());
            assert_eq!(subscriptions.answered(2).len(), 3);
            assert!(subscriptions.complete());
            assert!(!subscriptions.complete());
        }
    }

    #[test]
    fn without_any_subscription_a_connection_is_complete_at_once() {
        let mut subscriptions = Subscriptions::default();
        subscriptions.connected();
        assert!(subscriptions.complete());
    }
}
