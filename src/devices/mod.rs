//! What configured topics mean: a topic and a payload become values and events. PURE.
//!
//! Knows neither the connection nor the clock, and refuses to decide anything about appliances.

mod derived;
mod device;
pub mod filter;
mod message;
mod reading;
mod sensor;
mod sensors;
mod state;
mod task;
#[cfg(test)]
mod task_tests;
mod tasks;
pub mod template;

pub use device::ToDevice;
pub use sensor::{Outcome, Reading};
pub use sensors::{Output, Sensors};
#[cfg(test)]
pub(crate) use task::FIELDS as TASK_FIELDS;
pub(crate) use task::MIN_TIME;
pub use task::Task;
pub use tasks::{Heard, Tasks};
