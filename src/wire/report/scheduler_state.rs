//! `<base>/scheduler/state`: how the scheduler is.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::last_error::LastError;
use super::parsed::Parsed;
use crate::core::Activity;
use crate::units::duration;

/// `<base>/scheduler/state`, as `docs/mqtt.md` has it. The default is what a message without any field says.
// The fields stand in the order of the wire.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SchedulerState {
    /// `active`, `paused` or `no_data`.
    pub state: Parsed<Activity>,
    /// Whether a user paused it. Sunward always writes it; `None`: it was absent.
    pub paused: Option<bool>,
    /// Since when `state` is what it is.
    pub since: Parsed<Timestamp>,
    /// The version of the program.
    pub version: String,
    /// The length of a cycle, a humantime string on the wire.
    #[serde(with = "duration")]
    pub cycle: Duration,
    /// How many tasks are registered.
    pub tasks: usize,
    /// How many messages were refused since the start.
    pub rejected: u64,
    /// The last of them.
    pub last_error: Option<LastError>,
    /// What to look at first: missing data, a warning, or a message refused within the last hour.
    pub problem: Option<String>,
    /// Standing problems in plain words.
    pub warnings: Vec<String>,
}
