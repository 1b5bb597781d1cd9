//! What all appliances of the simulated home have in common.
//!
//! Refuses to name topics or priorities: how an appliance is offered to a scheduler is its user's business, as long as that
//! makes them as important as the ledger takes them to be.

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

    /// Whom the sun serves first.
    pub const BY_IMPORTANCE: [Self; 5] = [Self::Boiler, Self::Ev, Self::Washer, Self::Dishwasher, Self::Pool];

    /// Its name, also that of its circuit in power records.
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

    /// Its place in [`Appliance::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// How an appliance is.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// It runs.
    pub running: bool,
    /// It could run.
    pub runnable: bool,
    /// It could be stopped.
    pub stoppable: bool,
    /// In a few words: `58 °C`.
    pub note: String,
    /// A number that says how it is, with its name: what a criterion might ask for.
    pub fact: Option<(&'static str, f64)>,
}

/// The physics behind a plug.
pub(super) trait Physics {
    /// How it is.
    fn status(&self) -> Status;

    /// It is switched. Whatever can't be is left as it is.
    fn switch(&mut self, on: bool);

    /// It may use so much, if it can adjust itself at all.
    fn limit(&mut self, _most: Watts) {}

    /// Time goes by. Answers the electricity taken.
    fn live(&mut self, time: Duration) -> KilowattHours;
}
