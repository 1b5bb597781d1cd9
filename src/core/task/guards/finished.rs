//! A full tank, a wash that is over: a running task that uses next to nothing for a while is finished.
//!
//! Only what was measured since its start counts, as it came. What isn't measured is not low.

use std::time::Duration;

use crate::core::time::{Instant, Now};
use crate::units::Watts;

/// `finished` of a registration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Finished {
    /// It uses less than this,
    pub below: Watts,
    /// for this long,
    pub lasting: Duration,
    /// and is not started again for this long.
    pub rest: Duration,
}

/// Since when a task has used next to nothing, and until when it rests.
#[derive(Debug, Default)]
pub(crate) struct Completion {
    low_since: Option<Instant>,
    rests_until: Option<Now>,
}

impl Completion {
    /// Something was measured, or time has passed. `measured`: what the running task uses and since when that is known.
    pub(crate) fn watch(&mut self, finished: Option<&Finished>, measured: Option<(Watts, Instant)>) {
        let low = measured.filter(|(usage, _)| finished.is_some_and(|finished| *usage < finished.below));
        self.low_since = low.map(|(_, at)| self.low_since.unwrap_or(at));
    }

    /// It started or stopped: what was measured before doesn't count.
    pub(crate) fn switch(&mut self) {
        self.low_since = None;
    }

    /// Whether it has used next to nothing for so long that it is finished.
    pub(crate) fn is_complete(&self, finished: &Finished, now: Instant) -> bool {
        self.low_since.is_some_and(|since| now.since(since) >= finished.lasting)
    }

    /// It rests until then.
    pub(crate) fn rest(&mut self, until: Option<Now>) {
        self.rests_until = until;
    }

    /// Until when it rests, if it does.
    pub(crate) fn rests_until(&self, now: Instant) -> Option<Now> {
        self.rests_until.filter(|until| now < until.at)
    }
}
