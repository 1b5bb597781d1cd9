//! All that the service wants done: one closed list, in the order in which it is to be done.

use std::time::Duration;

use crate::core::{Decision, TaskId};

/// One thing to do.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Output {
    /// Publish it, retained.
    State {
        topic: String,
        payload: Vec<u8>,
    },
    /// Make the broker forget what it retains on this topic.
    Clear {
        topic: String,
    },
    /// Publish it, not retained. It is worthless after `expiry`.
    Command {
        topic: String,
        payload: String,
        expiry: Duration,
        /// The task that it starts or stops; none: it is a set-point or a question.
        task: Option<TaskId>,
    },
    /// It is listened to from now on, or asked for again.
    Subscribe {
        filter: String,
    },
    /// Nothing of it is listened to any more.
    Unsubscribe {
        filter: String,
    },
    /// Ask the broker whether it lives.
    Ask,
    /// Tell the service manager that the start-up is over.
    Ready,
    /// A start or stop was decided; its command is an output of its own.
    Decided(Decision),
    Log {
        level: Level,
        text: String,
    },
}

/// How loud a line of the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Debug,
    Info,
    Warn,
}

/// What is to be done, in order, until somebody takes it.
#[derive(Debug, Default)]
pub(super) struct Outputs(Vec<Output>);

impl Outputs {
    pub(super) fn push(&mut self, output: Output) {
        self.0.push(output);
    }

    pub(super) fn debug(&mut self, text: impl Into<String>) {
        self.log(Level::Debug, text.into());
    }

    pub(super) fn info(&mut self, text: impl Into<String>) {
        self.log(Level::Info, text.into());
    }

    pub(super) fn warn(&mut self, text: impl Into<String>) {
        self.log(Level::Warn, text.into());
    }

    fn log(&mut self, level: Level, text: String) {
        self.push(Output::Log { level, text });
    }

    /// What has to be done and was not taken yet.
    pub(super) fn as_slice(&self) -> &[Output] {
        &self.0
    }

    /// Takes all of it. The room stays for the next.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Output> {
        self.0.drain(..)
    }
}

/// Writes a line of the log.
pub(super) fn log(level: Level, text: &str) {
    match level {
        Level::Debug => tracing::debug!("{text}"),
        Level::Info => tracing::info!("{text}"),
        Level::Warn => tracing::warn!("{text}"),
    }
}
