//! The daily run time: what is owed by a time of day, and what is allowed at most. The period runs from that time to
//! the next.
//!
//! A task that can't be heard counts as it was last seen.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use crate::core::time::{Instant, Now};

/// `daily` of a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Daily {
    /// How long it has to run in each period; 0: nothing is owed.
    pub on_for: Duration,
    /// Where one period ends and the next begins, local time.
    pub by: Time,
    /// How long it may run in each period; none: without a limit.
    pub max: Option<Duration>,
}

/// How a daily run time stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DailyView {
    /// The end of the period.
    pub by: Timestamp,
    /// Run time within the period.
    pub ran: Duration,
    /// `finished` has settled what was owed.
    pub settled: bool,
}

/// The run time of the current period.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DailyAccount {
    by: Time,
    begin: Timestamp,
    end: Timestamp,
    /// `begin` on the steady clock.
    begin_at: Instant,
    /// Run time in it up to the last switch.
    on: Duration,
    settled: bool,
}

impl DailyAccount {
    /// The period that a moment falls into. A time that the clock skips counts an hour later, and of one that it repeats
    /// the first counts.
    pub(crate) fn open(by: Time, now: Now, time_zone: &TimeZone) -> Option<Self> {
        let today = now.wall.to_zoned_datetime(time_zone.clone()).date();
        let at =
            |date: Date| date.to_datetime(by).to_zoned_datetime(time_zone.clone()).ok().map(|zoned| zoned.timestamp());
        let middle = at(today)?;
        let (begin, end) = if now.wall < middle {
            (at(today.yesterday().ok()?)?, middle)
        } else {
            (middle, at(today.tomorrow().ok()?)?)
        };
        let passed = Duration::try_from(now.wall.duration_since(begin)).unwrap_or_default();
        Some(Self { by, begin, end, begin_at: now.at - passed, on: Duration::ZERO, settled: false })
    }

    /// Takes over what an earlier run counted in the same period; `since`: run time that came after that.
    pub(crate) fn restore(&mut self, before: &DailyView, since: Duration) {
        if before.by == self.end {
            self.on = before.ran + since;
            self.settled = before.settled;
        }
    }

    /// It is finished: nothing is owed any more.
    pub(crate) fn settle(&mut self) {
        self.settled = true;
    }

    /// It is about to be seen to start or stop: what it ran is booked.
    pub(crate) fn book(&mut self, seen_on_for: Duration, now: Instant) {
        self.on = self.ran(seen_on_for, now);
    }

    /// Run time in the period. `seen_on_for`: how long it has been seen running without a break.
    pub(crate) fn ran(&self, seen_on_for: Duration, now: Instant) -> Duration {
        self.on + seen_on_for.min(now.since(self.begin_at))
    }

    /// What is still owed of `on_for`.
    pub(crate) fn owed(&self, on_for: Duration, ran: Duration) -> Duration {
        if self.settled { Duration::ZERO } else { on_for.saturating_sub(ran) }
    }

    /// Whether the time left is needed for what is owed. One cycle is kept in reserve.
    pub(crate) fn is_due(&self, owed: Duration, now: Now, cycle: Duration) -> bool {
        let left = Duration::try_from(self.end.duration_since(now.wall)).unwrap_or_default();
        !owed.is_zero() && left <= owed + cycle
    }

    /// Whether it is the period of this moment, up to this time of day.
    pub(crate) fn holds(&self, by: Time, wall: Timestamp) -> bool {
        self.by == by && self.begin <= wall && wall < self.end
    }

    /// The end of the period.
    pub(crate) fn end(&self) -> Timestamp {
        self.end
    }

    pub(crate) fn view(&self, ran: Duration) -> DailyView {
        DailyView { by: self.end, ran, settled: self.settled }
    }
}
