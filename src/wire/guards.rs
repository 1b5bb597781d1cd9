//! The guards of a registration: `daily`, `finished`, `lease` (`docs/mqtt.md`, *Guards*).
//!
//! What could never be kept is an error: more hours than a day has, a maximum below what is owed, a lease of a blink.

use std::time::Duration;

use jiff::civil::Time;
use serde_json::Value;

use super::fields::Fields;
use super::payload_error::PayloadError;
use crate::core::{Daily, Finished, SHORTEST_LEASE};

const DAY: Duration = Duration::from_secs(86_400);

/// `daily`: `on_for` goes with `by`; `max` alone counts from midnight to midnight.
pub(super) fn daily(fields: &Fields<'_>) -> Result<Option<Daily>, PayloadError> {
    let Some(daily) = fields.object("daily", &["on_for", "by", "max"])? else { return Ok(None) };
    let within_a_day = |name| {
        let read = daily.duration(name)?;
        match read.filter(|duration| duration.is_zero() || *duration > DAY) {
            None => Ok(read),
            Some(found) => {
                let found = humantime::format_duration(found);
                Err(daily.error(name, format!("expected a duration above 0, at most 24h, found {found}")))
            }
        }
    };
    let (on_for, max) = (within_a_day("on_for")?, within_a_day("max")?);
    let by = daily.read("by", "a local time such as \"06:30\"", time_of_day)?;
    match (on_for, by, max) {
        (None, _, None) => return Err(daily.error("on_for", "missing, expected a duration such as \"2h\", or `max`")),
        (Some(_), None, _) => return Err(daily.error("by", "missing, expected a local time such as \"06:30\"")),
        (Some(on_for), _, Some(max)) if max < on_for => {
            let on_for = humantime::format_duration(on_for);
            return Err(daily.error("max", format!("expected at least `on_for` ({on_for})")));
        }
        _ => {}
    }
    Ok(Some(Daily { on_for: on_for.unwrap_or_default(), by: by.unwrap_or(Time::MIN), max }))
}

/// `finished`: without `rest` it may start again at once.
pub(super) fn finished(fields: &Fields<'_>) -> Result<Option<Finished>, PayloadError> {
    let Some(finished) = fields.object("finished", &["below", "for", "rest"])? else { return Ok(None) };
    let missing = |name, expected: &str| finished.error(name, format!("missing, expected {expected}"));
    let below = finished.watts_above_zero("below")?.ok_or_else(|| missing("below", "a number of watts above 0"))?;
    let lasting = finished.duration("for")?.ok_or_else(|| missing("for", "a duration such as \"10m\""))?;
    if lasting.is_zero() {
        return Err(finished.error("for", "expected a duration above 0: nothing uses power before it starts"));
    }
    Ok(Some(Finished { below, lasting, rest: finished.duration("rest")?.unwrap_or_default() }))
}

/// `lease`: at least [`SHORTEST_LEASE`].
pub(super) fn lease(fields: &Fields<'_>) -> Result<Option<Duration>, PayloadError> {
    let lease = fields.duration("lease")?;
    if lease.is_some_and(|lease| lease < SHORTEST_LEASE) {
        let shortest = humantime::format_duration(SHORTEST_LEASE);
        return Err(
            fields.error("lease", format!("expected at least {shortest}: half of it is how often it is renewed"))
        );
    }
    Ok(lease)
}

/// Hour and minute of `HH:MM`.
fn time_of_day(value: &Value) -> Option<Time> {
    let (hour, minute) = value.as_str()?.trim().split_once(':')?;
    let number = |digits: &str| {
        let two = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_digit());
        digits.parse().ok().filter(|_| two)
    };
    Time::new(number(hour)?, number(minute)?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::super::{Limits, registration};
    use crate::core::{Criteria, TaskId};

    /// The refusal of a field's value, beside a valid power; empty if it is accepted.
    fn refusal(field: &str, json: &str) -> String {
        let payload = format!("{{\"power\": 2000, \"{field}\": {json}}}");
        let read =
            registration(&TaskId::new("boiler").unwrap(), payload.as_bytes(), &Criteria::default(), &Limits::default());
        read.err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn what_can_be_kept_is_accepted() {
        for (field, json) in [
            ("daily", r#"{"on_for": "24h", "by": "00:00"}"#),
            ("daily", r#"{"on_for": "2h", "by": " 23:59 ", "max": "2h"}"#),
            ("daily", r#"{"max": "1s"}"#),
            ("daily", r#"{"max": "1h", "by": "06:00"}"#),
            ("finished", r#"{"below": 0.5, "for": 1}"#),
            ("finished", r#"{"below": 10, "for": "10m", "rest": 0}"#),
            ("lease", "10"),
            ("daily", "null"),
        ] {
            assert_eq!(refusal(field, json), "", "{field}: {json}");
        }
    }

    #[test]
    fn what_can_not_be_kept_is_refused_by_its_name() {
        insta::assert_snapshot!(refusal("daily", "{}"), @r#"daily.on_for: missing, expected a duration such as "2h", or `max`"#);
        insta::assert_snapshot!(refusal("daily", r#"{"on_for": "2h"}"#), @r#"daily.by: missing, expected a local time such as "06:30""#);
        insta::assert_snapshot!(refusal("daily", r#"{"on_for": "2h", "by": "6:30"}"#), @r#"daily.by: expected a local time such as "06:30", found "6:30""#);
        insta::assert_snapshot!(refusal("daily", r#"{"on_for": "2h", "by": "24:00"}"#), @r#"daily.by: expected a local time such as "06:30", found "24:00""#);
        insta::assert_snapshot!(refusal("daily", r#"{"on_for": "0s", "by": "06:00"}"#), @"daily.on_for: expected a duration above 0, at most 24h, found 0s");
        insta::assert_snapshot!(refusal("daily", r#"{"on_for": "25h", "by": "06:00"}"#), @"daily.on_for: expected a duration above 0, at most 24h, found 1day 1h");
        insta::assert_snapshot!(refusal("daily", r#"{"on_for": "2h", "by": "06:00", "max": "1h"}"#), @"daily.max: expected at least `on_for` (2h)");
        insta::assert_snapshot!(refusal("daily", r#"{"until": "06:00"}"#), @"daily.until: unknown field, expected on_for, by, max");
        insta::assert_snapshot!(refusal("finished", r#"{"for": "10m"}"#), @"finished.below: missing, expected a number of watts above 0");
        insta::assert_snapshot!(refusal("finished", r#"{"below": -1, "for": "10m"}"#), @"finished.below: expected a number of watts above 0, at most 10 MW, found -1");
        insta::assert_snapshot!(refusal("finished", r#"{"below": 10}"#), @r#"finished.for: missing, expected a duration such as "10m""#);
        insta::assert_snapshot!(refusal("finished", r#"{"below": 10, "for": 0}"#), @"finished.for: expected a duration above 0: nothing uses power before it starts");
        insta::assert_snapshot!(refusal("finished", r#"{"bellow": 10}"#), @"finished.bellow: unknown field, did you mean `below`?");
        insta::assert_snapshot!(refusal("lease", "9"), @"lease: expected at least 10s: half of it is how often it is renewed");
    }
}
