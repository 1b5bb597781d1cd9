//! From when to when the demo runs, in which time zone, and how fast.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

/// A day of the demo begins at this local hour, when the sun rises in June.
const FIRST_HOUR: i8 = 5;

/// The simulated time span of one demo.
#[derive(Debug, Clone)]
pub(super) struct Times {
    pub(super) begin: Timestamp,
    pub(super) end: Timestamp,
    pub(super) zone: TimeZone,
    /// Simulated seconds in a real one.
    pub(super) speed: f64,
}

impl Times {
    /// So many days from this date on.
    ///
    /// # Errors
    /// When the calendar doesn't reach that far.
    pub(super) fn new(date: Date, days: u16, zone: TimeZone, speed: f64) -> Result<Self, jiff::Error> {
        let morning =
            |date: Date| date.at(FIRST_HOUR, 0, 0, 0).to_zoned_datetime(zone.clone()).map(|time| time.timestamp());
        let begin = morning(date)?;
        let end = morning(date.checked_add(i32::from(days).days())?)?;
        Ok(Self { begin, end, zone, speed })
    }

    /// Returns when the day of the demo began that a time belongs to.
    pub(super) fn day_of(&self, time: Timestamp) -> Timestamp {
        let days = time.duration_since(self.begin).as_hours().div_euclid(24);
        self.begin + SignedDuration::from_hours(24 * days)
    }

    /// Returns a time as `strftime` formats it in the zone of the home.
    pub(super) fn local(&self, time: Timestamp, format: &str) -> String {
        time.to_zoned_datetime(self.zone.clone()).strftime(format).to_string()
    }
}
