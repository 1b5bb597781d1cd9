//! Shares and ratios.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A ratio of two powers, or of two energies: 1 is all of it. May exceed 1, is never negative where a criterion sees it.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Share(pub f64);

impl Share {
    /// All of it.
    pub const FULL: Self = Self(1.0);

    /// Returns the smaller of the two.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }
}

/// Two digits, rounded down so that `0.999` never reads as enough: `0.99`.
impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The tiny addition keeps 0.29 (in binary 0.28999…) from reading 0.28.
        write!(f, "{:.2}", (self.0 * 100.0 + 1e-9).floor() / 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Share;

    #[test]
    fn shares_never_read_better_than_they_are() {
        assert_eq!(Share(0.9999).to_string(), "0.99");
        assert_eq!(Share(0.29).to_string(), "0.29");
    }
}
