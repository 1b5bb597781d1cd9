//! How much running adjustable tasks may use.

pub(crate) mod pool;
pub(crate) mod regulator;
