//! Since when a task runs, or doesn't, and whether that is long enough (SPEC section 10, `min_on` and `min_off`).
//!
//! Refuses to let a restart of Sunward shorten a guard: what changed while nobody watched counts from when it was seen.

use std::time::Duration;

use crate::core::snapshot::Guards;
use crate::core::task::task::Task;
use crate::core::{Instant, Now};

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Spell {
    /// When it was last seen to start or stop.
    switched: Option<Now>,
    /// The same by the word of an earlier run, as long as it was not seen since.
    before: Option<Now>,
    /// When its first state came.
    first_seen: Option<Now>,
    /// What an earlier run told, until the first state comes.
    told: Option<Guards>,
}

impl Spell {
    /// Its first state came.
    pub(crate) fn begin(&mut self, running: bool, now: Now) {
        self.first_seen = Some(now);
        self.compare(running, now);
    }

    pub(crate) fn switch(&mut self, now: Now) {
        self.switched = Some(now);
    }

    /// An earlier run told this; `running`: whether it runs, if that is known by now.
    pub(crate) fn recall(&mut self, told: Guards, running: Option<bool>, now: Now) {
        self.told = Some(told);
        if let Some(running) = running {
            self.compare(running, now);
        }
    }

    fn compare(&mut self, running: bool, now: Now) {
        let Some(told) = self.told.take() else { return };
        self.before = if told.running == Some(running) {
            told.since.map(|since| Now { at: now.at - now.age(Some(since)), wall: since.min(now.wall) })
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
}

impl Task {
    pub(crate) fn held_by_min_on(&self, now: Instant) -> bool {
        self.registration.as_ref().is_some_and(|registration| self.on_for(now) < registration.min_on)
    }

    /// How long `min_off` still keeps it from running.
    pub(crate) fn off_guard(&self, now: Instant) -> Option<Duration> {
        // A task that was never seen to stop has been off for longer than anybody knows.
        let stopped = self.spell.since().filter(|_| !self.running())?;
        let left = self.registration.as_ref()?.min_off.saturating_sub(now.since(stopped.at));
        (!left.is_zero()).then_some(left)
    }

    pub(crate) fn on_for(&self, now: Instant) -> Duration {
        if self.running() { self.been(now) } else { Duration::ZERO }
    }

    pub(crate) fn off_for(&self, now: Instant) -> Duration {
        if self.running() { Duration::ZERO } else { self.been(now) }
    }

    fn been(&self, now: Instant) -> Duration {
        now.since(self.spell.since().map_or_else(|| self.spell.seen_since(), |since| since.at))
    }

    /// Run time that this run of Sunward has seen since the last switch: what is counted of it.
    pub(crate) fn seen_on_for(&self, now: Instant) -> Duration {
        if self.running() { now.since(self.spell.seen_since()) } else { Duration::ZERO }
    }

    /// When it was seen to start or stop: older values of its keys speak of the past.
    pub(crate) fn switched(&self) -> Option<Instant> {
        self.spell.switched.map(|switched| switched.at)
    }
}
