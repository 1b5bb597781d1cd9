//! The units that cross module borders: watts, energy, shares, durations. No bare `f64` does.
//!
//! They don't know where a number came from: whether a value is plausible is decided where it is read.

pub mod duration;
mod energy;
mod plural;
mod power_unit;
mod quantity;
mod share;
mod surplus;
mod watts;

pub use energy::KilowattHours;
pub use plural::plural;
pub use power_unit::PowerUnit;
pub use quantity::Quantity;
pub use share::Share;
pub use surplus::covered_by_surplus;
pub use watts::Watts;
