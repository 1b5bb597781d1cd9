//! Durations as people write them, for `#[serde(with = "units::duration")]`: a humantime string (`"1h 30m"`) or a bare
//! number of seconds.
//!
//! Values longer than ten years are errors: nobody means them, and they would overflow time stamps.

use std::fmt;
use std::time::Duration;

use serde::de::{Error, Visitor};
use serde::{Deserializer, Serializer};

const EXPECTED: &str = "a duration such as \"90s\", \"5m\" or \"1h 30m\", or a number of seconds";

/// The longest duration that is accepted.
const LONGEST: Duration = Duration::from_secs(10 * 366 * 86_400);

/// Reads a humantime string or a number of seconds.
///
/// # Errors
/// When the value is neither, is negative, or is longer than ten years; the message says what was expected.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    from.deserialize_any(DurationVisitor)
}

/// Writes the humantime form, the way it may be written in a configuration.
///
/// # Errors
/// Only those of the serializer.
pub fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&humantime::format_duration(*value))
}

struct DurationVisitor;

impl Visitor<'_> for DurationVisitor {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Holder {
        #[serde(with = "super")]
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
}
