//! The contract with everything around Sunward, in both directions: bytes become typed values, or an error in plain words
//! that names the field and what was expected; what is published is a typed value that becomes bytes.
//!
//! Everything here is a pure function. Nothing guesses what somebody may have meant: an error suggests it instead. Whether a
//! record is too old or a measured value plausible is the core's to judge.
//!
//! | | from → to Sunward | where |
//! | --- | --- | --- |
//! | topics | both | [`topics`], `topic` for those of devices |
//! | a task's registration | → | [`registration()`], with its criteria, guards and command payloads |
//! | a task's state and availability | → | [`state()`], [`availability`] |
//! | power messages | → | [`power_message()`] |
//! | commands of users | → | [`command()`], [`mode`], [`priority`] |
//! | state, cycle and task reports | ← | [`report`] |

mod command;
mod command_payloads;
mod criteria;
mod fields;
mod guards;
mod json;
mod limits;
mod payload_error;
mod power_message;
mod registration;
pub mod report;
mod state;
pub(crate) mod topic;
pub mod topics;

pub use command::{SetCommand, availability, command, mode, priority};
pub use command_payloads::CommandPayloads;
pub(crate) use criteria::omitted_keep;
pub use criteria::{CriterionSource, criteria};
pub(crate) use fields::{Fields, found, key_problem};
pub use json::Table;
pub use limits::Limits;
pub use payload_error::PayloadError;
pub(crate) use power_message::without_endless_numbers;
pub use power_message::{PowerMessage, power_message};
pub(crate) use registration::{FIELDS as REGISTRATION_FIELDS, registration_of};
pub use registration::{RegistrationMessage, registration};
pub use state::state;
pub(crate) use state::without_nulls;

#[cfg(test)]
mod tests;
