//! Configured sensors, `[[power.sensor]]`, and keys that are derived from others, `[power.derived]`.

mod all;
mod derived;
mod derived_key;
#[cfg(test)]
mod derived_tests;
mod key;
mod reading;
mod sensor;
mod settings;
#[cfg(test)]
mod tests;

pub use all::Sensors;
pub use reading::{Outcome, SensorReading};
pub use settings::SensorSettings;
