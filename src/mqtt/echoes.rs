//! Notices that a broker grants a subscription and then delivers nothing.
//!
//! Mosquitto answers every SUBSCRIBE with "granted", whatever its ACL says, and over MQTT 3.1.1 it acknowledges a message
//! that it throws away. But what we publish on a topic that we have subscribed to has to come back. What doesn't is asked
//! for once more, since a broker may drop a message from a full queue; what was retained comes then, if we may read it.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use crate::wire::topic::{covers, has_wildcard};

/// So long after the broker acknowledged a message it has come back.
const PATIENCE: Duration = Duration::from_secs(10);

/// What has to come back on one connection.
#[derive(Debug, Default)]
pub(super) struct Echoes {
    /// Filters that are subscribed to and have proved nothing yet: those that are a topic, and the others.
    topics: HashSet<String>,
    patterns: Vec<String>,
    /// By topic; one for each filter at most.
    expected: HashMap<String, Expected>,
}

#[derive(Debug)]
struct Expected {
    filter: String,
    /// When the broker acknowledged the message or, where it was asked again, the subscription.
    since: Option<Instant>,
    asked_again: bool,
}

/// What a message that did not come back is a reason for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// To subscribe to this filter again.
    Ask(String),
    /// To say so, in these words.
    Withheld(String),
}

impl Echoes {
    /// A SUBSCRIBE was handed over: what is published from now on comes back.
    pub(super) fn subscribing(&mut self, filter: &str) {
        if self.expected.values().any(|expected| expected.filter == filter) {
            return;
        }
        if !has_wildcard(filter) {
            self.topics.insert(filter.to_owned());
        } else if !self.patterns.iter().any(|pattern| pattern == filter) {
            self.patterns.push(filter.to_owned());
        }
    }

    /// The broker granted a subscription.
    pub(super) fn granted(&mut self, filter: &str, now: Instant) {
        for expected in self.expected.values_mut().filter(|expected| expected.asked_again && expected.filter == filter)
        {
            expected.since = Some(now);
        }
    }

    /// The broker refused it, or it is over.
    pub(super) fn forget(&mut self, filter: &str) {
        self.topics.remove(filter);
        self.patterns.retain(|pattern| pattern != filter);
        self.expected.retain(|_, expected| expected.filter != filter);
    }

    /// A message that the broker is to keep was handed over.
    pub(super) fn published(&mut self, topic: &str) {
        if self.expected.contains_key(topic) {
            return;
        }
        let filter = self.topics.take(topic).or_else(|| {
            let place = self.patterns.iter().position(|pattern| covers(pattern, topic))?;
            Some(self.patterns.swap_remove(place))
        });
        if let Some(filter) = filter {
            self.expected.insert(topic.to_owned(), Expected { filter, since: None, asked_again: false });
        }
    }

    /// The broker has a message, or refused it.
    pub(super) fn acknowledged(&mut self, topic: &str, refused: bool, now: Instant) {
        if refused {
            self.expected.remove(topic);
        } else if let Some(expected) = self.expected.get_mut(topic).filter(|expected| !expected.asked_again) {
            expected.since.get_or_insert(now);
        }
    }

    /// A message came in.
    pub(super) fn received(&mut self, topic: &str) {
        self.expected.remove(topic);
    }

    /// Returns something that should have come back by now.
    pub(super) fn missing(&mut self, now: Instant) -> Option<Missing> {
        let late = |expected: &Expected| expected.since.is_some_and(|since| now.duration_since(since) >= PATIENCE);
        let (topic, expected) = self.expected.iter_mut().find(|(_, expected)| late(expected))?;
        let filter = expected.filter.clone();
        if !expected.asked_again {
            (expected.asked_again, expected.since) = (true, None);
            return Some(Missing::Ask(filter));
        }
        let topic = topic.clone();
        self.expected.remove(&topic);
        Some(Missing::Withheld(withheld(&filter, &topic)))
    }
}

fn withheld(filter: &str, topic: &str) -> String {
    format!(
        "the broker granted the subscription to {filter} and delivers nothing: what was published on {topic} did not come \
         back; its ACL seems to deny this account (mqtt.username) to read {filter} or to write {topic}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn published(filter: &str, topic: &str, start: Instant) -> Echoes {
        let mut echoes = Echoes::default();
        echoes.subscribing(filter);
        echoes.published(topic);
        assert_eq!(echoes.missing(start + 99 * SECOND), None, "the broker has not acknowledged it");
        echoes.acknowledged(topic, false, start);
        echoes
    }

    #[test]
    fn what_does_not_come_back_is_asked_for_once_more_and_then_told() {
        let start = Instant::now();
        for filter in ["a/b", "a/+", "#"] {
            let mut echoes = published(filter, "a/b", start);
            assert_eq!(echoes.missing(start + 9 * SECOND), None);
            assert_eq!(echoes.missing(start + PATIENCE), Some(Missing::Ask(filter.into())));
            echoes.subscribing(filter);
            echoes.published("a/b");
            assert_eq!(echoes.missing(start + 99 * SECOND), None, "the broker has not answered");
            echoes.granted(filter, start + 99 * SECOND);
            let told = echoes.missing(start + 99 * SECOND + PATIENCE);
            assert_eq!(told, Some(Missing::Withheld(withheld(filter, "a/b"))));
            assert_eq!(echoes.missing(start + 999 * SECOND), None);
        }
    }

    #[test]
    fn what_comes_back_late_what_is_refused_and_what_nobody_listens_to_is_not_told() {
        let start = Instant::now();
        let ends: [fn(&mut Echoes); 4] = [
            |echoes| echoes.received("a/b"),
            |echoes| echoes.acknowledged("a/b", true, Instant::now()),
            |echoes| echoes.forget("a/+"),
            |echoes| {
                echoes.missing(Instant::now() + 60 * SECOND);
                echoes.received("a/b");
            },
        ];
        for end in ends {
            let mut echoes = published("a/+", "a/b", start);
            end(&mut echoes);
            echoes.granted("a/+", start);
            assert_eq!(echoes.missing(start + 99 * SECOND), None);
        }
        let mut echoes = Echoes::default();
        echoes.subscribing("other");
        echoes.published("a/b");
        echoes.acknowledged("a/b", false, start);
        assert_eq!(echoes.missing(start + 99 * SECOND), None);
    }

    #[test]
    fn a_filter_is_tried_with_one_message_however_many_are_published() {
        let mut echoes = published("a/#", "a/0", Instant::now());
        (1..9_999).for_each(|n| echoes.published(&format!("a/{n}")));
        assert_eq!(echoes.expected.len(), 1);
    }
}
