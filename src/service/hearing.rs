//! Whether what comes would be heard. A connection that is lost, and a broker that is frozen, are no silent meter: before data
//! counts as missing the broker is asked whether it lives, and its answer comes behind all that waited.

use std::time::Duration;

use super::pace::Pace;
use crate::core::Instant;

/// A broker that lives answers within this time. One that takes longer has kept back more than its answer.
const PROMPT: Duration = Duration::from_secs(2);

/// A connection that lives on for so long without an answer has a broker that doesn't know the question.
const NEVER: Duration = Duration::from_secs(150);

#[derive(Debug)]
pub(super) struct Hearing {
    pub(super) prompt: Duration,
    never: Duration,
    /// When the broker was asked, until it answers or the connection is lost.
    pub(super) asked: Option<Instant>,
    /// In this step it is certain that nothing came.
    pub(super) certain: bool,
    /// Connected, and not all subscriptions are answered.
    pub(super) subscribes: bool,
}

impl Hearing {
    pub(super) fn new(pace: Pace) -> Self {
        let (prompt, never) = (pace.network(PROMPT), pace.network(NEVER));
        Self { prompt, never, asked: None, certain: false, subscribes: false }
    }

    /// A step begins.
    pub(super) fn begin_step(&mut self) {
        self.certain = false;
    }

    /// When to go on without an answer.
    pub(super) fn next_wakeup(&self) -> Option<Instant> {
        self.asked.map(|asked| asked + self.never)
    }
}
