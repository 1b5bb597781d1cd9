//! One cell of a CSV file: a time, or a number.
//!
//! A time without its offset and a number with a unit are errors that say what was expected.

use jiff::Timestamp;

use super::format::{Format, LARGEST};

/// The words for "not recorded" of spreadsheets, pandas and Home Assistant.
const SILENCE: [&str; 6] = ["", "nan", "null", "none", "unknown", "unavailable"];

pub(super) fn time(cell: &[u8]) -> Result<Timestamp, String> {
    let text = std::str::from_utf8(cell).unwrap_or("bytes that are not UTF-8");
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    if let Some(seconds) = text.parse::<f64>().ok().filter(|seconds| seconds.is_finite()) {
        // Unix time: to the year 5138 these are seconds; milliseconds of today are larger.
        let millis = if seconds < 1e11 { seconds * 1000.0 } else { seconds };
        #[expect(clippy::cast_possible_truncation, reason = "saturates, and is then no time")]
        return Timestamp::from_millisecond(millis.round() as i64)
            .map_err(|_| format!("`time`: {text} is out of range"));
    }
    let text = shortened(text);
    if text.parse::<jiff::civil::DateTime>().is_ok() {
        return Err(format!("`time`: {text:?} does not say where: expected {text}Z or with an offset such as +01:00"));
    }
    Err(format!("`time`: expected RFC 3339 such as 2016-06-01T12:00:00Z, or Unix seconds, found {text:?}"))
}

pub(super) fn number(cell: &[u8], format: &Format) -> Result<f64, String> {
    if cell.is_empty() {
        return Ok(f64::NAN);
    }
    let text = std::str::from_utf8(cell).unwrap_or("bytes that are not UTF-8");
    let value = match text.parse::<f64>() {
        Ok(value) if value.is_finite() => value * format.unit.factor(),
        _ if SILENCE.iter().any(|silence| text.eq_ignore_ascii_case(silence)) => return Ok(f64::NAN),
        _ => {
            let text = shortened(text);
            return Err(format!("expected a number, or nothing where it was not recorded, found {text:?}"));
        }
    };
    let is_power = !format.counters && !format.unit.is_energy();
    if is_power && value.abs() > LARGEST {
        let value = if value.abs() < 1e12 { value.to_string() } else { format!("{value:e}") };
        return Err(format!("{value} W is beyond ±10 MW: is --unit right?"));
    }
    Ok(value)
}

/// Returns a text from a file as an error shows it.
pub(super) fn shortened(text: &str) -> String {
    const MOST: usize = 60;
    let short: String = text.chars().take(MOST).collect();
    if short.len() < text.len() { short + "…" } else { short }
}
