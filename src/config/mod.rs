//! The settings of the program: read once, checked once, and everything that is made of them.
//!
//! ```text
//! file, environment ──▶ merge ──▶ Config ──▶ Setup
//!                                what is written, with defaults │ what it means
//! ```

mod broker;
mod checks;
mod criteria;
mod estimate;
mod findings;
mod load;
mod merge;
mod mqtt;
mod origins;
mod problem;
mod scheduler;
mod settings;
mod setup;
mod strict;
mod tasks;
mod users;
mod variables;

#[cfg(test)]
mod example_tests;
#[cfg(test)]
mod setup_tests;

pub use crate::mqtt::Protocol;
pub use broker::BrokerSettings;
pub use criteria::CriteriaSettings;
pub use estimate::{Estimate, EstimateSettings};
pub use load::{Loaded, SEARCHED, load};
pub use mqtt::Mqtt;
pub(crate) use origins::settings_of;
pub use origins::{Origin, Origins};
pub use problem::{ConfigError, Place, Problem, is_secret};
pub use settings::{Config, HomeAssistantSettings, PowerSettings, ReplaySettings, SchedulerSettings};
pub use setup::Setup;
pub use users::{User, UserRole};
