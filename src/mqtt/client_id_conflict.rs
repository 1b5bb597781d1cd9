//! Notices that somebody else uses our client id: two schedulers on one broker, each throwing the other out.
//!
//! MQTT 5 has a word for it, which Mosquitto 2.0 doesn't say; over 3.1.1 there is none. What is left to see is a broker
//! that hangs up on one young connection after another. Refuses to cry at the first time: a restart that overlaps with its predecessor is no quarrel.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// So many times within `WITHIN` are a quarrel.
const OFTEN: usize = 3;
const WITHIN: Duration = Duration::from_secs(600);

/// Told again at most this often while it lasts.
const AGAIN: Duration = Duration::from_secs(300);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Takeovers {
    times: VecDeque<Instant>,
    told: Option<Instant>,
}

impl Takeovers {
    /// A connection closed before this is a suspect.
    pub(super) const SHORT: Duration = Duration::from_secs(60);

    /// One more; answers how many there were lately when it is time to tell.
    pub(super) fn note(&mut self, now: Instant) -> Option<usize> {
        self.times.push_back(now);
        while self.times.front().is_some_and(|first| now.duration_since(*first) > WITHIN) {
            self.times.pop_front();
        }
        let due = self.told.is_none_or(|told| now.duration_since(told) >= AGAIN);
        (self.times.len() >= OFTEN && due).then(|| {
            self.told = Some(now);
            self.times.len()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_within_ten_minutes_are_told_once_in_five() {
        let (mut takeovers, start) = (Takeovers::default(), Instant::now());
        let told: Vec<_> = (0..8).map(|n| takeovers.note(start + n * Duration::from_secs(60))).collect();
        assert_eq!(told, [None, None, Some(3), None, None, None, None, Some(8)]);
    }

    #[test]
    fn rare_ones_are_not_told() {
        let (mut takeovers, start) = (Takeovers::default(), Instant::now());
        assert!((0..9).all(|n| takeovers.note(start + n * Duration::from_secs(301)).is_none()));
    }
}
