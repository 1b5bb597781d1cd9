//! What configured topics mean: messages of sensors and devices become values and events, commands become messages. PURE.
//!
//! ```text
//! [[power.sensor]], [power.derived] ─▶ Sensors ─┐
//!                                               ├─▶ events for the scheduler
//! [[task]] ──────────────────────────▶ Devices ─┤
//!                                               └─▶ messages to devices
//! ```
//!
//! Nothing here knows the connection or the clock, or decides anything about appliances.

mod received;
mod sensors;
mod switches;
pub mod template;

pub use received::Received;
pub use sensors::{Outcome, SensorReading, SensorSettings, Sensors};
#[cfg(test)]
pub(crate) use switches::FIELDS as TASK_FIELDS;
pub(crate) use switches::MIN_TIME;
pub use switches::{DeviceTask, Devices, ToDevice};
