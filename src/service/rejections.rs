//! Messages that came in and were rejected: counted, logged at most once per topic and minute, and kept for the state.
//! And what the broker refused, as warnings.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use super::output::Outputs;
use crate::core::{Instant, Now};
use crate::wire::report::LastError;

/// A topic's problems are logged this often at most.
const QUIET: Duration = Duration::from_secs(60);

/// So long a rejected message is a problem to be shown. One that is still sent comes again.
const RECENT: Duration = Duration::from_secs(3_600);

/// So many topics and refusals are remembered.
const MOST: usize = 1_000;

/// The state says at once that a message was rejected, then after a pause that doubles while more of them come: a meter
/// that sends nonsense ten times a second must not fill a database.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// The longest topic, and the longest error, that is repeated to people, in characters.
const LONGEST: usize = 500;

#[derive(Debug, Default)]
pub(super) struct Rejections {
    rejected: Rejected,
    /// What the state says of them, and since when.
    published: Rejected,
    published_at: Option<Instant>,
    pause: Duration,
    /// When a topic was logged last.
    logged: HashMap<String, Instant>,
    /// What the broker refused since the connection was made.
    by_broker: BTreeSet<String>,
}

/// The messages that were rejected.
#[derive(Debug, Clone, Default)]
pub(super) struct Rejected {
    /// How many since the start.
    pub(super) count: u64,
    pub(super) last: Option<LastError>,
    last_at: Instant,
}

impl Rejected {
    /// The last of them, for a while.
    pub(super) fn recent(&self, now: Now) -> Option<&LastError> {
        self.last.as_ref().filter(|_| now.at.since(self.last_at) < RECENT)
    }
}

impl Rejections {
    /// A message was rejected.
    pub(super) fn note(&mut self, topic: &str, error: &str, now: Now, outputs: &mut Outputs) {
        let [topic, error]: [String; 2] = [topic, error].map(|text| text.chars().take(LONGEST).collect());
        if self.logged.len() >= MOST {
            self.logged.retain(|_, logged| now.at.since(*logged) < QUIET);
        }
        let quiet = self.logged.get(&topic).is_some_and(|logged| now.at.since(*logged) < QUIET);
        if !quiet && self.logged.len() < MOST {
            outputs.warn(format!("{topic}: {error}"));
            self.logged.insert(topic.clone(), now.at);
        }
        let last = Some(LastError { topic, error, time: now.wall.into() });
        self.rejected = Rejected { count: self.rejected.count + 1, last, last_at: now.at };
    }

    /// The broker refused something: a warning for as long as the connection lasts.
    pub(super) fn refused_by_broker(&mut self, what: String, outputs: &mut Outputs) {
        outputs.warn(what.clone());
        if self.by_broker.len() < MOST {
            self.by_broker.insert(what);
        }
    }

    /// There is a new connection, which may refuse nothing.
    pub(super) fn forget_broker(&mut self) {
        self.by_broker.clear();
    }

    /// What the broker refused.
    pub(super) fn by_broker(&self) -> impl Iterator<Item = &str> {
        self.by_broker.iter().map(String::as_str)
    }

    /// What the state has to say of rejected messages now: all of them, unless it changed a moment ago.
    pub(super) fn publish(&mut self, now: Now) -> &Rejected {
        if self.due().is_some_and(|due| due <= now.at) {
            let (shortest, longest) = PAUSES;
            let calm = self.published_at.is_none_or(|published| now.at.since(published) > longest * 2);
            self.pause = if calm { shortest } else { (self.pause * 2).min(longest) };
            (self.published, self.published_at) = (self.rejected.clone(), Some(now.at));
        }
        &self.published
    }

    /// When the state has to say more of them than it does.
    pub(super) fn due(&self) -> Option<Instant> {
        let more = self.rejected.count != self.published.count;
        more.then(|| self.published_at.map_or(Instant::START, |published| published + self.pause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The seconds at which the state changes, if messages are rejected at these.
    fn published(rejected: impl IntoIterator<Item = u64>) -> Vec<u64> {
        let begin = Now { at: Instant::START, wall: "2026-01-01T00:00:00Z".parse().unwrap() };
        let (mut rejections, mut published) = (Rejections::default(), Vec::new());
        let mut rejected = rejected.into_iter().peekable();
        for second in 0..1_000 {
            let now = begin + Duration::from_secs(second);
            while rejected.next_if_eq(&second).is_some() {
                rejections.note("sunward/power", "no", now, &mut Outputs::default());
            }
            let before = rejections.published.count;
            if rejections.publish(now).count != before {
                published.push(second);
            }
        }
        assert_eq!(rejections.published.count, rejections.rejected.count);
        published
    }

    #[test]
    fn what_is_repeated_of_a_topic_and_its_error_is_bounded() {
        let begin = Now { at: Instant::START, wall: "2026-01-01T00:00:00Z".parse().unwrap() };
        let mut rejections = Rejections::default();
        rejections.note(&"é".repeat(30_000), &"x".repeat(30_000), begin, &mut Outputs::default());
        let last = rejections.rejected.last.unwrap();
        assert_eq!([last.topic.chars().count(), last.error.chars().count()], [LONGEST; 2]);
        assert!(rejections.logged.keys().all(|topic| topic.chars().count() == LONGEST));
    }

    #[test]
    fn rejected_messages_are_published_at_once_then_ever_more_rarely_and_the_last_one_always() {
        assert_eq!(published([5, 5, 5]), [5]);
        assert_eq!(published([5, 6, 900]), [5, 6, 900]);
        assert_eq!(published(0..300), [0, 1, 3, 7, 15, 31, 63, 123, 183, 243, 303]);
        assert_eq!(published((0..200).step_by(10)), [0, 10, 20, 30, 40, 56, 88, 148, 208]);
        // Calm for two minutes, and it is as in the beginning.
        assert_eq!(published((0..20).chain(151..154)), [0, 1, 3, 7, 15, 31, 151, 211]);
        assert_eq!(published((0..20).chain(152..155)), [0, 1, 3, 7, 15, 31, 152, 153, 155]);
    }
}
