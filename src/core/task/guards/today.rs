//! What a task did since local midnight.
//!
//! Refuses to know who switched it.

use std::time::Duration;

use crate::core::Instant;
use crate::core::task::task::Task;
use crate::core::time::Day;

/// Run time and starts since local midnight.
#[derive(Debug, Default)]
pub(crate) struct Today {
    pub(crate) day: Day,
    /// Up to the last switch.
    pub(crate) on: Duration,
    pub(crate) starts: u32,
}

impl Task {
    /// It is about to be seen to start or stop: what it ran is booked.
    pub(crate) fn book_today(&mut self, starts: bool, now: Instant, today: Day) {
        let starts = self.starts_today(today) + u32::from(starts);
        self.today = Today { day: today, on: self.on_today(now, today), starts };
    }

    /// Run time since local midnight.
    pub(crate) fn on_today(&self, now: Instant, today: Day) -> Duration {
        let before = if self.today.day.date == today.date { self.today.on } else { Duration::ZERO };
        before + self.seen_on_for(now).min(now.since(today.midnight))
    }

    /// Starts since local midnight, whoever commanded them.
    pub(crate) fn starts_today(&self, today: Day) -> u32 {
        if self.today.day.date == today.date { self.today.starts } else { 0 }
    }
}
