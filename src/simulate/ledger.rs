//! What flows, and what was made, bought, sold and used since the beginning.
//!
//! The sun pays for the base load first and then for the tasks, the most important first: a kilowatt-hour that a task takes
//! counts as the sun's only where it would have been exported without it.

use std::time::Duration;

use super::appliance::Appliance;
use crate::units::{KilowattHours, Share, Watts, covered_by_surplus};

/// What flows: means over a time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Flows {
    /// From the panels.
    pub solar: Watts,
    /// Into what isn't scheduled.
    pub base: Watts,
    /// Into the appliances, in the order of [`Appliance::ALL`].
    pub appliances: [Watts; Appliance::ALL.len()],
}

impl Flows {
    /// Returns the power of all appliances together.
    #[must_use]
    pub fn tasks(&self) -> Watts {
        self.appliances.iter().copied().sum()
    }

    /// Returns the power at the meter: positive while importing.
    #[must_use]
    pub fn net(&self) -> Watts {
        self.base + self.tasks() - self.solar
    }
}

/// The energy that flowed since the beginning.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HomeLedger {
    /// Made by the sun.
    pub produced: KilowattHours,
    /// Used by the base load.
    pub base: KilowattHours,
    /// Bought.
    pub imported: KilowattHours,
    /// Sold.
    pub exported: KilowattHours,
    /// What each appliance used, in the order of [`Appliance::ALL`].
    pub uses: [ApplianceUse; Appliance::ALL.len()],
}

/// What one appliance used.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ApplianceUse {
    /// All of it.
    pub energy: KilowattHours,
    /// The part that the sun covered.
    pub from_sun: KilowattHours,
    /// How long it ran.
    pub on: Duration,
}

impl HomeLedger {
    /// Returns the share of the production that was used at home; `None` before there was any.
    #[must_use]
    pub fn self_consumption(&self) -> Option<Share> {
        (self.produced > KilowattHours::ZERO).then(|| (self.produced - self.exported) / self.produced)
    }

    /// Returns the share of the use that the sun covered; `None` before there was any.
    #[must_use]
    pub fn self_sufficiency(&self) -> Option<Share> {
        let used = self.used();
        (used > KilowattHours::ZERO).then(|| (used - self.imported) / used)
    }

    /// Returns the energy that everything used.
    #[must_use]
    pub fn used(&self) -> KilowattHours {
        self.base + self.uses.iter().map(|used| used.energy).sum()
    }

    /// Adds what flowed for a time, and which appliances ran.
    pub(super) fn add(&mut self, flows: &Flows, running: [bool; Appliance::ALL.len()], time: Duration) {
        self.produced += flows.solar * time;
        self.base += flows.base * time;
        self.imported += flows.net().max(Watts::ZERO) * time;
        self.exported += flows.net().export() * time;
        let most_important = Appliance::BY_IMPORTANCE.map(Appliance::index);
        let covered =
            covered_by_surplus((flows.base - flows.solar).export(), most_important.map(|at| flows.appliances[at]));
        for (at, covered) in most_important.into_iter().zip(covered) {
            let used = &mut self.uses[at];
            used.energy += flows.appliances[at] * time;
            used.from_sun += covered * time;
            used.on += if running[at] { time } else { Duration::ZERO };
        }
    }
}
