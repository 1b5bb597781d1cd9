//! What configured topics mean: a topic and a payload become values and events. PURE.
//!
//! Knows neither the connection nor the clock, and refuses to decide anything about appliances.

mod derived;
mod device;
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

pub use sensor::{Outcome, Reading, SensorSettings};
pub use sensors::Sensors;
#[cfg(test)]
pub(crate) use task::FIELDS as TASK_FIELDS;
pub(crate) use task::MIN_TIME;
pub use task::{Task, ToDevice};
pub use tasks::Tasks;

use crate::core::Event;

/// What came of what a sensor or a device said: an event, or why it could not be read.
pub type Heard = Result<Event, String>;
