//! Since when a task runs, or doesn't: what `min_on` and `min_off` count from.
//!
//! A restart of Sunward never shortens a guard: what changed while nobody watched counts from when it was seen.

use std::time::Duration;

use crate::core::snapshot::Guards;
use crate::core::time::{Instant, Now};

/// When a task was switched, as far as this run has seen it or an earlier one knew.
#[derive(Debug, Default)]
pub(crate) struct SwitchHistory {
    /// When it was last seen to start or stop.
    switched: Option<Now>,
    /// When it had started or stopped in an earlier run, as long as this run has seen no switch.
    before: Option<Now>,
    /// When its first state came.
    first_seen: Option<Now>,
    /// What an earlier run knew, until the first state comes.
    recalled: Option<Guards>,
}

impl SwitchHistory {
    /// Its first state came.
    pub(crate) fn begin(&mut self, running: bool, now: Now) {
        self.first_seen = Some(now);
        self.compare(running, now);
    }

    /// It was seen to start or stop.
    pub(crate) fn switch(&mut self, now: Now) {
        self.switched = Some(now);
    }

    /// Takes over what an earlier run knew. `running`: whether it runs, if that is known by now.
    pub(crate) fn recall(&mut self, guards: Guards, running: Option<bool>, now: Now) {
        self.recalled = Some(guards);
        if let Some(running) = running {
            self.compare(running, now);
        }
    }

    fn compare(&mut self, running: bool, now: Now) {
        let Some(recalled) = self.recalled.take() else { return };
        self.before = if recalled.running == Some(running) {
            recalled.since.map(|since| Now { at: now.at - now.age(Some(since)), wall: since.min(now.wall) })
        } else {
            // It switched meanwhile, or nobody knows whether it did: not before now, as far as a guard goes.
            self.first_seen
        };
    }

    /// When it last started or stopped, as far as anybody knows.
    pub(crate) fn since(&self) -> Option<Now> {
        self.switched.or(self.before)
    }

    /// Since when this run of Sunward has seen it as it is.
    pub(crate) fn seen_since(&self) -> Instant {
        self.switched.or(self.first_seen).map_or(Instant::START, |since| since.at)
    }

    /// When this run saw it start or stop: older values of its keys speak of the past.
    pub(crate) fn seen_switch(&self) -> Option<Instant> {
        self.switched.map(|switched| switched.at)
    }

    /// For how long it has been as it is.
    pub(crate) fn lasting(&self, now: Instant) -> Duration {
        now.since(self.since().map_or_else(|| self.seen_since(), |since| since.at))
    }

    /// How long `min_off` still keeps a stopped task from running. A task that was never seen to stop has been off for
    /// longer than anybody knows.
    pub(crate) fn min_off_left(&self, min_off: Duration, now: Instant) -> Option<Duration> {
        let left = min_off.saturating_sub(now.since(self.since()?.at));
        (!left.is_zero()).then_some(left)
    }
}
