//! The units in which meters give power.

use serde::{Deserialize, Serialize};

/// The unit of a meter's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum PowerUnit {
    /// Watts.
    #[default]
    #[serde(rename = "W")]
    Watts,
    /// Kilowatts.
    #[serde(rename = "kW")]
    Kilowatts,
}

impl PowerUnit {
    /// Returns how many watts one of this unit is.
    #[must_use]
    pub fn watts(self) -> f64 {
        match self {
            Self::Watts => 1.0,
            Self::Kilowatts => 1000.0,
        }
    }
}
