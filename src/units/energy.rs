//! Electrical energy, and how it comes from power and time.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, Sub, SubAssign};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::share::Share;
use super::watts::Watts;

/// Watt-seconds in a kilowatt-hour.
const WATT_SECONDS: f64 = 3_600_000.0;

/// Electrical energy.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KilowattHours(pub f64);

impl KilowattHours {
    /// No energy.
    pub const ZERO: Self = Self(0.0);

    /// Returns the smaller of the two.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }

    /// Returns the power that gives this energy in this time; 0 if the time is 0.
    #[must_use]
    pub fn over(self, time: Duration) -> Watts {
        if time.is_zero() { Watts::ZERO } else { Watts(self.0 * WATT_SECONDS / time.as_secs_f64()) }
    }
}

/// As bills have it: `12.3 kWh`.
impl fmt::Display for KilowattHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} kWh", (self.0 * 10.0).round() / 10.0 + 0.0)
    }
}

impl Add for KilowattHours {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for KilowattHours {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl AddAssign for KilowattHours {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl SubAssign for KilowattHours {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

impl Mul<f64> for KilowattHours {
    type Output = Self;
    fn mul(self, factor: f64) -> Self {
        Self(self.0 * factor)
    }
}

impl Div<Self> for KilowattHours {
    type Output = Share;
    fn div(self, whole: Self) -> Share {
        Share(self.0 / whole.0)
    }
}

impl Sum for KilowattHours {
    fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
        items.fold(Self::ZERO, Add::add)
    }
}

/// Power over a time is energy.
impl Mul<Duration> for Watts {
    type Output = KilowattHours;
    fn mul(self, time: Duration) -> KilowattHours {
        KilowattHours(self.0 * time.as_secs_f64() / WATT_SECONDS)
    }
}
