//! A task's registration (`docs/mqtt.md`, *A task*): strict, so that a typing error shows at once instead of at night.
//!
//! An unknown field is an error. None of the fields names a topic: over MQTT a task touches its own branch only.

use super::command_payloads::CommandPayloads;
use super::fields::{Fields, POWER, hidden_character};
use super::json::{object, text};
use super::limits::{Limits, check_size};
use super::payload_error::PayloadError;
use super::{criteria, guards};
use crate::core::{Criteria, OnNoData, Registration, TaskId};
use crate::text::hidden_in;
use crate::units::Watts;

/// What a registration should be.
const EXPECTED: &str = "a JSON object such as {\"power\": 2000, \"keys\": [\"heater\"]}";

/// Every field of the contract.
pub(crate) const FIELDS: [&str; 19] = [
    "name",
    "priority",
    "power",
    "max_power",
    "keys",
    "auto_adjust",
    "criteria",
    "payload_on",
    "payload_off",
    "expire_after",
    "min_on",
    "min_off",
    "daily",
    "finished",
    "interruptible",
    "manual_hold",
    "on_no_data",
    "lease",
    "setpoint_step",
];

/// The longest name, in characters.
const LONGEST_NAME: usize = 200;

/// What a task says of itself, and what it wants its commands to say.
#[derive(Debug, Clone, PartialEq)]
pub struct RegistrationMessage {
    /// For the scheduler.
    pub registration: Registration,
    /// For the sender of its commands.
    pub commands: CommandPayloads,
}

/// Reads the payload of `<base>/task/<id>/config`. Criteria that are omitted are `default_criteria`.
///
/// # Errors
/// Names the field that is wrong, or the limit that it is beyond. An empty payload is an error too: the caller has to see
/// that a task unregisters.
pub fn registration(
    id: &TaskId,
    payload: &[u8],
    default_criteria: &Criteria,
    limits: &Limits,
) -> Result<RegistrationMessage, PayloadError> {
    check_size(payload, limits.max_registration_size, Some("max_registration_size"))?;
    let object = object(text(payload)?, EXPECTED)?;
    let fields = Fields::new(&object);
    fields.only(&FIELDS)?;
    let default = Registration { criteria: default_criteria.clone(), ..Registration::new(id, Watts::ZERO) };
    registration_of(&fields, default, CommandPayloads::default())
}

/// Reads a registration out of its fields, whoever wrote them. What is omitted comes from `default` and `commands`, but for
/// the power, which is required.
///
/// # Errors
/// Names the field that is wrong.
pub(crate) fn registration_of(
    fields: &Fields<'_>,
    default: Registration,
    commands: CommandPayloads,
) -> Result<RegistrationMessage, PayloadError> {
    let missing = || fields.error("power", format!("missing, expected {POWER}"));
    let power = fields.watts_above_zero("power")?.ok_or_else(missing)?;
    let registration = Registration {
        name: name(fields)?.unwrap_or(default.name),
        priority: fields.priority("priority")?.unwrap_or(default.priority),
        power,
        max_power: fields.watts_above_zero("max_power")?,
        keys: fields.keys("keys")?.unwrap_or(default.keys),
        auto_adjust: fields.flag("auto_adjust")?.unwrap_or(default.auto_adjust),
        criteria: criteria::read(fields, &default.criteria)?,
        expire_after: fields.duration("expire_after")?,
        min_on: fields.duration("min_on")?.unwrap_or(default.min_on),
        min_off: fields.duration("min_off")?.unwrap_or(default.min_off),
        daily: guards::daily(fields)?,
        finished: guards::finished(fields)?,
        interruptible: fields.flag("interruptible")?.unwrap_or(default.interruptible),
        manual_hold: fields.duration("manual_hold")?.unwrap_or(default.manual_hold),
        on_no_data: match fields.word("on_no_data", &["stop", "keep"])? {
            Some("keep") => OnNoData::Keep,
            _ => OnNoData::Stop,
        },
        setpoint_step: fields.watts("setpoint_step")?.unwrap_or(default.setpoint_step),
        lease: guards::lease(fields)?,
        configured: default.configured,
        awaits_availability: default.awaits_availability,
    };
    let commands = commands.or_fields(fields)?;
    if registration.setpoint_step < Watts::ZERO {
        return Err(fields.error("setpoint_step", "expected a number of watts, 0 or more"));
    }
    fields.ordered(Some(power), registration.max_power)?;
    if registration.finished.as_ref().is_some_and(|finished| finished.below >= power) {
        let expected =
            format!("expected less than `power` ({}): what it needs to run is no sign of being done", power.0);
        return Err(fields.error("finished.below", expected));
    }
    if registration.expire_after.is_some_and(|after| after.is_zero()) {
        return Err(fields.error("expire_after", "expected a duration above 0: with 0 the task is never reachable"));
    }
    Ok(RegistrationMessage { registration, commands })
}

fn name(fields: &Fields<'_>) -> Result<Option<String>, PayloadError> {
    let fits = |name: &&str| name.chars().count() <= LONGEST_NAME;
    let expected = format!("text of at most {LONGEST_NAME} characters");
    let name = fields.read("name", &expected, |value| value.as_str().map(str::trim).filter(fits))?;
    if let Some(hidden) = name.and_then(hidden_in) {
        return Err(fields.error("name", hidden_character(hidden)));
    }
    // A name of nothing is none.
    Ok(name.filter(|name| !name.is_empty()).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::core::{Criterion, Daily, Finished, Priority};
    use crate::units::Share;

    fn read(payload: &str) -> Result<RegistrationMessage, PayloadError> {
        registration(&id(), payload.as_bytes(), &Criteria::default(), &Limits::default())
    }

    fn id() -> TaskId {
        TaskId::new("boiler").unwrap()
    }

    #[test]
    fn only_power_is_required() {
        let registration = Registration::new(&id(), Watts(2000.0));
        let least = RegistrationMessage { registration, commands: CommandPayloads::default() };
        let nulls = FIELDS.iter().filter(|name| **name != "power").map(|name| format!(", \"{name}\": null"));
        assert_eq!(read(&format!("{{\"power\": 2000{}}}", nulls.collect::<String>())), Ok(least.clone()));
        assert_eq!(read(r#" {"power": 2000, "name": " ", "criteria": {}} "#), Ok(least));
    }

    #[test]
    fn every_field_is_read() {
        let payload = r#"{"name": " Car ", "priority": "HIGH", "power": 1400, "max_power": 1400, "keys": ["ev"],
            "auto_adjust": true, "criteria": {"start": 0.5, "keep": "ratio > 0.3"}, "payload_on": "ON",
            "payload_off": "OFF", "expire_after": "5m", "min_on": 90, "min_off": "1h 30m", "interruptible": false,
            "on_no_data": "keep", "daily": {"on_for": "2h", "by": "06:30", "max": "4h"}, "manual_hold": "2h",
            "finished": {"below": 10, "for": "10m", "rest": "6h"}, "lease": "10m", "setpoint_step": 100}"#;
        let registration = Registration {
            name: "Car".into(),
            priority: Priority::High,
            power: Watts(1400.0),
            max_power: Some(Watts(1400.0)),
            keys: vec!["ev".into()],
            auto_adjust: true,
            criteria: Criteria {
                start: Criterion::AtLeast(Share(0.5)),
                keep: Criterion::expression("ratio > 0.3").unwrap(),
            },
            expire_after: Some(Duration::from_secs(300)),
            min_on: Duration::from_secs(90),
            min_off: Duration::from_secs(5400),
            daily: Some(Daily {
                on_for: Duration::from_secs(7200),
                by: jiff::civil::Time::new(6, 30, 0, 0).unwrap(),
                max: Some(Duration::from_secs(14_400)),
            }),
            finished: Some(Finished {
                below: Watts(10.0),
                lasting: Duration::from_secs(600),
                rest: Duration::from_secs(21_600),
            }),
            interruptible: false,
            manual_hold: Duration::from_secs(7200),
            on_no_data: OnNoData::Keep,
            setpoint_step: Watts(100.0),
            lease: Some(Duration::from_secs(600)),
            configured: false,
            awaits_availability: false,
        };
        let commands = CommandPayloads { on: "ON".into(), off: "OFF".into() };
        assert_eq!(read(payload), Ok(RegistrationMessage { registration, commands }));
    }

    #[test]
    fn priorities_are_words_or_levels() {
        for (json, expect) in [("\"urgent\"", Priority::Urgent), ("2", Priority::Medium), ("3.0", Priority::High)] {
            let found = read(&format!("{{\"power\": 1, \"priority\": {json}}}")).unwrap();
            assert_eq!(found.registration.priority, expect, "{json}");
        }
    }

    /// The refusal of a field's value, beside a valid power.
    fn refusal(field: &str, json: &str) -> String {
        read(&format!("{{\"power\": 2000, \"{field}\": {json}}}")).unwrap_err().to_string()
    }

    #[test]
    fn what_is_out_of_bounds_is_refused_by_name() {
        let long = |length: usize| format!("\"{}\"", "x".repeat(length));
        let many = format!("[{}]", (0..65).map(|key| format!("\"k{key}\"")).collect::<Vec<_>>().join(","));
        for (field, valid, invalid) in [
            (
                "power",
                vec!["0.5".into(), "1e7".into()],
                vec!["0".into(), "-1".into(), "10000001".into(), "true".into()],
            ),
            ("max_power", vec!["2000".into()], vec!["1999".into(), "0".into(), "1e8".into(), "[]".into()]),
            ("name", vec![long(200)], vec![long(201), "1".into()]),
            ("payload_on", vec![long(256)], vec![long(257), "\"\"".into(), "1".into()]),
            ("payload_off", vec![long(256)], vec![long(257), "\"\"".into(), "false".into()]),
            ("keys", vec!["[]".into(), format!("[{}]", long(64))], vec![many, format!("[{}]", long(65)), "{}".into()]),
            ("expire_after", vec!["1".into()], vec!["0".into(), "\"soon\"".into(), "-1".into()]),
            ("min_on", vec!["0".into()], vec!["true".into(), "1e300".into()]),
            ("min_off", vec!["0".into()], vec!["[]".into()]),
            ("interruptible", vec!["false".into()], vec!["\"no\"".into(), "0".into()]),
            ("auto_adjust", vec!["false".into()], vec!["1".into()]),
            ("manual_hold", vec!["0".into()], vec!["\"x\"".into()]),
            ("lease", vec!["10".into()], vec!["9".into(), "0".into(), "{}".into()]),
            ("setpoint_step", vec!["0".into()], vec!["-1".into(), "\"50\"".into()]),
        ] {
            for json in valid {
                assert!(read(&format!("{{\"power\": 2000, \"{field}\": {json}}}")).is_ok(), "{field}: {json}");
            }
            for json in invalid {
                assert!(refusal(field, &json).starts_with(&format!("{field}: ")), "{field}: {json}");
            }
        }
    }

    #[test]
    fn refusals_of_the_whole_say_what_was_expected() {
        let refusal = |payload: &str| read(payload).unwrap_err().to_string();
        insta::assert_snapshot!(refusal(""), @r#"expected a JSON object such as {"power": 2000, "keys": ["heater"]}, found an empty payload"#);
        insta::assert_snapshot!(refusal("{\"power\": 2000,}"), @r#"expected a JSON object such as {"power": 2000, "keys": ["heater"]}, found what is not JSON: trailing comma at line 1 column 16"#);
        insta::assert_snapshot!(refusal("[2000]"), @r#"expected a JSON object such as {"power": 2000, "keys": ["heater"]}, found a list"#);
        insta::assert_snapshot!(refusal("{}"), @"power: missing, expected a number of watts above 0, at most 10 MW");
        insta::assert_snapshot!(refusal("{\"pwer\": 2000}"), @"pwer: unknown field, did you mean `power`?");
        insta::assert_snapshot!(refusal("{\"power\": 2000, \"state_topic\": \"a/b\"}"), @"state_topic: unknown field, expected name, priority, power, max_power, keys, auto_adjust, criteria, payload_on, payload_off, expire_after, min_on, min_off, daily, finished, interruptible, manual_hold, on_no_data, lease, setpoint_step");
    }

    #[test]
    fn refusals_name_the_field() {
        insta::assert_snapshot!(refusal("priority", "\"hgih\""), @r#"priority: expected "low", "medium", "high", "urgent" or 1 to 4, found "hgih": did you mean "high"?"#);
        insta::assert_snapshot!(refusal("priority", "5"), @r#"priority: expected "low", "medium", "high", "urgent" or 1 to 4, found 5"#);
        insta::assert_snapshot!(refusal("max_power", "1400"), @"max_power: expected at least `power` (2000), found 1400");
        insta::assert_snapshot!(refusal("power", "\"2 kW\""), @r#"power: expected a number of watts above 0, at most 10 MW, found "2 kW""#);
        insta::assert_snapshot!(refusal("keys", "\"ev\""), @r#"keys: expected a list of names such as ["ev"], found "ev""#);
        insta::assert_snapshot!(refusal("keys", "[\"solar\"]"), @r#"keys: "solar" is the meter's own: expected names of what the task consumes"#);
        insta::assert_snapshot!(refusal("keys", "[\"net\"]"), @r#"keys: "net" is the grid's own: expected names of what the task consumes"#);
        insta::assert_snapshot!(refusal("keys", "[\"ev\", \"ev\"]"), @r#"keys: "ev" is there twice"#);
        insta::assert_snapshot!(refusal("keys", "[\"@boiler\"]"), @r#"keys: "@boiler" begins with @, which Sunward keeps for itself"#);
        insta::assert_snapshot!(refusal("keys", "[\"\"]"), @r#"keys: "" is empty: expected a name such as "ev""#);
        insta::assert_snapshot!(refusal("keys", "[1]"), @r#"keys: 1 is not a name: expected text such as "ev""#);
        insta::assert_snapshot!(refusal("min_on", "\"ten\""), @r#"min_on: expected a duration such as "90s", "5m" or "1h 30m", or a number of seconds, found "ten""#);
        insta::assert_snapshot!(refusal("expire_after", "0"), @"expire_after: expected a duration above 0: with 0 the task is never reachable");
        insta::assert_snapshot!(refusal("on_no_data", "\"kep\""), @r#"on_no_data: expected "stop" or "keep", found "kep": did you mean "keep"?"#);
        insta::assert_snapshot!(refusal("interruptible", "\"no\""), @r#"interruptible: expected true or false, found "no""#);
    }

    #[test]
    fn refusals_name_fields_within() {
        insta::assert_snapshot!(refusal("criteria", "0.8"), @"criteria: expected an object with start, keep, found 0.8");
        insta::assert_snapshot!(refusal("criteria", "{\"strat\": 1}"), @"criteria.strat: unknown field, did you mean `start`?");
        insta::assert_snapshot!(refusal("criteria", "{\"start\": true}"), @"criteria.start: expected a number or a Jinja expression, found true");
        insta::assert_snapshot!(refusal("criteria", "{\"start\": -1}"), @"criteria.start: expected 0 or more, or a Jinja expression, found -1");
        insta::assert_snapshot!(refusal("criteria", "{\"start\": \"ratio >= (\"}"), @r#"criteria.start: expected a number or a Jinja expression such as "ratio >= 0.8 or now.hour < 7": syntax error: unexpected end of input, expected expression"#);
        insta::assert_snapshot!(refusal("criteria", "{\"start\": \"rato >= 1\"}"), @"criteria.start: `rato` is unknown: an expression may use ratio, power, running, priority, on_for, off_for, state, record, now");
        insta::assert_snapshot!(refusal("criteria", "{\"start\": 0.5, \"keep\": 0.6}"), @"criteria.keep: expected at most 0.5 (1, and never above `start`), found 0.6");
    }
}
