//! What went wrong with what came in: counted, logged at most once per topic and minute, and kept for the state.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use crate::core::{Instant, Now};
use crate::wire::report::LastError;

/// A topic's problems are logged this often at most.
const QUIET: Duration = Duration::from_secs(60);

/// So long a refused message is a problem to be shown; one that is still sent comes again.
const RECENT: Duration = Duration::from_secs(3_600);

/// So many topics and refusals are remembered.
const MOST: usize = 1_000;

/// People are told of refused messages at once, then after a pause that doubles while more of them come: a meter that
/// sends nonsense ten times a second must not fill a database.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// The longest error that is repeated to people, in characters.
const LONGEST: usize = 500;

#[derive(Debug, Default)]
pub(super) struct Faults {
    refused: Refused,
    told: Refused,
    told_at: Option<Instant>,
    pause: Duration,
    logged: HashMap<String, Instant>,
    refusals: BTreeSet<String>,
}

/// The messages that were refused.
#[derive(Debug, Clone, Default)]
pub(super) struct Refused {
    /// How many since the start.
    pub(super) count: u64,
    pub(super) last: Option<LastError>,
    last_at: Instant,
}

impl Refused {
    /// The last of them, for a while.
    pub(super) fn recent(&self, now: Now) -> Option<&LastError> {
        self.last.as_ref().filter(|_| now.at.since(self.last_at) < RECENT)
    }
}

impl Faults {
    /// A message was refused.
    pub(super) fn note(&mut self, topic: &str, error: &str, now: Now) {
        let error: String = error.chars().take(LONGEST).collect();
        if self.logged.len() >= MOST {
            self.logged.retain(|_, logged| now.at.since(*logged) < QUIET);
        }
        let quiet = self.logged.get(topic).is_some_and(|logged| now.at.since(*logged) < QUIET);
        if !quiet && self.logged.len() < MOST {
            tracing::warn!("{topic}: {error}");
            self.logged.insert(topic.to_owned(), now.at);
        }
        let last = Some(LastError { topic: topic.to_owned(), error, time: now.wall.into() });
        self.refused = Refused { count: self.refused.count + 1, last, last_at: now.at };
    }

    /// The broker refused something: a warning for as long as the connection lasts.
    pub(super) fn refused(&mut self, what: String) {
        tracing::warn!("{what}");
        if self.refusals.len() < MOST {
            self.refusals.insert(what);
        }
    }

    pub(super) fn forget_refusals(&mut self) {
        self.refusals.clear();
    }

    pub(super) fn refusals(&self) -> impl Iterator<Item = &str> {
        self.refusals.iter().map(String::as_str)
    }

    /// What is to be told of refused messages now: all of them, unless that was told a moment ago.
    pub(super) fn tell(&mut self, now: Now) -> &Refused {
        if self.due().is_some_and(|due| due <= now.at) {
            let (shortest, longest) = PAUSES;
            let calm = self.told_at.is_none_or(|told| now.at.since(told) > longest * 2);
            self.pause = if calm { shortest } else { (self.pause * 2).min(longest) };
            (self.told, self.told_at) = (self.refused.clone(), Some(now.at));
        }
        &self.told
    }

    /// When there is more to tell than was told.
    pub(super) fn due(&self) -> Option<Instant> {
        let news = self.refused.count != self.told.count;
        news.then(|| self.told_at.map_or(Instant::START, |told| told + self.pause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The seconds at which people are told, if messages are refused at these.
    fn told(refused: impl IntoIterator<Item = u64>) -> Vec<u64> {
        let begin = Now { at: Instant::START, wall: "2026-01-01T00:00:00Z".parse().unwrap() };
        let (mut faults, mut told) = (Faults::default(), Vec::new());
        let mut refused = refused.into_iter().peekable();
        for second in 0..1_000 {
            let now = begin + Duration::from_secs(second);
            while refused.next_if_eq(&second).is_some() {
                faults.note("sunward/power", "no", now);
            }
            let before = faults.told.count;
            if faults.tell(now).count != before {
                told.push(second);
            }
        }
        assert_eq!(faults.told.count, faults.refused.count);
        told
    }

    #[test]
    fn refused_messages_are_told_at_once_then_ever_more_rarely_and_the_last_one_always() {
        assert_eq!(told([5, 5, 5]), [5]);
        assert_eq!(told([5, 6, 900]), [5, 6, 900]);
        assert_eq!(told(0..300), [0, 1, 3, 7, 15, 31, 63, 123, 183, 243, 303]);
        assert_eq!(told((0..200).step_by(10)), [0, 10, 20, 30, 40, 56, 88, 148, 208]);
        // Calm for two minutes, and it is as in the beginning.
        assert_eq!(told((0..20).chain(151..154)), [0, 1, 3, 7, 15, 31, 151, 211]);
        assert_eq!(told((0..20).chain(152..155)), [0, 1, 3, 7, 15, 31, 152, 153, 155]);
    }
}
