//! `[[power.sensor]]` as it was written.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::units::duration;

/// `[[power.sensor]]`: one value on a topic, with Home Assistant's names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SensorSettings {
    /// The key of its values in records; a template that uses `topic` where that has wildcards.
    pub key: String,
    /// The topic that it is published on. It may have wildcards.
    pub topic: String,
    /// The template that finds the value in a message. By default the payload is the number.
    #[serde(default)]
    pub value_template: Option<String>,
    /// `W` or `kW`. By default the values are watts, or no powers at all.
    #[serde(default)]
    pub unit_of_measurement: Option<String>,
    /// What each value is multiplied by, 1 by default; -1 swaps import and export.
    #[serde(default = "unscaled")]
    pub scale: f64,
    /// How long a value is valid, by default `power.expire_after`; 0: for ever.
    #[serde(default, with = "duration::option")]
    pub expire_after: Option<Duration>,
}

fn unscaled() -> f64 {
    1.0
}
