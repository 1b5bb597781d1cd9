//! What went wrong with what came in: counted, logged at most once per topic and minute, and kept for the state.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use crate::report::{self, LastError};
use crate::scheduler::{Instant, Now};

/// A topic's problems are logged this often at most.
const QUIET: Duration = Duration::from_secs(60);

/// So long a refused message is a problem to be shown; one that is still sent comes again.
const RECENT: Duration = Duration::from_secs(3_600);

/// So many topics and refusals are remembered.
const MOST: usize = 1_000;

/// The longest error that is repeated to people, in characters.
const LONGEST: usize = 500;

#[derive(Debug, Default)]
pub(super) struct Faults {
    rejected: u64,
    last: Option<LastError>,
    last_at: Instant,
    logged: HashMap<String, Instant>,
    refusals: BTreeSet<String>,
}

impl Faults {
    /// A message was refused.
    pub(super) fn note(&mut self, topic: &str, error: &str, now: Now) {
        self.rejected += 1;
        let error: String = error.chars().take(LONGEST).collect();
        if self.logged.len() >= MOST {
            self.logged.retain(|_, logged| now.at.since(*logged) < QUIET);
        }
        let quiet = self.logged.get(topic).is_some_and(|logged| now.at.since(*logged) < QUIET);
        if !quiet && self.logged.len() < MOST {
            tracing::warn!("{topic}: {error}");
            self.logged.insert(topic.to_owned(), now.at);
        }
        self.last_at = now.at;
        self.last = Some(LastError { topic: topic.to_owned(), error, time: report::time(now.wall) });
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

    pub(super) fn rejected(&self) -> u64 {
        self.rejected
    }

    /// The last message that was refused, for a while.
    pub(super) fn recent(&self, now: Now) -> Option<&LastError> {
        self.last.as_ref().filter(|_| now.at.since(self.last_at) < RECENT)
    }

    pub(super) fn last(&self) -> Option<&LastError> {
        self.last.as_ref()
    }
}
