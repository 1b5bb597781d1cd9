//! When cycles begin: at multiples of their length on the wall clock.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// The first moment after `now` at which a cycle begins.
pub(super) fn next_cycle(now: Timestamp, length: Duration) -> Timestamp {
    let length = i128::try_from(length.as_millis()).unwrap_or(60_000).max(1);
    let passed = i128::from(now.as_millisecond());
    let next = (passed.div_euclid(length) + 1) * length;
    let left = i64::try_from(next - passed).unwrap_or(60_000);
    now.checked_add(SignedDuration::from_millis(left)).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cycles_begin_at_multiples_of_their_length() {
        let check = |now: i64, cycle: u64, expect: i64| {
            let next = next_cycle(Timestamp::from_millisecond(now).unwrap(), Duration::from_millis(cycle));
            assert_eq!(next.as_millisecond(), expect);
        };
        check(1_000, 60_000, 60_000);
        check(60_000, 60_000, 120_000);
        check(59_999, 60_000, 60_000);
        check(-1, 60_000, 0);
    }
}
