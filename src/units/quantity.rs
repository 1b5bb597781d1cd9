//! What a key counts.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::watts::Watts;

/// One number of one key, in the key's own unit: watts for a power, percent for a state of charge.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Quantity(pub f64);

impl Quantity {
    /// Returns it as a power. Only for keys that count one: `net`, and the keys of tasks.
    #[must_use]
    pub fn watts(self) -> Watts {
        Watts(self.0)
    }
}

impl From<Watts> for Quantity {
    fn from(power: Watts) -> Self {
        Self(power.0)
    }
}

/// The number alone.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
