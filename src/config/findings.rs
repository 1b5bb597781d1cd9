//! What is wrong with settings, gathered until all of it is known.
//!
//! A setting is obeyed or refused, never adjusted.

use super::problem::{ConfigError, Place, Problem};
use crate::mqtt::OptionsError;
use crate::wire::PayloadError;

/// A setting that can't be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Invalid {
    /// The full key, `scheduler.window_size`.
    pub(super) key: String,
    /// Another key that it doesn't fit to, if that is what is wrong.
    pub(super) against: Option<String>,
    /// What is wrong and what was expected.
    pub(super) message: String,
}

/// All that is wrong, in the order of the checks.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Invalid>);

impl Findings {
    /// Notes what is wrong with a key.
    pub(super) fn refuse(&mut self, key: impl Into<String>, message: impl Into<String>) {
        self.0.push(Invalid { key: key.into(), against: None, message: message.into() });
    }

    /// Notes that a key doesn't fit to another one.
    pub(super) fn refuse_beside(&mut self, key: &str, other: &str, message: String) {
        self.0.push(Invalid { key: key.to_owned(), against: Some(other.to_owned()), message });
    }

    /// Returns the value of a key, or notes what is wrong with it.
    pub(super) fn expect<T>(&mut self, key: &str, outcome: Result<T, String>) -> Option<T> {
        outcome.map_err(|message| self.refuse(key, message)).ok()
    }

    /// As [`Findings::expect`], for what names its key below `table` itself.
    pub(super) fn expect_within<T>(&mut self, table: &str, outcome: Result<T, PayloadError>) -> Option<T> {
        outcome.map_err(|problem| self.refuse_within(table, problem)).ok()
    }

    pub(super) fn refuse_within(&mut self, table: &str, problem: PayloadError) {
        let problem = problem.within(table);
        self.refuse(problem.named().unwrap_or(table), problem.problem());
    }

    /// As [`Findings::expect`], for the options of the connection.
    pub(super) fn expect_options<T>(&mut self, outcome: Result<T, Vec<OptionsError>>) -> Option<T> {
        let invalid = |OptionsError { key, against, problem }| Invalid {
            key: key.to_owned(),
            against: against.map(str::to_owned),
            message: problem,
        };
        outcome.map_err(|problems| self.0.extend(problems.into_iter().map(invalid))).ok()
    }

    /// All of it.
    pub(super) fn into_invalid(self) -> Vec<Invalid> {
        self.0
    }
}

/// Without the place where it was written, for settings that were not read from a file.
impl From<Vec<Invalid>> for ConfigError {
    fn from(invalid: Vec<Invalid>) -> Self {
        let problem = |Invalid { key, message, .. }| Problem { place: Place::Default, key, message };
        invalid.into_iter().map(problem).collect::<Vec<_>>().into()
    }
}
