//! The clocks, and waiting for them: the only place that reads one, so that a sped-up day needs no more than another
//! [`Clock`].

use std::time::Duration;

use jiff::Timestamp;

use super::pace::Pace;
use crate::core::{Instant, Now};

/// Where the steady clock begins: late enough for a reading to have been measured before the start.
const BEGIN: Duration = Duration::from_secs(30 * 86_400);

/// A moment of the wall clock is looked at again at least this often, in case somebody sets that clock.
const LOOK: Duration = Duration::from_secs(20);

/// The clocks that the service runs by: those of this computer, or simulated ones that run faster.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    started: tokio::time::Instant,
    simulated: Option<Simulated>,
}

#[derive(Debug, Clone, Copy)]
struct Simulated {
    begin: Timestamp,
    /// Simulated seconds in one of this computer.
    speed: f64,
}

/// Real time.
impl Default for Clock {
    fn default() -> Self {
        Self { started: tokio::time::Instant::now(), simulated: None }
    }
}

impl Clock {
    /// It is `begin` now, and time runs `speed` times faster: cycles, guards, ages and reports all speak of that time.
    /// Only what has to do with the network, as the start-up and time limits of a connection, remains as it is.
    ///
    /// A speed that isn't a number above 0 is 1.
    #[must_use]
    pub fn simulated(begin: Timestamp, speed: f64) -> Self {
        let speed = if speed.is_finite() && speed > 0.0 { speed } else { 1.0 };
        Self { simulated: Some(Simulated { begin, speed }), ..Self::default() }
    }

    /// The time on both clocks.
    #[must_use]
    pub fn now(self) -> Now {
        let passed = self.started.elapsed();
        match self.simulated {
            None => Now { at: Instant::START + BEGIN + passed, wall: Timestamp::now() },
            Some(Simulated { begin, speed }) => Now { at: Instant::START + BEGIN, wall: begin } + passed.mul_f64(speed),
        }
    }

    /// How fast it runs beside the network, whose time limits stay as they are.
    pub(super) fn pace(self) -> Pace {
        self.simulated.map_or(Pace::REAL, |simulated| Pace::times(simulated.speed))
    }

    /// Waits for a moment of the wall clock.
    pub async fn reach(self, moment: Timestamp) {
        loop {
            let left = Duration::try_from(moment.duration_since(self.now().wall)).unwrap_or(Duration::ZERO);
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(self.real(left).min(LOOK)).await;
        }
    }

    /// Waits for a moment of the steady clock; without one, for ever.
    pub(crate) async fn until(self, moment: Option<Instant>) {
        match moment {
            Some(moment) => tokio::time::sleep(self.real(moment.since(self.now().at))).await,
            None => std::future::pending().await,
        }
    }

    /// Waits for a while, but never for so long that a wall clock which somebody sets goes unnoticed.
    pub(super) async fn wait_for_some_of(self, time: Duration) {
        tokio::time::sleep(self.real(time).min(LOOK)).await;
    }

    /// How long that takes on this computer.
    fn real(self, time: Duration) -> Duration {
        self.simulated.map_or(time, |simulated| time.div_f64(simulated.speed))
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_simulated_day_goes_by_faster_on_both_clocks() {
        let begin: Timestamp = "2026-06-21T05:00:00Z".parse().unwrap();
        let clock = Clock::simulated(begin, 288.0);
        let (before, started) = (clock.now(), tokio::time::Instant::now());
        clock.reach(begin + SignedDuration::from_hours(24)).await;
        let after = clock.now();
        // The timer of the runtime counts in milliseconds.
        let near = |value: Duration, expect: u64| {
            assert!(value.abs_diff(Duration::from_secs(expect)) < Duration::from_secs(1), "{value:?}");
        };
        near(started.elapsed(), 300);
        near(after.at.since(before.at), 86_400);
        near(Duration::try_from(after.wall.duration_since(before.wall)).unwrap(), 86_400);
        assert_eq!(clock.pace().network(Duration::from_secs(1)), Duration::from_secs(288));
    }
}
