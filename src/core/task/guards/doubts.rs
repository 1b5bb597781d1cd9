//! How far others may count on what a task says of itself.
//!
//! The rules believe every task: one that is told to stop is expected to free what it uses. A relay that sticks, a wrong
//! `power`, or a plug that somebody hacked would have everybody else wait, or run on power that isn't there. What was seen
//! to be wrong again and again isn't counted on any more; the task's own ratio is judged as before.

use std::time::Duration;

use crate::core::time::Instant;
use crate::units::Watts;

/// So many stops may be without effect.
const MOST_UNHEEDED: u8 = 5;

/// So many starts may be forgiven because the task said something new of itself.
const MOST_FORGIVEN: u8 = 10;

/// So many runs that the meter has to show, at most, before a task is believed again.
const MOST_MISSES: u8 = 3;

/// Half of its `power` has to be seen within so much run time.
const LONGEST_BELOW: Duration = Duration::from_secs(3600);

/// What speaks against a task. Nothing of it is forgotten with a registration: whoever misleads could announce itself anew.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Doubts {
    /// When the stop was sent that it doesn't follow yet.
    stop_sent: Option<Instant>,
    /// It stopped because it was told to.
    stopped: bool,
    /// A start was sent, and no stop since.
    start_sent: bool,
    /// Stops that it did not follow, or undid by itself, less those that it kept to.
    unheeded: u8,
    /// Starts that it did not follow and that were forgiven, less those that it followed.
    forgiven: u8,
    /// Runs that the meter did not show, less those that it did.
    misses: u8,
    /// How long it has run without using half its `power`.
    below_for: Duration,
    /// What it used at most meanwhile.
    most: Watts,
}

impl Doubts {
    /// Nothing speaks against it.
    pub(crate) fn is_empty(&self) -> bool {
        Self { stop_sent: None, start_sent: false, stopped: false, ..self.clone() } == Self::default()
    }

    // Stops.

    /// A stop is on its way.
    pub(crate) fn expect_stop(&mut self, now: Instant) {
        self.stop_sent.get_or_insert(now);
        self.start_sent = false;
    }

    /// At the begin of a cycle: a stop that was sent `patience` before it and not followed is unheeded.
    pub(crate) fn count_stop(&mut self, running: bool, patience: Duration, now: Instant) {
        if running && self.stop_sent.take_if(|sent| now.since(*sent) >= patience).is_some() {
            self.count_unheeded();
        }
    }

    fn count_unheeded(&mut self) {
        self.unheeded = (self.unheeded + 1).min(MOST_UNHEEDED);
    }

    /// What was sent before may not have reached it.
    pub(crate) fn await_anew(&mut self, now: Instant) {
        self.stop_sent = self.stop_sent.map(|_| now);
    }

    /// It started or stopped.
    pub(crate) fn switch(&mut self, running: bool) {
        if !running {
            self.stopped = self.stop_sent.take().is_some();
        } else if std::mem::take(&mut self.start_sent) {
            // One that is followed makes up for one that was not.
            self.forgiven = self.forgiven.saturating_sub(1);
            self.unheeded = self.unheeded.saturating_sub(u8::from(std::mem::take(&mut self.stopped)));
        } else if std::mem::take(&mut self.stopped) {
            self.count_unheeded();
        }
    }

    /// Its stops have no effect.
    pub(crate) fn is_deaf(&self) -> bool {
        self.unheeded >= MOST_UNHEEDED
    }

    // Starts.

    /// A start is on its way.
    pub(crate) fn expect_start(&mut self) {
        self.start_sent = true;
    }

    /// A start that it did not follow is to be forgiven, because it said something new of itself. Returns whether it may be.
    pub(crate) fn forgive_start(&mut self) -> bool {
        let may = self.forgiven < MOST_FORGIVEN;
        self.forgiven += u8::from(may);
        may
    }

    // Power.

    /// It says that it began to use power, and the meter showed it or didn't.
    pub(crate) fn judge_claim(&mut self, shown: bool) {
        self.misses = if shown { self.misses.saturating_sub(1) } else { (self.misses + 1).min(MOST_MISSES) };
    }

    /// The meter shows nothing of what it says that it uses.
    pub(crate) fn is_claim_doubted(&self) -> bool {
        self.misses > 0
    }

    /// It ran for so long and used so much at most.
    pub(crate) fn watch(&mut self, usage: Watts, power: Watts, ran: Duration) {
        if usage >= power * 0.5 {
            (self.below_for, self.most) = (Duration::ZERO, Watts::ZERO);
        } else {
            self.below_for = self.below_for.saturating_add(ran);
            self.most = self.most.max(usage);
        }
    }

    /// What it used at most in an hour of running, if that was less than half its `power`.
    pub(crate) fn most_below_power(&self) -> Option<Watts> {
        (self.below_for >= LONGEST_BELOW).then_some(self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    fn at(seconds: u64) -> Instant {
        Instant::START + Duration::from_secs(seconds)
    }

    #[test]
    fn the_fifth_stop_without_effect_is_the_last_that_anybody_waits_for() {
        let mut doubts = Doubts::default();
        for cycle in 0..5 {
            assert!(!doubts.is_deaf());
            doubts.expect_stop(at(60 * cycle));
            // A cycle that a user asks for comes too soon.
            doubts.count_stop(true, PATIENCE, at(60 * cycle + 1));
            doubts.count_stop(true, PATIENCE, at(60 * cycle + 60));
        }
        assert!(doubts.is_deaf());
        // It stops, and starts by itself: that says nothing for it.
        doubts.switch(false);
        doubts.switch(true);
        assert!(doubts.is_deaf());
        doubts.switch(false);
        doubts.expect_start();
        doubts.switch(true);
        assert!(doubts.is_deaf(), "it was not told to stop");
        doubts.expect_stop(at(0));
        doubts.switch(false);
        doubts.expect_start();
        doubts.switch(true);
        assert!(!doubts.is_deaf());
    }

    #[test]
    fn a_stop_that_is_undone_had_no_effect() {
        let mut doubts = Doubts::default();
        for undone in 1..=5 {
            doubts.expect_stop(at(0));
            doubts.switch(false);
            doubts.switch(true);
            assert_eq!(doubts.is_deaf(), undone == 5);
        }
        // Whoever switches it off himself may switch it on again.
        let mut by_hand = Doubts::default();
        by_hand.switch(false);
        by_hand.switch(true);
        assert!(by_hand.is_empty());
    }

    #[test]
    fn who_was_wrong_often_has_to_be_right_often() {
        let mut doubts = Doubts::default();
        for _ in 0..9 {
            doubts.judge_claim(false);
        }
        for _ in 0..2 {
            doubts.judge_claim(true);
            assert!(doubts.is_claim_doubted());
        }
        doubts.judge_claim(true);
        assert!(!doubts.is_claim_doubted());
    }

    #[test]
    fn half_the_power_has_to_show_within_an_hour() {
        let (mut doubts, minute) = (Doubts::default(), Duration::from_secs(60));
        let mut ran = |minutes: u32, usage: f64| {
            (0..minutes).for_each(|_| doubts.watch(Watts(usage), Watts(2000.0), minute));
            doubts.most_below_power()
        };
        assert_eq!(ran(59, 100.0), None);
        assert_eq!(ran(1, 50.0), Some(Watts(100.0)));
        assert_eq!(ran(1, 1000.0), None);
        assert_eq!(ran(59, 0.0), None);
    }
}
