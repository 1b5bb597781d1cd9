//! `<base>/scheduler/state`: how the scheduler is.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::last_error::LastError;
use super::lenient;
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
    #[serde(deserialize_with = "lenient::or_default")]
    pub version: String,
    /// The length of a cycle, a humantime string on the wire.
    #[serde(serialize_with = "duration::serialize", deserialize_with = "lenient_duration")]
    pub cycle: Duration,
    /// How many tasks are registered.
    #[serde(deserialize_with = "lenient::or_default")]
    pub tasks: usize,
    /// How many messages were refused since the start.
    #[serde(deserialize_with = "lenient::or_default")]
    pub rejected: u64,
    /// The last of them.
    #[serde(deserialize_with = "lenient::or_default")]
    pub last_error: Option<LastError>,
    /// What to look at first: missing data, a warning, or a message refused within the last hour.
    #[serde(deserialize_with = "lenient::or_default")]
    pub problem: Option<String>,
    /// Standing problems in plain words.
    #[serde(deserialize_with = "lenient::or_default")]
    pub warnings: Vec<String>,
}

fn lenient_duration<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    #[derive(Default, Deserialize)]
    #[serde(transparent)]
    struct Written(#[serde(with = "duration")] Duration);
    lenient::or_default(from).map(|Written(duration)| duration)
}
