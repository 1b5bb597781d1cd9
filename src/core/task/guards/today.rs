//! What a task did since local midnight: run time, starts, energy.

use std::time::Duration;

use jiff::civil::Date;

use crate::core::time::{Day, Instant};
use crate::units::KilowattHours;

/// Run time and starts since local midnight, commanded or not.
#[derive(Debug, Default)]
pub(crate) struct Today {
    day: Day,
    /// Up to the last switch.
    on: Duration,
    starts: u32,
    energy_of: Date,
    energy: KilowattHours,
}

impl Today {
    /// It is about to be seen to start or stop: what it ran is booked.
    pub(crate) fn book(&mut self, starts: bool, seen_on_for: Duration, now: Instant, today: Day) {
        let starts = self.starts(today) + u32::from(starts);
        let on = self.on(seen_on_for, now, today);
        (self.day, self.on, self.starts) = (today, on, starts);
    }

    /// Takes over what an earlier run had counted of this day.
    pub(crate) fn restore(&mut self, on: Duration, starts: u32, energy: KilowattHours, today: Day) {
        let starts = starts + self.starts(today);
        (self.day, self.on, self.starts) = (today, on, starts);
        self.add_energy(energy, today.date);
    }

    /// Run time since local midnight. `seen_on_for`: how long it has been seen running without a break.
    pub(crate) fn on(&self, seen_on_for: Duration, now: Instant, today: Day) -> Duration {
        let before = if self.day.date == today.date { self.on } else { Duration::ZERO };
        before + seen_on_for.min(now.since(today.midnight))
    }

    /// Starts since local midnight.
    pub(crate) fn starts(&self, today: Day) -> u32 {
        if self.day.date == today.date { self.starts } else { 0 }
    }

    /// Adds what it used on this day.
    pub(crate) fn add_energy(&mut self, energy: KilowattHours, day: Date) {
        (self.energy_of, self.energy) = (day, self.energy(day) + energy);
    }

    /// What it used on this day.
    pub(crate) fn energy(&self, day: Date) -> KilowattHours {
        if self.energy_of == day { self.energy } else { KilowattHours::default() }
    }
}
