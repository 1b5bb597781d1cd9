//! The units that cross module borders: watts, energy, shares, durations. No bare `f64` does.
//!
//! Refuses to know where a number came from: whether a value is plausible is decided where it is read.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub, SubAssign};
use std::time::Duration;

use serde::{Deserialize, Serialize};

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

/// Durations as people write them, for `#[serde(with = "units::duration")]`: a humantime string (`"1h 30m"`) or a bare
/// number of seconds.
pub mod duration {
    use std::fmt;
    use std::time::Duration;

    use serde::de::{Error, Visitor};
    use serde::{Deserializer, Serializer};

    const EXPECTED: &str = "a duration such as \"90s\", \"5m\" or \"1h 30m\", or a number of seconds";

    /// The longest duration that is believed: ten years. Longer ones are typing errors and would overflow time stamps.
    const LONGEST: Duration = Duration::from_secs(10 * 366 * 86_400);

    /// Reads a humantime string or a number of seconds.
    ///
    /// # Errors
    /// Says what was expected when the value is neither, is negative, or is longer than ten years.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        from.deserialize_any(Seconds)
    }

    /// Writes the humantime form, the way it may be written in a configuration.
    ///
    /// # Errors
    /// Only those of the serializer.
    pub fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&humantime::format_duration(*value))
    }

    struct Seconds;

    impl Visitor<'_> for Seconds {
        type Value = Duration;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(EXPECTED)
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
            let text = text.trim();
            if let Ok(seconds) = text.parse::<f64>() {
                return self.visit_f64(seconds);
            }
            match humantime::parse_duration(text) {
                Ok(value) if value <= LONGEST => Ok(value),
                _ => Err(E::custom(format_args!("\"{text}\" is not {EXPECTED}"))),
            }
        }

        fn visit_f64<E: Error>(self, seconds: f64) -> Result<Duration, E> {
            match Duration::try_from_secs_f64(seconds) {
                Ok(value) if value <= LONGEST => Ok(value),
                _ => Err(E::custom(format_args!("{seconds} is not {EXPECTED}"))),
            }
        }

        fn visit_i64<E: Error>(self, seconds: i64) -> Result<Duration, E> {
            #[expect(clippy::cast_precision_loss, reason = "checked against ten years next")]
            self.visit_f64(seconds as f64)
        }

        fn visit_u64<E: Error>(self, seconds: u64) -> Result<Duration, E> {
            #[expect(clippy::cast_precision_loss, reason = "checked against ten years next")]
            self.visit_f64(seconds as f64)
        }
    }

    /// The same for `Option<Duration>`.
    pub mod option {
        use std::time::Duration;

        use serde::{Deserialize, Deserializer, Serializer};

        #[derive(Deserialize)]
        struct Present(#[serde(with = "super")] Duration);

        /// Reads a duration, or nothing from `null`.
        ///
        /// # Errors
        /// As [`super::deserialize`].
        pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
            Ok(Option::<Present>::deserialize(from)?.map(|present| present.0))
        }

        /// Writes the humantime form, or `null`.
        ///
        /// # Errors
        /// Only those of the serializer.
        pub fn serialize<S: Serializer>(value: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
            match value {
                Some(value) => super::serialize(value, to),
                None => to.serialize_none(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde::Deserialize;

    use super::{Share, Watts};

    #[derive(Deserialize)]
    struct Holder {
        #[serde(with = "super::duration")]
        d: Duration,
    }

    fn check(json: &str, expect: Option<u64>) {
        let parsed = serde_json::from_str::<Holder>(&format!("{{\"d\": {json}}}"));
        assert_eq!(parsed.ok().map(|holder| holder.d.as_secs()), expect, "{json}");
    }

    #[test]
    fn durations_are_humantime_or_seconds() {
        check("\"90s\"", Some(90));
        check("\"1h 30m\"", Some(5400));
        check("90", Some(90));
        check("1.5", Some(1));
        check("\"90\"", Some(90));
        check("-1", None);
        check("\"ten\"", None);
        check("1e300", None);
        check("true", None);
    }

    #[test]
    fn shares_never_read_better_than_they_are() {
        assert_eq!(Share(0.9999).to_string(), "0.99");
        assert_eq!(Share(0.29).to_string(), "0.29");
        assert_eq!(Watts(-0.2).to_string(), "0 W");
    }
}
