//! The units that cross module borders: watts, energy, shares, durations. No bare `f64` does.
//!
//! Refuses to know where a number came from: whether a value is plausible is decided where it is read.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub, SubAssign};
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub mod duration;

/// Electrical power in watts. On `net`, positive is import and negative is export.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Watts(pub f64);

impl Watts {
    /// No power.
    pub const ZERO: Self = Self(0.0);

    /// The larger of the two.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }

    /// The smaller of the two.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }

    /// Without its sign.
    #[must_use]
    pub fn abs(self) -> Self {
        Self(self.0.abs())
    }

    /// What a value of `net` leaves to be used: its export, 0 while it imports.
    #[must_use]
    pub fn export(self) -> Self {
        Self((-self.0).max(0.0))
    }
}

/// What the sun pays of what each consumer draws, the first one first: of a surplus, that the home would otherwise have
/// exported, it gets what those before it leave.
pub fn by_sun(surplus: Watts, drawn: impl IntoIterator<Item = Watts>) -> impl Iterator<Item = Watts> {
    let mut left = surplus.max(Watts::ZERO);
    drawn.into_iter().map(move |drawn| {
        let covered = drawn.max(Watts::ZERO).min(left);
        left -= covered;
        covered
    })
}

/// How many there are, as people read it: `1 task`, `2 tasks`.
#[must_use]
pub fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Whole watts, as people read them: `2350 W`.
impl fmt::Display for Watts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `+ 0.0` turns a rounded -0 into 0.
        write!(f, "{:.0} W", self.0.round() + 0.0)
    }
}

impl Add for Watts {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Watts {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl AddAssign for Watts {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl SubAssign for Watts {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

impl Neg for Watts {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl Mul<f64> for Watts {
    type Output = Self;
    fn mul(self, factor: f64) -> Self {
        Self(self.0 * factor)
    }
}

impl Div<Self> for Watts {
    type Output = Share;
    fn div(self, whole: Self) -> Share {
        Share(self.0 / whole.0)
    }
}

impl Sum for Watts {
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

/// A kilowatt-hour has so many.
const WATT_SECONDS: f64 = 3_600_000.0;

/// Electrical energy.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KilowattHours(pub f64);

impl KilowattHours {
    /// No energy.
    pub const ZERO: Self = Self(0.0);

    /// The smaller of the two.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }

    /// The power that brings it in this time; none in no time.
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

/// A ratio of two powers, or of two energies: 1 is all of it. May exceed 1, is never negative where a criterion sees it.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Share(pub f64);

impl Share {
    /// All of it.
    pub const FULL: Self = Self(1.0);

    /// The smaller of the two.
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

/// The unit that a meter speaks.
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
    /// So many watts are one of it.
    #[must_use]
    pub fn watts(self) -> f64 {
        match self {
            Self::Watts => 1.0,
            Self::Kilowatts => 1000.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Share, Watts, by_sun};

    #[test]
    fn shares_never_read_better_than_they_are() {
        assert_eq!(Share(0.9999).to_string(), "0.99");
        assert_eq!(Share(0.29).to_string(), "0.29");
        assert_eq!(Watts(-0.2).to_string(), "0 W");
    }

    #[test]
    fn the_sun_serves_one_after_the_other() {
        let check = |surplus: f64, drawn: [f64; 3], expect: [f64; 3]| {
            let covered: Vec<Watts> = by_sun(Watts(surplus), drawn.map(Watts)).collect();
            assert_eq!(covered, expect.map(Watts), "{surplus}");
        };
        check(-100.0, [500.0, 0.0, 300.0], [0.0, 0.0, 0.0]);
        check(600.0, [500.0, 0.0, 300.0], [500.0, 0.0, 100.0]);
        check(900.0, [500.0, -50.0, 300.0], [500.0, 0.0, 300.0]);
    }
}
