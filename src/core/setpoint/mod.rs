//! How much running adjustable tasks may use (docs/rules.md, *Set-points*).

pub(crate) mod division;
pub(crate) mod pool;
pub(crate) mod range;
pub(crate) mod regulator;
#[expect(clippy::module_inception, reason = "the type of the folder's name")]
pub(crate) mod setpoint;
