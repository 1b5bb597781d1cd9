//! `sunward run`: what reaches Sunward becomes an input, `service::Service` answers it with outputs, and one small loop
//! ([`run()`]) does what these say. A recorded run is played by the same code ([`play`]).
//!
//! ```text
//! connection, timers ── input ──▶ Service::step(input, now) ── outputs ──▶ connection, service manager, log
//!                         │             pure                     │
//!                         └──────────────▶ recorder ◀────────────┘
//! ```

mod clock;
mod comparison;
mod connection;
mod cycle_times;
mod devices;
mod discovery;
mod duplicate_instance;
mod earlier_run;
mod embedded_broker;
mod estimate;
mod hearing;
mod input;
mod output;
mod pace;
mod playback;
mod player;
mod publisher;
mod receive;
mod record_format;
mod recorded_file;
mod recorder;
mod rejections;
mod reload;
mod reports;
mod reports_due;
mod run;
mod scheduling;
mod sensors;
#[allow(clippy::module_inception, reason = "the type that everything else here is about")]
mod service;
mod set_up;
mod silence;
mod start_up;
mod task_commands;

#[cfg(test)]
mod hearing_tests;
#[cfg(test)]
mod service_tests;

pub use clock::Clock;
pub use playback::{Playback, PlayedDecision};
pub use player::{play, recorded_files};
pub use recorder::Recorder;
pub use run::run;
