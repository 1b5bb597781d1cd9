//! What was measured: keys, the values on their way into a record, records, the window, energy.

pub(crate) mod energy;
pub(crate) mod intake;
pub(crate) mod key;
pub(crate) mod power;
pub(crate) mod window;
