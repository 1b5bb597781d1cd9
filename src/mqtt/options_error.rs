//! What is wrong with the options of a connection.

use thiserror::Error;

/// A setting that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{key}: {problem}")]
pub struct OptionsError {
    /// The key, as it is written in the configuration: `mqtt.url`.
    pub key: &'static str,
    /// Another key that it doesn't fit to, if that is what is wrong.
    pub against: Option<&'static str>,
    /// What is wrong with it and what to write instead.
    pub problem: String,
}

impl OptionsError {
    pub(super) fn new(key: &'static str, problem: impl Into<String>) -> Self {
        Self { key, against: None, problem: problem.into() }
    }

    pub(super) fn against(key: &'static str, other: &'static str, problem: impl Into<String>) -> Self {
        Self { key, against: Some(other), problem: problem.into() }
    }
}
