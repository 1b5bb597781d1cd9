//! Sunward runs the appliances of a home when the sun pays for them.
//!
//! ```text
//! broker ◀──▶ mqtt ◀──▶ bridge ◀──▶ scheduler      bytes │ events │ decisions
//!                         │
//!                         └──▶ report              what people are told
//! ```
//!
//! - [`units`]: watts, shares, durations.
//! - [`scheduler`]: the pure core. It knows neither MQTT nor tokio nor the clock.
//! - [`diagnosis`]: what somebody hears who listens to a broker, and what of it will hurt.
//! - [`devices`]: what configured topics mean: sensors, derived keys, off-the-shelf devices.
//! - [`config`]: the settings: defaults, file, environment.
//! - [`payload`]: bytes become typed values, or a refusal in plain words.
//! - [`mqtt`]: the connection, the topics, and the embedded broker.
//! - [`report`]: what Sunward tells.
//! - [`home_assistant`]: what Home Assistant is told, so that it finds everything by itself.
//! - [`bridge`]: the event loop between broker and scheduler, the only reader of the clock.
//! - [`client`]: for programs that are tasks, or ask the scheduler.
//! - [`simulate`]: a home that isn't there, for the demo.
//! - [`cli`]: the commands.

pub mod bridge;
pub mod cli;
pub mod client;
pub mod config;
pub mod devices;
pub mod diagnosis;
pub mod home_assistant;
mod jinja;
pub mod mqtt;
pub mod payload;
pub mod replay;
pub mod report;
pub mod scheduler;
pub mod simulate;
pub mod sun;
mod topic;
pub mod units;
