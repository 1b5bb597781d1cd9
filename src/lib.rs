//! Sunward runs the appliances of a home when the sun pays for them.
//!
//! ```text
//! broker ◀──▶ mqtt ◀──▶ service ◀──▶ core          bytes │ events │ decisions
//!                         │
//!                         └──▶ wire::report             what people are told
//! ```
//!
//! The core, which is pure:
//!
//! - [`units`]: watts, shares, durations.
//! - [`text`]: what of somebody else's text can be shown.
//! - [`core`]: the rules. They know neither MQTT nor tokio nor the clock.
//! - [`wire`]: the words of the contract become typed values, or a refusal that names the field.
//! - [`devices`]: what configured topics mean: sensors, derived keys, off-the-shelf devices.
//! - [`wire::report`], [`home_assistant`]: what Sunward tells, and how Home Assistant finds it.
//!
//! Around it:
//!
//! - [`config`]: the settings: defaults, file, environment.
//! - [`mqtt`]: the connection, the topics, and the embedded broker.
//! - [`service`]: the event loop between broker and scheduler, the only reader of the clock.
//! - [`client`]: for programs that are tasks, or ask the scheduler.
//! - [`cli`]: the commands.
//!
//! For those who want to see it:
//!
//! - [`diagnosis`]: what somebody hears who listens to a broker, and what of it will hurt.
//! - [`replay`]: a recorded time, lived again with the scheduler in charge.
//! - [`simulate`], [`sun`]: a home that isn't there, for the demo, and the sun above it.

pub mod cli;
pub mod client;
pub mod config;
pub mod core;
pub mod devices;
pub mod diagnosis;
pub mod home_assistant;
mod jinja;
pub mod mqtt;
pub mod replay;
pub mod service;
pub mod simulate;
pub mod sun;
pub mod text;
pub mod units;
pub mod wire;
