//! What all appliances of the simulated home have in common.
//!
//! Has no topics or priorities: how an appliance is offered to a scheduler is up to the caller. It must give the appliances
//! the same order of importance as [`Appliance::BY_IMPORTANCE`], by which the ledger divides the sun.

use std::time::Duration;

use crate::units::{KilowattHours, Watts};

/// The appliances of the home.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Appliance {
    /// A water tank with a heating rod.
    Boiler,
    /// A car that is away at times.
    Ev,
    /// The circulation pump of a pool.
    Pool,
    /// A dishwasher.
    Dishwasher,
    /// A washing machine.
    Washer,
}

impl Appliance {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Boiler, Self::Ev, Self::Pool, Self::Dishwasher, Self::Washer];

    /// All of them, the most important first: in this order the ledger divides the sun.
    pub const BY_IMPORTANCE: [Self; 5] = [Self::Boiler, Self::Ev, Self::Washer, Self::Dishwasher, Self::Pool];

    /// Returns its name, which is also its key in power records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Boiler => "boiler",
            Self::Ev => "ev",
            Self::Pool => "pool",
            Self::Dishwasher => "dishwasher",
            Self::Washer => "washer",
        }
    }

    /// Returns its place in [`Appliance::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// The condition of an appliance.
#[derive(Debug, Clone, PartialEq)]
pub struct ApplianceStatus {
    /// It runs.
    pub running: bool,
    /// It could run.
    pub runnable: bool,
    /// It could be stopped.
    pub stoppable: bool,
    /// In a few words: `58 °C`.
    pub note: String,
    /// A measured value with its name, for criteria: `("soc", 55.0)`.
    pub measured: Option<(&'static str, f64)>,
}

/// The physics behind a plug.
pub(super) trait Physics {
    /// Returns its status.
    fn status(&self) -> ApplianceStatus;

    /// Switches it, if it can be switched.
    fn switch(&mut self, on: bool);

    /// Sets the power that it may use, if it can adjust itself.
    fn limit(&mut self, _most: Watts) {}

    /// Simulates this time. Returns the energy that it used.
    fn advance(&mut self, time: Duration) -> KilowattHours;
}
