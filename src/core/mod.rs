//! The core: which tasks run on the sun. PURE: nothing here knows MQTT, tokio, files or the clock.
//!
//! [`Scheduler`] is the way in: events and the time go in, instructions come out. `meter` is what was measured, `task`
//! what is known of each task, `rules` what a cycle decides, `directives` what is decided beside them, `setpoint` how much
//! adjustable tasks may use.

mod activity;
mod claims;
mod cycle;
mod directives;
mod energy;
mod exclusive_keys;
mod home;
mod input;
mod meter;
mod output;
mod queries;
mod record_maker;
mod refusal;
mod registry;
mod rules;
mod scheduler;
mod setpoint;
mod settings;
mod snapshot;
mod task;
mod time;
mod view;
mod warnings;

pub use activity::Activity;
pub use cycle::{CycleReport, Skipped};
pub use energy::Consumption;
pub use input::{Event, Sensed, UserCommand};
pub use meter::intake::Expiry;
pub(crate) use meter::intake::is_plausible;
pub use meter::source::Source;
pub use output::{Action, Decision, Instruction, Rule};
pub use refusal::Refusal;
pub use scheduler::Scheduler;
pub use settings::Settings;
pub use snapshot::{Counted, Guards, Snapshot, TaskSnapshot};
pub use task::criterion::{Criteria, Criterion, CriterionError};
pub use task::guards::daily::{Daily, DailyView};
pub use task::guards::finished::Finished;
pub use task::guards::lease::SHORTEST_LEASE;
pub use task::id::{InvalidTaskId, TaskId};
pub use task::importance::by_importance;
pub use task::mode::Mode;
pub use task::priority::Priority;
pub use task::registration::{OnNoData, Registration};
pub use task::state::TaskState;
pub use task::task::Unreachable;
pub use task::verdict::Verdict;
pub use time::{Instant, Now};
pub use view::{Status, TaskView};

pub use crate::jinja::StateFields;
