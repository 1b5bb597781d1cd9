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
//! - [`devices`]: what configured topics mean: sensors, derived keys, off-the-shelf devices.
//! - [`config`]: the settings: defaults, file, environment.
//! - [`mqtt`]: the connection, the topics, the payloads, and the embedded broker.
//! - [`report`]: what Sunward tells.
//! - [`bridge`]: the event loop between broker and scheduler, the only reader of the clock.
//! - [`client`]: for programs that are tasks, or ask the scheduler.
//! - [`cli`]: the commands.

pub mod bridge;
pub mod cli;
pub mod client;
pub mod config;
pub mod devices;
mod jinja;
pub mod mqtt;
pub mod replay;
pub mod report;
pub mod scheduler;
pub mod units;
