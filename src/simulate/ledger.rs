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
    /// Into what nobody schedules.
    pub base: Watts,
    /// Into the appliances, in the order of [`Appliance::ALL`].
    pub appliances: [Watts; Appliance::ALL.len()],
}

impl Flows {
    /// Into all appliances together.
    #[must_use]
    pub fn tasks(&self) -> Watts {
        self.appliances.iter().copied().sum()
    }

    /// At the meter: positive while importing.
    #[must_use]
    pub fn net(&self) -> Watts {
        self.base + self.tasks() - self.solar
    }
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ledger {
    /// Made by the sun.
    pub produced: KilowattHours,
    /// Used by the base load.
    pub base: KilowattHours,
    /// Bought.
    pub imported: KilowattHours,
    /// Sold.
    pub exported: KilowattHours,
    /// What each appliance came to, in the order of [`Appliance::ALL`].
    pub uses: [Use; Appliance::ALL.len()],
}

/// What one appliance came to.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Use {
    /// It used.
    pub energy: KilowattHours,
    /// Of this, the sun paid for.
    pub from_sun: KilowattHours,
    /// It ran.
    pub on: Duration,
}

impl Ledger {
    /// The share of the production that was used at home; none before there was any.
    #[must_use]
    pub fn self_consumption(&self) -> Option<Share> {
        (self.produced > KilowattHours::ZERO).then(|| (self.produced - self.exported) / self.produced)
    }

    /// The share of the use that the sun paid for; none before there was any.
    #[must_use]
    pub fn self_sufficiency(&self) -> Option<Share> {
        let used = self.used();
        (used > KilowattHours::ZERO).then(|| (used - self.imported) / used)
    }

    /// Used by everything.
    #[must_use]
    pub fn used(&self) -> KilowattHours {
        self.base + self.uses.iter().map(|used| used.energy).sum()
    }

    /// Takes in what flowed for a time, and which appliances ran.
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
