//! What Sunward publishes about itself and its tasks, as it stands on the wire (`docs/mqtt.md`, *What Sunward tells*).
//!
//! Every message is one type that is written and read: the service that publishes it, the next run that takes it over, the
//! client, `sunward status` and the demo share it. When a message is published is not decided here.
//!
//! | topic | type |
//! | --- | --- |
//! | `<base>/scheduler/state` | [`SchedulerState`] |
//! | `<base>/scheduler/cycle` | [`SchedulerCycle`] |
//! | `<base>/task/<id>/report` | [`TaskReport`] |
//! | `<base>/task/<id>/setpoint` | [`setpoint`] |
//!
//! Reading is lenient where an older or newer version may have written: unknown fields are ignored, absent ones have their
//! default, and an unknown word or time is kept as text ([`Parsed`]). So is a field of another type, except for what says whether the scheduler is paused.

mod last_error;
mod last_switches;
mod lenient;
mod number;
mod parsed;
mod payload;
mod scheduler_cycle;
mod scheduler_state;
mod seconds;
mod task_report;
mod time;
mod words;

pub use last_error::LastError;
pub use last_switches::{LastSwitch, LastSwitches};
pub use number::setpoint;
pub use parsed::{Parsed, Word};
pub use payload::payload;
pub use scheduler_cycle::{DecisionReport, SchedulerCycle};
pub use scheduler_state::SchedulerState;
pub use task_report::{DailyReport, HeldMode, TaskReport};
pub use time::time;

#[cfg(test)]
mod tests;
