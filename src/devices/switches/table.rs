//! The parts of a `[[task]]` table. Each reads its keys, and reports the ones that are useless without another key.

use serde_json::Value;

use super::binary::{BinaryTopic, BinaryWords};
use super::outgoing::{SetpointTopic, ToDevice};
use crate::core::Registration;
use crate::devices::template::Template;
use crate::wire::topic::check_topic;
use crate::wire::{CommandPayloads, Fields, PayloadError, Table};

/// The longest word or payload, in bytes.
const LONGEST: usize = 1_000;

/// The longest topic, in bytes.
const LONGEST_TOPIC: usize = 1_000;

/// Reads the topic that tells whether the device is on.
pub(super) fn running(fields: &Fields<'_>, commands: &CommandPayloads) -> Result<Option<BinaryTopic>, PayloadError> {
    let on = fields.text("state_on", LONGEST)?.unwrap_or(&commands.on);
    let off = fields.text("state_off", LONGEST)?.unwrap_or(&commands.off);
    if on.trim().eq_ignore_ascii_case(off.trim()) {
        return Err(fields.error("state_off", "expected another than state_on"));
    }
    let words = BinaryWords::new("state_on", on, "state_off", off);
    match topic(fields, "state_topic")? {
        Some(topic) => Ok(Some(BinaryTopic { topic, template: template(fields, "value_template")?, words })),
        None => without(fields, &["value_template", "state_on", "state_off"], "state_topic"),
    }
}

/// Reads the topic that tells whether the device is there.
pub(super) fn availability(fields: &Fields<'_>) -> Result<Option<BinaryTopic>, PayloadError> {
    let online = fields.text("payload_available", LONGEST)?.unwrap_or("online");
    let offline = fields.text("payload_not_available", LONGEST)?.unwrap_or("offline");
    if online.trim().eq_ignore_ascii_case(offline.trim()) {
        return Err(fields.error("payload_not_available", "expected another than payload_available"));
    }
    let words = BinaryWords::new("payload_available", online, "payload_not_available", offline);
    match topic(fields, "availability_topic")? {
        Some(topic) => Ok(Some(BinaryTopic { topic, template: template(fields, "availability_template")?, words })),
        None => without(
            fields,
            &["availability_template", "payload_available", "payload_not_available"],
            "availability_topic",
        ),
    }
}

/// Reads the topic of `runnable` or `stoppable`. A template alone reads the messages of `state_topic`.
pub(super) fn condition(
    fields: &Fields<'_>,
    topic_key: &'static str,
    template_key: &'static str,
) -> Result<Option<BinaryTopic>, PayloadError> {
    let template = template(fields, template_key)?;
    let own = topic(fields, topic_key)?;
    let topic = match (own, &template) {
        (None, None) => return Ok(None),
        (Some(own), _) => own,
        (None, Some(_)) => topic(fields, "state_topic")?
            .ok_or_else(|| fields.error(template_key, format!("needs {topic_key} or state_topic beside it")))?,
    };
    Ok(Some(BinaryTopic { topic, template, words: BinaryWords::usual(template_key) }))
}

/// Reads the message that asks the device for its state.
pub(super) fn query(fields: &Fields<'_>) -> Result<Option<ToDevice>, PayloadError> {
    // A Tasmota is asked with an empty payload.
    let fits = |payload: &&str| payload.len() <= LONGEST;
    let expected = format!("text of at most {LONGEST} bytes");
    let payload = fields.read("query_payload", &expected, |value| value.as_str().filter(fits))?.unwrap_or_default();
    match topic(fields, "query_topic")? {
        Some(topic) => Ok(Some(ToDevice { topic, payload: payload.to_owned() })),
        None => without(fields, &["query_payload"], "query_topic"),
    }
}

/// Reads where its set-points go.
pub(super) fn setpoint(
    fields: &Fields<'_>,
    registration: &Registration,
) -> Result<Option<SetpointTopic>, PayloadError> {
    let Some(topic) = topic(fields, "setpoint_topic")? else {
        return without(fields, &["setpoint_template"], "setpoint_topic");
    };
    if !registration.auto_adjust || registration.max_power.is_none() {
        return Err(fields.error("setpoint_topic", "needs auto_adjust = true and max_power beside it"));
    }
    Ok(Some(SetpointTopic { topic, template: watts_template(fields)? }))
}

/// Returns `None`, unless there is one of the keys that need another, missing one.
fn without<T>(fields: &Fields<'_>, keys: &[&str], other: &str) -> Result<Option<T>, PayloadError> {
    keys.iter().find(|key| fields.has(key)).map_or(Ok(None), |key| Err(needs(fields, key, other)))
}

pub(super) fn needs(fields: &Fields<'_>, key: &str, other: &str) -> PayloadError {
    fields.error(key, format!("needs {other} beside it"))
}

pub(super) fn topic(fields: &Fields<'_>, key: &str) -> Result<Option<String>, PayloadError> {
    let Some(topic) = fields.text(key, LONGEST_TOPIC)? else { return Ok(None) };
    check_topic(topic).map_err(|problem| fields.error(key, problem))?;
    Ok(Some(topic.to_owned()))
}

fn template(fields: &Fields<'_>, key: &str) -> Result<Option<Template>, PayloadError> {
    let Some(source) = fields.read(key, "a template in quotes such as \"{{ value_json.state }}\"", Value::as_str)?
    else {
        return Ok(None);
    };
    Template::new(source).map(Some).map_err(|problem| fields.error(key, problem.to_string()))
}

/// Reads the template that turns watts into what the device understands.
fn watts_template(fields: &Fields<'_>) -> Result<Option<Template>, PayloadError> {
    const KEY: &str = "setpoint_template";
    let Some(source) = fields.read(KEY, "a template in quotes such as \"{{ value // 230 }}\"", Value::as_str)? else {
        return Ok(None);
    };
    Template::over(source, &["value"]).map(Some).map_err(|problem| fields.error(KEY, problem.to_string()))
}

/// Checks that all numbers are finite. TOML has no null, but `nan` and `inf`, which are null in the table.
pub(super) fn only_finite(table: &Table) -> Result<(), PayloadError> {
    for (key, value) in table {
        match value {
            Value::Null => return Err(PayloadError::field(key.clone(), "expected a finite number")),
            Value::Object(inner) => only_finite(inner).map_err(|problem| problem.within(key))?,
            _ => {}
        }
    }
    Ok(())
}
