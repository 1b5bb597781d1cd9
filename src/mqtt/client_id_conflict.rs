//! Notices that another program uses our client id: two schedulers on one broker, each throwing the other out.
//!
//! MQTT 5 has a reason code for it, which Mosquitto 2.0 doesn't send; over 3.1.1 there is none. What is left to see is a
//! broker that hangs up on one young connection after another. The first time is not reported: a restart that overlaps
//! with its predecessor is no conflict.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// So many disconnects within `WITHIN` are a conflict.
const OFTEN: usize = 3;
const WITHIN: Duration = Duration::from_secs(600);

/// Reported again at most this often while it lasts.
const AGAIN: Duration = Duration::from_secs(300);

/// The disconnects that look like a conflict.
#[derive(Debug, Default)]
pub(super) struct ClientIdConflicts {
    times: VecDeque<Instant>,
    reported: Option<Instant>,
}

impl ClientIdConflicts {
    /// A connection closed before this is a suspect.
    pub(super) const SHORT: Duration = Duration::from_secs(60);

    /// Counts one more. Returns how many there were within ten minutes, when it is time to report them.
    pub(super) fn note(&mut self, now: Instant) -> Option<usize> {
        self.times.push_back(now);
        while self.times.front().is_some_and(|first| now.duration_since(*first) > WITHIN) {
            self.times.pop_front();
        }
        let due = self.reported.is_none_or(|reported| now.duration_since(reported) >= AGAIN);
        (self.times.len() >= OFTEN && due).then(|| {
            self.reported = Some(now);
            self.times.len()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_within_ten_minutes_are_reported_once_in_five() {
        let (mut conflicts, start) = (ClientIdConflicts::default(), Instant::now());
        let reported: Vec<_> = (0..8).map(|n| conflicts.note(start + n * Duration::from_secs(60))).collect();
        assert_eq!(reported, [None, None, Some(3), None, None, None, None, Some(8)]);
    }

    #[test]
    fn rare_ones_are_not_reported() {
        let (mut conflicts, start) = (ClientIdConflicts::default(), Instant::now());
        assert!((0..9).all(|n| conflicts.note(start + n * Duration::from_secs(301)).is_none()));
    }
}
