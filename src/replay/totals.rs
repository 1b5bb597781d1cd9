//! The totals of a simulated time: energy, money, switches.

use std::time::Duration;

use crate::units::{Share, Watts, covered_by_surplus};

/// The energy of a home, in watt-hours.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Energy {
    /// What the panels gave.
    pub solar: f64,
    /// What the home used, its tasks included.
    pub used: f64,
    /// What came from the grid.
    pub import: f64,
    /// What went to the grid.
    pub export: f64,
}

impl Energy {
    /// Returns the production that was used at home, in watt-hours.
    #[must_use]
    pub fn self_consumed(&self) -> f64 {
        self.solar - self.export
    }

    /// Returns the share of the production that was used at home. `None`: there was none.
    #[must_use]
    pub fn self_consumption(&self) -> Option<Share> {
        (self.solar > 0.0).then(|| Share(self.self_consumed() / self.solar))
    }

    /// Returns the share of the use that the grid didn't have to deliver. `None`: nothing was used.
    #[must_use]
    pub fn self_sufficiency(&self) -> Option<Share> {
        (self.used > 0.0).then(|| Share(1.0 - self.import / self.used))
    }
}

/// The totals of one task.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TaskTotals {
    /// In watt-hours.
    pub energy: f64,
    /// What of it was covered by the sun, in watt-hours. The most important task comes first, after the rest of the home.
    pub covered: f64,
    /// How long it ran.
    pub on: Duration,
    /// How often it was started.
    pub starts: usize,
    /// Periods (usually days) in which something was to be done.
    pub needed: usize,
    /// Those of them at whose end it was not done.
    pub missed: usize,
    /// What is still to be done at the end, in watt-hours.
    pub left: f64,
}

impl TaskTotals {
    /// Returns the share of its energy that was covered by the sun. `None`: it used nothing.
    #[must_use]
    pub fn share_covered(&self) -> Option<Share> {
        (self.energy > 0.0).then(|| Share(self.covered / self.energy))
    }
}

/// What a step brought, as means over it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flow<'a> {
    pub(crate) solar: Watts,
    /// Grid power of the home without its tasks.
    pub(crate) base: Watts,
    /// By task, the most important first.
    pub(crate) drawn: &'a [Watts],
}

impl Flow<'_> {
    pub(crate) fn net(&self) -> Watts {
        self.base + self.drawn.iter().copied().sum()
    }
}

/// The totals of a simulated time.
#[derive(Debug, Clone, PartialEq)]
pub struct Totals {
    /// Of the home.
    pub energy: Energy,
    /// By task, the most important first.
    pub tasks: Vec<TaskTotals>,
    /// How long was counted.
    pub time: Duration,
}

impl Totals {
    pub(crate) fn new(tasks: usize) -> Self {
        Self { energy: Energy::default(), tasks: vec![TaskTotals::default(); tasks], time: Duration::ZERO }
    }

    pub(crate) fn step(&mut self, flow: &Flow<'_>, step: Duration) {
        let hours = step.as_secs_f64() / 3600.0;
        let net = flow.net();
        self.time += step;
        self.energy.solar += flow.solar.0 * hours;
        self.energy.used += (flow.solar + net).0 * hours;
        self.energy.import += net.0.max(0.0) * hours;
        self.energy.export += net.export().0 * hours;
        let covered = covered_by_surplus(flow.base.export(), flow.drawn.iter().copied());
        for ((task, drawn), covered) in self.tasks.iter_mut().zip(flow.drawn).zip(covered) {
            task.energy += drawn.0 * hours;
            task.covered += covered.0 * hours;
        }
    }

    /// Returns the sums over all tasks.
    #[must_use]
    pub fn together(&self) -> TaskTotals {
        self.tasks.iter().fold(TaskTotals::default(), |sum, task| TaskTotals {
            energy: sum.energy + task.energy,
            covered: sum.covered + task.covered,
            on: sum.on + task.on,
            starts: sum.starts + task.starts,
            needed: sum.needed + task.needed,
            missed: sum.missed + task.missed,
            left: sum.left + task.left,
        })
    }
}

/// What a kilowatt-hour costs. By default nothing is known.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Prices {
    /// The price from the grid.
    pub import: Option<f64>,
    /// The price that the grid pays.
    pub export: Option<f64>,
    /// Grams of CO₂ in a kilowatt-hour from the grid.
    pub co2: Option<f64>,
}

impl Prices {
    /// Returns what was paid less what was earned. `None`: there is no price.
    #[must_use]
    pub fn cost(&self, energy: &Energy) -> Option<f64> {
        let import = self.import.map(|price| price * energy.import / 1000.0);
        let export = self.export.map(|price| price * energy.export / 1000.0);
        (import.is_some() || export.is_some()).then(|| import.unwrap_or_default() - export.unwrap_or_default())
    }

    /// Returns the kilograms of CO₂ of what came from the grid. `None`: its CO₂ is not known.
    #[must_use]
    pub fn co2(&self, energy: &Energy) -> Option<f64> {
        self.co2.map(|grams| grams * energy.import / 1e6)
    }
}
