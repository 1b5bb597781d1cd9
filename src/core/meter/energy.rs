//! What tasks consume: all of them in the latest record, and each of them since local midnight.
//!
//! Refuses to guess: while data is missing nothing is counted, and what a record calls standby is none.

use jiff::civil::Date;

use crate::core::{Now, Scheduler};
use crate::units::{KilowattHours, Share, Watts};

/// What all tasks together consumed according to a record.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Consumption {
    /// A circuit that several tasks own counts once.
    pub power: Watts,
    /// How much of it was not drawn from the grid; absent when there was none.
    pub covered: Option<Share>,
}

/// The energy that a task used on one day.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct EnergyOfDay {
    day: Date,
    energy: KilowattHours,
}

impl EnergyOfDay {
    /// Adds what was used on this day.
    pub(crate) fn add(&mut self, energy: KilowattHours, day: Date) {
        *self = Self { day, energy: self.on(day) + energy };
    }

    /// The energy of this day.
    pub(crate) fn on(self, day: Date) -> KilowattHours {
        if self.day == day { self.energy } else { KilowattHours::default() }
    }
}

impl Scheduler {
    /// Adds what tasks used since the record before to their energy of today. Several owners of a circuit share what
    /// flows there, those that ran if any did.
    pub(crate) fn account(&mut self, now: Now) -> Option<Consumption> {
        let span = self.accounted.replace(now.at).map(|before| now.at.since(before)).unwrap_or_default();
        let today = now.date(&self.settings.time_zone);
        let record = self.window.latest()?;
        let mut power = Watts::ZERO;
        for (key, owners) in self.owners.iter() {
            let value = record.value(key);
            if value == Watts::ZERO {
                continue;
            }
            power += value;
            let ran = |slot: &&usize| record.ran(**slot);
            let running = owners.iter().filter(ran).count();
            let (all, sharing) = if running == 0 { (true, owners.len()) } else { (false, running) };
            #[expect(clippy::cast_precision_loss, reason = "there are at most 4096 tasks")]
            let energy = value * (sharing as f64).recip() * span;
            for slot in owners.iter().filter(|slot| all || ran(slot)) {
                self.tasks[*slot].energy.add(energy, today);
            }
        }
        let imported = record.net.max(Watts::ZERO);
        let covered = (power > Watts::ZERO).then(|| (power - imported).max(Watts::ZERO) / power);
        Some(Consumption { power, covered })
    }
}
