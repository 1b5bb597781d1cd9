//! A task's state: a JSON object, or plain `ON` or `OFF` (`docs/mqtt.md`, *State*).
//!
//! Only `running` is needed. Fields that Sunward knows have the type it knows, or the state is refused; all others are
//! kept for criteria as they are.

use serde_json::{Map, Value};

use super::fields::Fields;
use super::json::{object, text};
use super::limits::{Limits, check_size};
use super::payload_error::PayloadError;
use crate::core::TaskState;
use crate::jinja::StateFields;

/// What a state should be.
const EXPECTED: &str = "a JSON object such as {\"running\": true}, or ON or OFF";

/// Reads the payload of `<base>/task/<id>/state`.
///
/// # Errors
/// Names the field that is wrong, or the limit that it is beyond. An empty payload is an error too: the caller has to see that a state was cleared.
pub fn state(payload: &[u8], limits: &Limits) -> Result<TaskState, PayloadError> {
    check_size(payload, limits.max_state_size, Some("max_state_size"))?;
    let text = text(payload)?;
    if let Some(running) = plain(text) {
        return Ok(TaskState::plain(running));
    }
    let object = known_fields(object(text, EXPECTED)?);
    limits.check_state(&object)?;
    let fields = Fields::new(&object);
    let running = fields.flag("running")?.ok_or_else(|| fields.error("running", "missing, expected true or false"))?;
    let state = TaskState {
        running,
        runnable: fields.flag("runnable")?.unwrap_or(true),
        stoppable: fields.flag("stoppable")?,
        priority: fields.priority("priority")?,
        power: fields.watts_above_zero("power")?,
        auto_adjust: fields.flag("auto_adjust")?,
        max_power: fields.watts_above_zero("max_power")?,
        keys: fields.keys("keys")?,
        usage: fields.watts("usage")?,
        meets_criteria: fields.flag("meets_criteria")?,
        fields: StateFields::default(),
    };
    fields.ordered(state.power, state.max_power)?;
    Ok(TaskState { fields: object.into(), ..state })
}

fn plain(text: &str) -> Option<bool> {
    const WORDS: [(&str, bool); 6] =
        [("on", true), ("true", true), ("1", true), ("off", false), ("false", false), ("0", false)];
    WORDS.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)).map(|(_, running)| *running)
}

/// A `null` is something that isn't known: without it, `state.soc < 20` fails instead of being true. In lists it keeps
/// its place.
pub(crate) fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(object) => known_fields(object).into(),
        Value::Array(list) => list.into_iter().map(without_nulls).collect(),
        plain => plain,
    }
}

fn known_fields(object: Map<String, Value>) -> Map<String, Value> {
    let known = object.into_iter().filter(|(_, value)| !value.is_null());
    known.map(|(name, value)| (name, without_nulls(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Priority;
    use crate::units::Watts;

    /// A state without its fields.
    fn read(payload: &str) -> TaskState {
        let state = state(payload.as_bytes(), &Limits::default()).unwrap_or_else(|error| panic!("{payload}: {error}"));
        TaskState { fields: StateFields::default(), ..state }
    }

    #[test]
    fn plain_words_say_whether_it_runs() {
        for (payload, expect) in [
            ("ON", true),
            ("off", false),
            (" On\n", true),
            ("TRUE", true),
            ("False", false),
            ("1", true),
            ("0\r\n", false),
        ] {
            assert_eq!(state(payload.as_bytes(), &Limits::default()), Ok(TaskState::plain(expect)), "{payload}");
        }
    }

    #[test]
    fn only_running_is_required() {
        let least = TaskState { running: true, runnable: true, ..TaskState::default() };
        let nulls = r#"{"running": true, "runnable": null, "stoppable": null, "priority": null, "power": null,
            "auto_adjust": null, "max_power": null, "keys": null, "usage": null, "meets_criteria": null}"#;
        assert_eq!(read(r#" {"running": true}"#), least);
        assert_eq!(read(nulls), least);
        let all = r#"{"running": false, "runnable": false, "stoppable": false, "priority": "High", "power": 1400,
            "auto_adjust": true, "max_power": 1400.5, "keys": ["ev", "ev 2"], "usage": 0, "meets_criteria": false,
            "desc": "plugged in"}"#;
        let expect = TaskState {
            running: false,
            runnable: false,
            stoppable: Some(false),
            priority: Some(Priority::High),
            power: Some(Watts(1400.0)),
            auto_adjust: Some(true),
            max_power: Some(Watts(1400.5)),
            keys: Some(vec!["ev".into(), "ev 2".into()]),
            usage: Some(Watts(0.0)),
            meets_criteria: Some(false),
            fields: StateFields::default(),
        };
        assert_eq!(read(all), expect);
    }

    #[test]
    fn criteria_see_every_field_but_nulls() {
        let payload = br#"{"running": true, "soc": null, "car": {"soc": 15, "km": null}, "log": [null, {"a": null}]}"#;
        insta::assert_snapshot!(state(payload, &Limits::default()).unwrap().fields, @"{'car': {'soc': 15}, 'log': [None, {}], 'running': True}");
    }

    #[test]
    fn refusals_name_the_field() {
        let refusal = |payload: &str| state(payload.as_bytes(), &Limits::default()).unwrap_err().to_string();
        insta::assert_snapshot!(refusal(""), @r#"expected a JSON object such as {"running": true}, or ON or OFF, found an empty payload"#);
        insta::assert_snapshot!(refusal("running"), @r#"expected a JSON object such as {"running": true}, or ON or OFF, found what is not JSON: expected value at line 1 column 1"#);
        insta::assert_snapshot!(refusal("2"), @r#"expected a JSON object such as {"running": true}, or ON or OFF, found 2"#);
        insta::assert_snapshot!(refusal("{}"), @"running: missing, expected true or false");
        insta::assert_snapshot!(refusal(r#"{"running": null}"#), @"running: missing, expected true or false");
        insta::assert_snapshot!(refusal(r#"{"running": "ON"}"#), @r#"running: expected true or false, found "ON""#);
        insta::assert_snapshot!(refusal(r#"{"running": true, "runnable": 1}"#), @"runnable: expected true or false, found 1");
        insta::assert_snapshot!(refusal(r#"{"running": true, "priority": 5}"#), @r#"priority: expected "low", "medium", "high", "urgent" or 1 to 4, found 5"#);
        insta::assert_snapshot!(refusal(r#"{"running": true, "power": 0}"#), @"power: expected a number of watts above 0, at most 10 MW, found 0");
        insta::assert_snapshot!(refusal(r#"{"running": true, "power": 2000, "max_power": 1400}"#), @"max_power: expected at least `power` (2000), found 1400");
        insta::assert_snapshot!(refusal(r#"{"running": true, "keys": ["net"]}"#), @r#"keys: "net" is the grid's own: expected names of what the task consumes"#);
        insta::assert_snapshot!(refusal(r#"{"running": true, "usage": "1380 W"}"#), @r#"usage: expected a number of watts within ±10 MW, found "1380 W""#);
        insta::assert_snapshot!(refusal(r#"{"running": true, "usage": 1e999}"#), @r#"expected a JSON object such as {"running": true}, or ON or OFF, found what is not JSON: number out of range at line 1 column 32"#);
        let fields = (0..64).map(|number| format!(r#", "f{number}": 1"#)).collect::<String>();
        insta::assert_snapshot!(refusal(&format!(r#"{{"running": true{fields}}}"#)), @"65 fields, at most 64 are allowed (scheduler.max_state_fields)");
        let deep = format!("{}{}", "[".repeat(16), "]".repeat(16));
        insta::assert_snapshot!(refusal(&format!(r#"{{"running": true, "deep": {deep}}}"#)), @"17 levels of objects and lists, at most 16 are allowed (scheduler.max_state_depth)");
        insta::assert_snapshot!(refusal(&format!(r#"{{"running": true, "text": "{}"}}"#, "x".repeat(16_356))), @"16385 bytes, at most 16384 are allowed (scheduler.max_state_size)");
    }
}
