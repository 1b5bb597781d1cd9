//! The values that arrive within a cycle become one record (docs/rules.md, *Power records*).
//!
//! Knows nothing about tasks: what stands in for the silent plug of a task is decided where tasks are known.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::core::meter::key::KeyId;
use crate::core::time::Instant;
use crate::units::{Quantity, Watts};

/// A value that is believed lies within ±10 MW.
const LARGEST: f64 = 10e6;

/// Whether a value can be true.
pub(crate) fn is_plausible(value: Quantity) -> bool {
    value.0.is_finite() && value.0.abs() <= LARGEST
}

/// One key's values.
#[derive(Debug, Clone, Copy)]
struct Reading {
    /// Of this cycle.
    sum: f64,
    /// Of this cycle.
    count: u32,
    last: Quantity,
    measured: Instant,
    expiry: Expiry,
    /// It came by itself and not in a record.
    sensed: bool,
    /// Between the last two values.
    interval: Option<Duration>,
    /// Since when, and how often, the value has been exactly `last`.
    unchanged_since: Instant,
    unchanged: u32,
}

/// A meter whose value is exactly the same for so long, and so many times, doesn't measure any more.
const FROZEN_FOR: Duration = Duration::from_secs(900);
const FROZEN_VALUES: u32 = 10;

/// How long a value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// For so long after it was measured.
    After(Duration),
    /// Until the first of the values that it was made of expires.
    At(Instant),
    /// For ever.
    Never,
}

impl Expiry {
    /// The last moment at which a value counts; none if it always does.
    #[must_use]
    pub fn end(self, measured: Instant) -> Option<Instant> {
        match self {
            Self::After(time) => Some(measured + time),
            Self::At(end) => Some(end),
            Self::Never => None,
        }
    }
}

/// A value on its way in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measurement {
    pub(crate) value: Quantity,
    pub(crate) measured: Instant,
    pub(crate) expiry: Expiry,
    /// It came by itself and not in a record.
    pub(crate) sensed: bool,
}

/// A key's value in a record that is being made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Measured {
    pub(crate) value: Quantity,
    /// When its newest value was measured.
    pub(crate) at: Instant,
}

/// Collects the values of one source (the meter, or the fallback) by key.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    readings: Vec<Option<Reading>>,
    /// Keys of which [`Intake::slow`] says something.
    slow: BTreeSet<KeyId>,
}

impl Intake {
    /// Takes one value in.
    pub(crate) fn put(&mut self, key: KeyId, measurement: Measurement) {
        let Measurement { value, measured, expiry, sensed } = measurement;
        if self.readings.len() <= key.index() {
            self.readings.resize(key.index() + 1, None);
        }
        let reading = self.readings[key.index()].get_or_insert(Reading {
            sum: 0.0,
            count: 0,
            last: value,
            measured,
            expiry,
            sensed,
            interval: None,
            unchanged_since: measured,
            unchanged: 0,
        });
        reading.put(value, measured);
        (reading.expiry, reading.sensed) = (expiry, sensed);
        if reading.slow().is_some() {
            self.slow.insert(key);
        } else if !self.slow.is_empty() {
            self.slow.remove(&key);
        }
    }

    /// Whether the key has a value that is new in this cycle.
    pub(crate) fn is_fresh(&self, key: KeyId) -> bool {
        self.reading(key).is_some_and(|reading| reading.count > 0)
    }

    /// The mean of this cycle's values, or the last one until it expires.
    pub(crate) fn value(&self, key: KeyId, now: Instant) -> Option<Measured> {
        let reading = self.reading(key)?;
        if reading.count > 0 {
            return Some(Measured {
                value: Quantity(reading.sum * f64::from(reading.count).recip()),
                at: reading.measured,
            });
        }
        self.last(key, now)
    }

    /// The last value as it came, until it expires.
    pub(crate) fn last(&self, key: KeyId, now: Instant) -> Option<Measured> {
        let reading = self.reading(key)?;
        let counts = reading.expiry.end(reading.measured).is_none_or(|end| now <= end);
        counts.then_some(Measured { value: reading.last, at: reading.measured })
    }

    /// The sum of the last values of some keys, and when the newest of them was measured; none unless all of them were
    /// measured since a moment.
    pub(crate) fn sum_since(&self, keys: &[KeyId], since: Instant, now: Instant) -> Option<(Watts, Instant)> {
        keys.iter().try_fold((Watts::ZERO, since), |(sum, newest), key| {
            let measured = self.last(*key, now)?;
            (measured.at >= since).then_some((sum + measured.value.watts(), newest.max(measured.at)))
        })
    }

    /// Begins the next cycle: last values stay, means begin anew.
    pub(crate) fn end_cycle(&mut self) {
        for reading in self.readings.iter_mut().flatten() {
            reading.sum = 0.0;
            reading.count = 0;
        }
    }

    /// The time between the last two values.
    pub(crate) fn interval(&self, key: KeyId) -> Option<Duration> {
        self.reading(key)?.interval
    }

    /// Whether it ever had a value.
    pub(crate) fn has_heard(&self, key: KeyId) -> bool {
        self.reading(key).is_some()
    }

    /// Whether its values come by themselves, and not in records.
    pub(crate) fn is_sensed(&self, key: KeyId) -> bool {
        self.reading(key).is_some_and(|reading| reading.sensed)
    }

    /// The time between the last two values, and the one after which a value expires, if that is shorter.
    pub(crate) fn slow(&self, key: KeyId) -> Option<(Duration, Duration)> {
        self.reading(key)?.slow()
    }

    /// Every key of which [`Intake::slow`] says something, in ascending order.
    pub(crate) fn slow_keys(&self) -> impl Iterator<Item = KeyId> {
        debug_assert!(
            self.readings.iter().flatten().filter(|reading| reading.slow().is_some()).count() == self.slow.len()
        );
        self.slow.iter().copied()
    }

    /// The value that a dead sensor repeats, and for how long it has. Zero is believed: a home may neither take nor give.
    pub(crate) fn frozen(&self, key: KeyId, now: Instant) -> Option<(Watts, Duration)> {
        let reading = self.reading(key)?;
        let unchanged = now.since(reading.unchanged_since);
        let frozen = unchanged >= FROZEN_FOR && reading.unchanged >= FROZEN_VALUES && reading.last.0 != 0.0;
        frozen.then_some((reading.last.watts(), unchanged))
    }

    fn reading(&self, key: KeyId) -> Option<&Reading> {
        self.readings.get(key.index())?.as_ref()
    }
}

impl Reading {
    fn slow(&self) -> Option<(Duration, Duration)> {
        match (self.interval, self.expiry) {
            (Some(interval), Expiry::After(limit)) if interval > limit => Some((interval, limit)),
            // What is made of others is as slow as they are; what never expires may be.
            _ => None,
        }
    }

    fn put(&mut self, value: Quantity, measured: Instant) {
        if self.unchanged > 0 {
            self.interval = Some(measured.since(self.measured));
        }
        if value != self.last {
            (self.last, self.unchanged_since, self.unchanged) = (value, measured, 0);
        }
        self.unchanged = self.unchanged.saturating_add(1);
        self.sum += value.0;
        self.count = self.count.saturating_add(1);
        self.measured = self.measured.max(measured);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::meter::key::Keys;

    fn at(seconds: u64) -> Instant {
        Instant::START + Duration::from_secs(seconds)
    }

    fn sensed(value: Quantity, measured: Instant, expiry: Expiry) -> Measurement {
        Measurement { value, measured, expiry, sensed: true }
    }

    #[test]
    fn values_of_a_cycle_are_averaged_and_the_last_one_is_kept_until_it_expires() {
        let key = Keys::default().intern("net").unwrap();
        let mut intake = Intake::default();
        let expiry = Expiry::After(Duration::from_secs(300));
        intake.put(key, sensed(Quantity(-100.0), at(10), expiry));
        intake.put(key, sensed(Quantity(-300.0), at(20), expiry));
        assert_eq!(intake.value(key, at(60)), Some(Measured { value: Quantity(-200.0), at: at(20) }));
        intake.end_cycle();
        assert!(!intake.is_fresh(key));
        let check = |intake: &Intake, now: u64, counts: bool| {
            let last = Measured { value: Quantity(-300.0), at: at(20) };
            assert_eq!(intake.value(key, at(now)), counts.then_some(last), "{now}");
        };
        check(&intake, 320, true);
        check(&intake, 321, false);
        for (expiry, counts) in [(Expiry::At(at(30)), false), (Expiry::At(at(400)), true), (Expiry::Never, true)] {
            intake.put(key, sensed(Quantity(-300.0), at(20), expiry));
            intake.end_cycle();
            check(&intake, 400, counts);
            assert_eq!(intake.slow(key), None);
        }
        intake.put(key, sensed(Quantity(-300.0), at(321), Expiry::After(Duration::from_secs(300))));
        assert_eq!(intake.slow(key), Some((Duration::from_secs(301), Duration::from_secs(300))));
    }
}
