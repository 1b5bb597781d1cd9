//! Time as the core sees it: an argument of every call, never read from a clock.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// A point on a steady clock: the time since an arbitrary start. Steps of the wall clock (a Raspberry Pi that learns the
/// time from the network after the start) don't touch it, so that no age and no deadline does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Instant(Duration);

impl Instant {
    /// The start of the clock.
    pub const START: Self = Self(Duration::ZERO);

    /// Time passed since `earlier`, 0 if that is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Instant {
    type Output = Self;
    fn add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(by))
    }
}

/// Never earlier than the start.
impl Sub<Duration> for Instant {
    type Output = Self;
    fn sub(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(by))
    }
}

/// The two clocks at one moment: `at` for ages and deadlines, `wall` for what people read and for `now` in criteria.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Now {
    /// The steady clock.
    pub at: Instant,
    /// The wall clock, UTC.
    pub wall: Timestamp,
}

/// The same moment later on both clocks.
impl Add<Duration> for Now {
    type Output = Self;
    fn add(self, by: Duration) -> Self {
        Self {
            at: self.at + by,
            wall: self
                .wall
                .saturating_add(jiff::SignedDuration::try_from(by).unwrap_or(jiff::SignedDuration::MAX))
                .unwrap_or(self.wall),
        }
    }
}

impl Now {
    /// A moment of the wall clock, on both clocks; what has passed already is now.
    pub(crate) fn until(self, wall: Timestamp) -> Self {
        Self { at: self.at + Duration::try_from(wall.duration_since(self.wall)).unwrap_or_default(), wall }
    }
}

/// A local day, and when it began on the steady clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Day {
    pub(crate) date: Date,
    pub(crate) midnight: Instant,
}

impl Now {
    /// The age of what says when it was measured; what doesn't is new.
    #[must_use]
    pub fn age(self, measured: Option<Timestamp>) -> Duration {
        let passed = measured.map(|measured| Duration::try_from(self.wall.duration_since(measured)));
        passed.and_then(Result::ok).unwrap_or_default()
    }

    /// The date at home.
    pub(crate) fn date(self, time_zone: &TimeZone) -> Date {
        time_zone.to_datetime(self.wall).date()
    }

    /// The day it is at home.
    pub(crate) fn day(self, time_zone: &TimeZone) -> Day {
        let local = self.wall.to_zoned_datetime(time_zone.clone());
        let passed = local.start_of_day().map(|midnight| local.timestamp().duration_since(midnight.timestamp()));
        let passed = passed.ok().and_then(|passed| Duration::try_from(passed).ok()).unwrap_or_default();
        Day { date: local.date(), midnight: self.at - passed }
    }
}

/// A duration as people read it: whole seconds, as humantime writes them.
pub(crate) struct WholeSeconds(pub(crate) Duration);

impl fmt::Display for WholeSeconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(Duration::from_secs(self.0.as_secs())).fmt(f)
    }
}

/// A time as people at home read it.
pub(crate) fn local(time: Timestamp, time_zone: &TimeZone) -> String {
    time.to_zoned_datetime(time_zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
}
