//! What the numbers of a file are.

use jiff::Timestamp;

/// The largest power that a home can have, in watts.
pub(super) const LARGEST: f64 = 10e6;

/// What the numbers of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Unit {
    /// Mean power in watts.
    #[default]
    #[value(name = "W")]
    Watts,
    /// Mean power in kilowatts.
    #[value(name = "kW")]
    Kilowatts,
    /// Energy in watt-hours.
    #[value(name = "Wh")]
    WattHours,
    /// Energy in kilowatt-hours.
    #[value(name = "kWh")]
    KilowattHours,
}

impl Unit {
    /// Returns what a number is multiplied by to be watts or watt-hours.
    pub(super) fn factor(self) -> f64 {
        match self {
            Self::Watts | Self::WattHours => 1.0,
            Self::Kilowatts | Self::KilowattHours => 1000.0,
        }
    }

    pub(super) fn is_energy(self) -> bool {
        matches!(self, Self::WattHours | Self::KilowattHours)
    }
}

/// How to read a file: by default all of it, as mean powers in watts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Format {
    /// What its numbers are.
    pub unit: Unit,
    /// The numbers are readings of counters that only grow, except for `net`. By default each belongs to its row.
    pub counters: bool,
    /// Rows before this are skipped.
    pub from: Option<Timestamp>,
    /// Rows at this and later are skipped.
    pub to: Option<Timestamp>,
}
