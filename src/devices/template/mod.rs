//! Home Assistant's templates for MQTT messages: `{{ value_json.power | float }}`.
//!
//! A template yields text or nothing. It yields nothing for a message without the field, for `null`, and for a word such as
//! `unavailable`: that is neither an error nor zero, and the last value stays.

mod compiled;
mod message;
mod rendered;
#[cfg(test)]
mod tests;

pub use compiled::{Template, TemplateError};
pub use message::DeviceMessage;
pub use rendered::{Absent, Rendered, TemplateFailure, number};
