//! How long to wait before the next attempt to connect.
//!
//! It doesn't sleep, reads no clock and throws no dice: the duration of the last connection and a random number are
//! arguments, so that every pause can be tested.

use std::time::Duration;

/// The shortest and the longest pause after a disconnect, before jitter.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// The same after a refused login: it rarely heals by itself, and brokers lock out who tries too often.
const PAUSES_REFUSED: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(120));

/// A connection that held this long was a good one: the next pause is a short one again.
const STABLE: Duration = Duration::from_secs(30);

/// Counts what failed in a row.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
    refusals: u32,
}

impl Backoff {
    /// The pause after a connection that held for `held` (zero if it never came to be).
    ///
    /// `random` within `[0, 1)` spreads the pauses, so that a broker that comes back isn't met by everybody at once.
    pub(super) fn after_disconnect(&mut self, held: Duration, random: f64) -> Duration {
        if held >= STABLE {
            self.failures = 0;
        }
        self.refusals = 0;
        let pause = doubled(PAUSES, self.failures, random);
        self.failures = self.failures.saturating_add(1);
        pause
    }

    /// The pause after the broker refused to let us in.
    pub(super) fn after_refusal(&mut self, random: f64) -> Duration {
        let pause = doubled(PAUSES_REFUSED, self.refusals, random);
        self.refusals = self.refusals.saturating_add(1);
        pause
    }
}

/// `shortest` doubled `times` times, at most `longest`, of which the upper half is random.
fn doubled((shortest, longest): (Duration, Duration), times: u32, random: f64) -> Duration {
    let ceiling = shortest.saturating_mul(1 << times.min(16)).min(longest);
    let floor = (ceiling / 2).max(shortest.min(PAUSES.0));
    floor + (ceiling - floor).mul_f64(random.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_from_half_a_second_to_half_a_minute() {
        let mut backoff = Backoff::default();
        let pauses: Vec<u128> = (0..9).map(|_| backoff.after_disconnect(Duration::ZERO, 1.0).as_millis()).collect();
        assert_eq!(pauses, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    }

    #[test]
    fn jitter_never_leaves_the_limits() {
        let mut backoff = Backoff::default();
        for _ in 0..100 {
            for random in [0.0, 0.5, 0.999] {
                let pause = backoff.after_disconnect(Duration::ZERO, random);
                assert!((PAUSES.0..=PAUSES.1).contains(&pause), "{pause:?}");
            }
        }
    }

    #[test]
    fn a_stable_connection_makes_the_next_pause_short_and_a_flapping_one_does_not() {
        let mut backoff = Backoff::default();
        for _ in 0..6 {
            backoff.after_disconnect(Duration::from_secs(29), 1.0);
        }
        assert_eq!(backoff.after_disconnect(Duration::from_secs(29), 1.0), PAUSES.1);
        assert_eq!(backoff.after_disconnect(STABLE, 1.0), PAUSES.0);
    }

    #[test]
    fn a_refused_login_waits_longer() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.after_refusal(1.0), Duration::from_secs(30));
        assert_eq!(backoff.after_refusal(1.0), Duration::from_secs(60));
        assert_eq!(backoff.after_refusal(1.0), Duration::from_secs(120));
        assert_eq!(backoff.after_refusal(1.0), Duration::from_secs(120));
    }
}
