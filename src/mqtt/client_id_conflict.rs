//! Notices that another program uses our client id: two schedulers on one broker, each throwing the other out.
//!
//! MQTT 5 has a reason code for it, which Mosquitto 2.0 doesn't send; over 3.1.1 there is none. What is left to see is a
//! broker that closes one young connection after another, between two packets. A proxy with a short timeout and a broker
//! that restarts look the same, so nothing is said on that alone. It is tried: one connection goes under a name that
//! nobody else has, the next one under ours again. If the one outlives those that were closed and the other is closed as
//! soon as they were, the client id is what the broker closes them for.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// So many closed connections within `WITHIN` are a suspicion, or, where the broker gives the reason, a conflict. A restart
/// that overlaps with its predecessor is none.
const OFTEN: usize = 3;
const WITHIN: Duration = Duration::from_secs(600);

/// A connection that was closed after this long is no suspect.
const SHORT: Duration = Duration::from_secs(60);

/// Tried and reported at most this often while it lasts.
const AGAIN: Duration = Duration::from_secs(300);

/// How much longer than half as long again as the longest of those that were closed a connection has to last.
const LONGER: Duration = Duration::from_secs(3);

/// What is known of connections that were closed.
#[derive(Debug, Default)]
pub(super) struct ClientIdConflicts {
    told: Times,
    suspected: Times,
    /// How long the longest of the suspected ones lasted.
    longest: Duration,
    tried: Option<Instant>,
    /// A trial has lasted: if the next connection is closed soon, it and these so many others prove a conflict.
    outlived: Option<usize>,
    reported: Option<Instant>,
}

impl ClientIdConflicts {
    /// The broker said that another program has our client id. Returns how often within ten minutes, when it is time to
    /// report it.
    pub(super) fn told(&mut self, now: Instant) -> Option<usize> {
        self.told.note(now);
        let times = self.told.count();
        if times < OFTEN { None } else { self.due(times, now) }
    }

    /// The broker closed a connection that it had accepted, without a word and between two packets. Returns how often it
    /// did, when that proves a conflict.
    pub(super) fn closed(&mut self, held: Duration, now: Instant) -> Option<usize> {
        let outlived = self.outlived.take();
        if held >= SHORT {
            return None;
        }
        if let Some(times) = outlived {
            return self.due(times + 1, now);
        }
        self.suspected.note(now);
        if self.suspected.count() == 1 {
            self.longest = Duration::ZERO;
        }
        self.longest = self.longest.max(held);
        None
    }

    /// Whether the next connection has to go under another name, and for how long.
    pub(super) fn trial(&mut self, now: Instant) -> Option<Duration> {
        let due = self.tried.is_none_or(|tried| now.duration_since(tried) >= AGAIN);
        (due && self.suspected.count() >= OFTEN).then(|| {
            self.tried = Some(now);
            self.longest * 3 / 2 + LONGER
        })
    }

    /// A trial has ended: by itself, or it broke off too.
    pub(super) fn tried(&mut self, outlived: bool) {
        let times = self.suspected.count();
        self.suspected = Times::default();
        self.outlived = outlived.then_some(times);
    }

    /// A connection, or an attempt at one, ended otherwise: the broker was not there, or the way to it is bad. What was
    /// suspected had that cause.
    pub(super) fn ended_otherwise(&mut self) {
        self.outlived = None;
        self.suspected = Times::default();
    }

    fn due(&mut self, times: usize, now: Instant) -> Option<usize> {
        let due = self.reported.is_none_or(|reported| now.duration_since(reported) >= AGAIN);
        due.then(|| {
            self.reported = Some(now);
            times
        })
    }
}

/// When something happened within the last ten minutes.
#[derive(Debug, Default)]
struct Times(VecDeque<Instant>);

impl Times {
    fn note(&mut self, now: Instant) {
        self.0.push_back(now);
        while self.0.front().is_some_and(|first| now.duration_since(*first) > WITHIN) {
            self.0.pop_front();
        }
    }

    fn count(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_the_broker_says_is_reported_after_three_within_ten_minutes_and_once_in_five() {
        let (mut conflicts, start) = (ClientIdConflicts::default(), Instant::now());
        let reported: Vec<_> = (0..8).map(|n| conflicts.told(start + n * 60 * SECOND)).collect();
        assert_eq!(reported, [None, None, Some(3), None, None, None, None, Some(8)]);
        let mut rare = ClientIdConflicts::default();
        assert!((0..9).all(|n| rare.told(start + n * 301 * SECOND).is_none()));
    }

    fn close(conflicts: &mut ClientIdConflicts, seconds: [u32; 3], at: Instant) {
        assert!(seconds.into_iter().all(|held| conflicts.closed(held * SECOND, at).is_none()));
    }

    #[test]
    fn a_connection_under_another_name_that_lasts_and_one_under_ours_that_does_not_are_the_proof() {
        let (mut conflicts, start) = (ClientIdConflicts::default(), Instant::now());
        assert_eq!(conflicts.trial(start), None);
        close(&mut conflicts, [2, 4, 3], start);
        assert_eq!(conflicts.trial(start), Some(9 * SECOND));
        conflicts.tried(true);
        assert_eq!(conflicts.trial(start), None);
        assert_eq!(conflicts.closed(26 * SECOND, start), Some(4));
        assert_eq!(conflicts.closed(SECOND, start), None, "told once");
    }

    #[test]
    fn a_trial_that_fares_no_better_clears_the_client_id_and_is_not_repeated_soon() {
        let (mut conflicts, start) = (ClientIdConflicts::default(), Instant::now());
        close(&mut conflicts, [1, 1, 1], start);
        assert!(conflicts.trial(start).is_some());
        conflicts.tried(false);
        assert_eq!(conflicts.trial(start + AGAIN), None, "nothing has happened since");
        close(&mut conflicts, [1, 1, 1], start + SECOND);
        assert_eq!(conflicts.trial(start + SECOND), None);
        assert!(conflicts.trial(start + AGAIN).is_some());
    }

    #[test]
    fn a_broker_that_has_stopped_to_restart_is_no_conflict_though_the_trial_lasts() {
        let ends: [fn(&mut ClientIdConflicts, Instant); 2] = [
            |conflicts, now| assert_eq!(conflicts.closed(SHORT, now), None),
            |conflicts, _| conflicts.ended_otherwise(),
        ];
        for end in ends {
            let (mut conflicts, start) = (ClientIdConflicts::default(), Instant::now());
            close(&mut conflicts, [2, 4, 3], start);
            assert_eq!(conflicts.trial(start), Some(9 * SECOND));
            conflicts.tried(true);
            end(&mut conflicts, start);
            assert_eq!(conflicts.closed(SECOND, start), None);
        }
    }

    #[test]
    fn a_broker_that_is_not_there_in_between_is_restarting() {
        let (mut conflicts, start) = (ClientIdConflicts::default(), Instant::now());
        for _ in 0..9 {
            assert_eq!(conflicts.closed(SECOND, start), None);
            conflicts.ended_otherwise();
            assert_eq!(conflicts.trial(start), None);
        }
    }

    #[test]
    fn connections_that_lasted_and_rare_ones_are_no_suspects() {
        let (mut conflicts, start) = (ClientIdConflicts::default(), Instant::now());
        (0..9).for_each(|n| assert_eq!(conflicts.closed(SHORT, start + n * SECOND), None));
        (0..9).for_each(|n| assert_eq!(conflicts.closed(SECOND, start + n * 301 * SECOND), None));
        assert_eq!(conflicts.trial(start + 3_000 * SECOND), None);
    }
}
