//! Starts that a task does not follow: after some of them it is blocked for a while, longer each time. A charger without
//! a car must not hold up the boiler.

use std::time::Duration;

use crate::core::time::Instant;

/// Starts that may stay unanswered before the task has to wait.
const LIMIT: u32 = 3;

/// The first wait after unanswered starts; it doubles up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_secs(600);
const LONGEST_WAIT: Duration = Duration::from_secs(7200);

/// Starts that were sent and not followed.
#[derive(Debug, Default)]
pub(crate) struct StartBackOff {
    /// The first start that was sent since the last was counted, and is not yet answered.
    awaited: Option<Instant>,
    /// Starts that it did not follow.
    unanswered: u32,
    /// Until then it is not elected.
    blocked_until: Option<Instant>,
}

impl StartBackOff {
    /// Starts that it did not follow.
    pub(crate) fn unanswered(&self) -> u32 {
        self.unanswered
    }

    /// Until when unanswered starts keep it from being elected, or last kept it.
    pub(crate) fn blocked_until(&self) -> Option<Instant> {
        self.blocked_until
    }

    /// Unanswered starts still keep it from being elected.
    pub(crate) fn is_blocked(&self, now: Instant) -> bool {
        self.blocked_until.is_some_and(|until| now < until)
    }

    /// A start is on its way.
    pub(crate) fn expect(&mut self, now: Instant) {
        self.awaited.get_or_insert(now);
    }

    /// A start that was sent before may have arrived late, or never: its answer is waited for from now on.
    pub(crate) fn await_anew(&mut self, now: Instant) {
        self.awaited = self.awaited.map(|_| now);
    }

    /// A start was sent lately and not yet answered.
    pub(crate) fn awaited(&self) -> bool {
        self.awaited.is_some()
    }

    /// Starts that were sent and are not followed yet; those of one `patience` are one.
    pub(crate) fn sent(&self) -> u32 {
        self.unanswered + u32::from(self.awaited())
    }

    /// At the begin of a cycle: a start that was sent `patience` before it and not followed is unanswered. Cycles that a
    /// user asks for come too soon for that.
    pub(crate) fn count(&mut self, running: bool, patience: Duration, now: Instant) {
        if self.awaited.take_if(|sent| running || now.since(*sent) >= patience).is_none() || running {
            return;
        }
        self.unanswered += 1;
        if let Some(doublings) = self.unanswered.checked_sub(LIMIT) {
            let wait = FIRST_WAIT.saturating_mul(1 << doublings.min(8)).min(LONGEST_WAIT);
            self.blocked_until = Some(now + wait);
        }
    }
}
