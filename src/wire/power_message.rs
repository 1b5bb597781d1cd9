//! The payload of a power topic: a number by key, and when they were measured (`docs/mqtt.md`, *The meter*).
//!
//! One bad value never costs the others: it is left out. Whether a number is plausible and a record recent is
//! not judged here.

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::fields::{found, key_problem};
use super::json::{object, text};
use super::limits::{POWER_MESSAGE, check_size};
use super::payload_error::PayloadError;
use crate::units::{PowerUnit, Quantity};

/// The most keys of one record.
const MOST_KEYS: usize = 1000;

/// The largest number that can be Unix seconds: the year 5138. Milliseconds of today are larger.
const LATEST: f64 = 1e11;

/// What a record should be.
const EXPECTED: &str = "a JSON object such as {\"net\": -1200, \"solar\": 3000}";

/// What `time` should be.
const TIME: &str = "RFC 3339 such as \"2026-06-01T12:00:00Z\", or Unix seconds";

/// A power message as it came. A cycle makes one record out of all that came since the last.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PowerMessage {
    /// Key and value.
    pub values: Vec<(String, Quantity)>,
    /// When it was measured, if it says so.
    pub measured: Option<Timestamp>,
    /// Whether `net` is among the values.
    pub has_net: bool,
    /// The keys that were left out: their value is no number, or their name can't be a key.
    pub ignored: Vec<String>,
}

/// Reads the payload of a power topic, whose powers are in `unit`. Every number is multiplied by that, a state of
/// charge too (docs/decisions.md, *The unit holds for a whole record*).
///
/// # Errors
/// When it is not a JSON object, has more than 1000 keys, or a `time` that can't be read.
pub fn power_message(payload: &[u8], unit: PowerUnit) -> Result<PowerMessage, PayloadError> {
    check_size(payload, POWER_MESSAGE, None)?;
    let object = object(&without_endless_numbers(text(payload)?), EXPECTED)?;
    if object.len() > MOST_KEYS {
        return Err(PayloadError::whole(format!(
            "the record has {} keys, at most {MOST_KEYS} are allowed",
            object.len()
        )));
    }
    let mut record = PowerMessage { measured: measured(&object)?, ..PowerMessage::default() };
    for (key, value) in object {
        match value.as_f64() {
            _ if key == "time" => {}
            Some(value) if key_problem(&key).is_none() => record.values.push((key, Quantity(value * unit.watts()))),
            _ => record.ignored.push(key),
        }
    }
    record.has_net = record.values.iter().any(|(key, _)| key == "net");
    Ok(record)
}

fn measured(object: &Map<String, Value>) -> Result<Option<Timestamp>, PayloadError> {
    let refusal = |problem: String| Err(PayloadError::field("time", problem));
    let measured = match object.get("time") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(value) => match value.as_f64() {
            Some(seconds) if seconds > LATEST => {
                return refusal(format!("{value} is out of range: expected {TIME}, not milliseconds"));
            }
            Some(seconds) if seconds < 0.0 => return refusal(format!("{value} is out of range: expected {TIME}")),
            seconds => seconds.and_then(unix),
        },
    };
    match measured {
        Some(measured) => Ok(Some(measured)),
        None => refusal(format!("expected {TIME}, found {}", object.get("time").map(found).unwrap_or_default())),
    }
}

/// Unix seconds to the millisecond, which is more than a meter means.
fn unix(seconds: f64) -> Option<Timestamp> {
    #[expect(clippy::cast_possible_truncation, reason = "between 0 and 1e14")]
    Timestamp::from_millisecond((seconds * 1000.0).round() as i64).ok()
}

/// JSON has no number for what isn't finite, so that one `1e999`, `NaN` (Python) or `inf` (C) would cost the whole record.
/// They become `null`, which is left out by name like everything that is no number.
pub(crate) fn without_endless_numbers(json: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let (mut copied, mut at) = (0, 0);
    let bytes = json.as_bytes();
    while at < bytes.len() {
        let end = token_end(bytes, at);
        // A token of ASCII: both ends are borders of characters.
        let token = json.get(at..end).unwrap_or_default();
        if bytes[at] != b'"' && token.parse().is_ok_and(|number: f64| !number.is_finite()) {
            out.push_str(&json[copied..at]);
            out.push_str("null");
            copied = end;
        }
        at = end;
    }
    if copied == 0 {
        return Cow::Borrowed(json);
    }
    out.push_str(&json[copied..]);
    Cow::Owned(out)
}

/// The end of what begins at `start`: a string, a word or number, or a single byte of anything else.
fn token_end(bytes: &[u8], start: usize) -> usize {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'_');
    let rest = &bytes[start..];
    if rest.first() != Some(&b'"') {
        return start + rest.iter().take_while(|byte| is_word(byte)).count().max(1);
    }
    let mut at = 1;
    while at < rest.len() && rest[at] != b'"' {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    (start + at + 1).min(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `key=watts … | ignored … | time`.
    fn read(payload: &str, unit: PowerUnit) -> String {
        match power_message(payload.as_bytes(), unit) {
            Err(error) => error.to_string(),
            Ok(PowerMessage { values, measured, has_net, ignored }) => {
                assert_eq!(has_net, values.iter().any(|(key, _)| key == "net"));
                let values: Vec<_> = values.iter().map(|(key, watts)| format!("{key}={}", watts.0)).collect();
                let time = measured.map(|time| format!(" @ {time}")).unwrap_or_default();
                format!("{} | {}{time}", values.join(" "), ignored.join(" "))
            }
        }
    }

    fn check(payload: &str, expect: &str) {
        assert_eq!(read(payload, PowerUnit::Watts), expect, "{payload}");
    }

    #[test]
    fn numbers_are_read_and_the_rest_is_left_out_by_name() {
        check(r#"{"net": -1200, "solar": 3000.5, "ev": 0}"#, "ev=0 net=-1200 solar=3000.5 | ");
        check(r#"{"net": "-1200", "a": null, "b": true, "c": [1], "d": {"e": 1}, "f": 1}"#, "f=1 | a b c d net");
        check(r#"{"net": 1, "net": 2}"#, "net=2 | ");
        check(r#"{"": 1, "@boiler": 2, "net": 3}"#, "net=3 |  @boiler");
        check(" {}\n", " | ");
        check(r#"{"net": 99999999999}"#, "net=99999999999 | ");
    }

    #[test]
    fn what_is_not_finite_costs_its_own_value_only() {
        check(r#"{"net": 1, "a": 1e999, "b": -1e999}"#, "net=1 | a b");
        check(r#"{"net": 1, "a": NaN, "b": -Infinity, "c": inf, "d": nan}"#, "net=1 | a b c d");
        check(r#"{"net": 1, "inf": 2, "x\"": [1e999, NaN], "é": 1e-999}"#, "inf=2 net=1 é=0 | x\"");
        check(&format!("{{\"net\": 1, \"a\": 1{}}}", "0".repeat(400)), "net=1 | a");
    }

    #[test]
    fn kilowatts_become_watts() {
        assert_eq!(read(r#"{"net": -1.25, "soc": 50}"#, PowerUnit::Kilowatts), "net=-1250 soc=50000 | ");
    }

    #[test]
    fn time_is_rfc_3339_or_unix_seconds() {
        check(r#"{"time": "2026-06-01T12:00:00Z"}"#, " |  @ 2026-06-01T12:00:00Z");
        check(r#"{"time": "2026-06-01T14:00:00.5+02:00"}"#, " |  @ 2026-06-01T12:00:00.5Z");
        check(r#"{"time": 1780315200}"#, " |  @ 2026-06-01T12:00:00Z");
        check(r#"{"time": 1780315200.25}"#, " |  @ 2026-06-01T12:00:00.25Z");
        check(r#"{"time": null}"#, " | ");
    }

    #[test]
    fn refusals_say_what_was_expected() {
        let refusal = |payload: &str| read(payload, PowerUnit::Watts);
        insta::assert_snapshot!(refusal(""), @r#"expected a JSON object such as {"net": -1200, "solar": 3000}, found an empty payload"#);
        insta::assert_snapshot!(refusal("-1200"), @r#"expected a JSON object such as {"net": -1200, "solar": 3000}, found -1200"#);
        insta::assert_snapshot!(refusal("[1]"), @r#"expected a JSON object such as {"net": -1200, "solar": 3000}, found a list"#);
        insta::assert_snapshot!(refusal("{\"net\": }"), @r#"expected a JSON object such as {"net": -1200, "solar": 3000}, found what is not JSON: expected value at line 1 column 9"#);
        insta::assert_snapshot!(refusal("\"{"), @r#"expected a JSON object such as {"net": -1200, "solar": 3000}, found what is not JSON: EOF while parsing a string at line 1 column 2"#);
        insta::assert_snapshot!(refusal(r#"{"time": 1780315200000}"#), @r#"time: 1780315200000 is out of range: expected RFC 3339 such as "2026-06-01T12:00:00Z", or Unix seconds, not milliseconds"#);
        insta::assert_snapshot!(refusal(r#"{"time": -1}"#), @r#"time: -1 is out of range: expected RFC 3339 such as "2026-06-01T12:00:00Z", or Unix seconds"#);
        insta::assert_snapshot!(refusal(r#"{"time": "2026-06-01T12:00:00"}"#), @r#"time: expected RFC 3339 such as "2026-06-01T12:00:00Z", or Unix seconds, found "2026-06-01T12:00:00""#);
        insta::assert_snapshot!(refusal(r#"{"time": true}"#), @r#"time: expected RFC 3339 such as "2026-06-01T12:00:00Z", or Unix seconds, found true"#);
        let many: Vec<_> = (0..=MOST_KEYS).map(|key| format!("\"k{key}\": 1")).collect();
        insta::assert_snapshot!(refusal(&format!("{{{}}}", many.join(", "))), @"the record has 1001 keys, at most 1000 are allowed");
    }
}
