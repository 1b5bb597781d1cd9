//! The clocks, and waiting for them. Nothing else in Sunward reads a clock.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::scheduler::{Instant, Now};

/// Where the steady clock begins: late enough for a reading to have been measured before the start.
const BEGIN: Duration = Duration::from_secs(30 * 86_400);

/// A boundary is looked at again at least this often, in case somebody sets the wall clock.
const LOOK: Duration = Duration::from_secs(20);

#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    started: tokio::time::Instant,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { started: tokio::time::Instant::now() }
    }

    pub(crate) fn now(self) -> Now {
        Now { at: Instant::START + BEGIN + self.started.elapsed(), wall: Timestamp::now() }
    }

    /// The next moment at which a cycle begins: multiples of its length on the wall clock.
    pub(super) fn next_boundary(self, cycle: Duration) -> Timestamp {
        boundary_after(Timestamp::now(), cycle)
    }

    /// Waits for a moment of the wall clock.
    pub(super) async fn reach(self, moment: Timestamp) {
        loop {
            let left = Duration::try_from(moment.duration_since(Timestamp::now())).unwrap_or(Duration::ZERO);
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.min(LOOK)).await;
        }
    }

    /// Waits for a moment of the steady clock; without one, for ever.
    pub(crate) async fn until(self, moment: Option<Instant>) {
        match moment {
            Some(moment) => tokio::time::sleep(moment.since(self.now().at)).await,
            None => std::future::pending().await,
        }
    }
}

fn boundary_after(now: Timestamp, cycle: Duration) -> Timestamp {
    let cycle = i128::try_from(cycle.as_millis()).unwrap_or(60_000).max(1);
    let passed = i128::from(now.as_millisecond());
    let next = (passed.div_euclid(cycle) + 1) * cycle;
    let left = i64::try_from(next - passed).unwrap_or(60_000);
    now.checked_add(SignedDuration::from_millis(left)).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cycles_begin_at_multiples_of_their_length() {
        let check = |now: i64, cycle: u64, expect: i64| {
            let next = boundary_after(Timestamp::from_millisecond(now).unwrap(), Duration::from_millis(cycle));
            assert_eq!(next.as_millisecond(), expect);
        };
        check(1_000, 60_000, 60_000);
        check(60_000, 60_000, 120_000);
        check(59_999, 60_000, 60_000);
        check(-1, 60_000, 0);
    }
}
