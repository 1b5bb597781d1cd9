//! `[[task]]`: an off-the-shelf device as it was described, with Home Assistant's names and meanings (SPEC section 5.2).
//!
//! Refuses a description that can't be meant, naming its key. What one task must not be beside others is `config`'s.

use serde_json::Value;

use super::reading::{Source, Words};
use super::template::Template;
use crate::core::{Criteria, Registration, TaskId};
use crate::units::Watts;
use crate::wire::topic::check_topic;
use crate::wire::{
    CommandPayloads, Fields, PayloadError, REGISTRATION_FIELDS, RegistrationMessage, Table, registration_of,
};

/// The keys beyond those of a registration.
pub(crate) const FIELDS: [&str; 19] = [
    "id",
    "command_topic",
    "state_topic",
    "value_template",
    "state_on",
    "state_off",
    "optimistic",
    "availability_topic",
    "availability_template",
    "payload_available",
    "payload_not_available",
    "runnable_topic",
    "runnable_template",
    "stoppable_topic",
    "stoppable_template",
    "query_topic",
    "query_payload",
    "setpoint_topic",
    "setpoint_template",
];

/// What Home Assistant's MQTT switch has besides: it concerns how Home Assistant shows or sends.
const OF_HOME_ASSISTANT: [&str; 17] = [
    "availability_mode",
    "default_entity_id",
    "device",
    "device_class",
    "enabled_by_default",
    "encoding",
    "entity_category",
    "entity_picture",
    "group",
    "icon",
    "json_attributes_template",
    "json_attributes_topic",
    "object_id",
    "platform",
    "qos",
    "retain",
    "unique_id",
];

/// A plain relay has no protection of its own against being switched all the time.
pub(crate) const MIN_TIME: std::time::Duration = std::time::Duration::from_secs(300);

/// The longest word or payload, in bytes.
const LONGEST: usize = 1_000;

/// The longest topic: what is above is not meant.
const LONGEST_TOPIC: usize = 1_000;

/// One task of the configuration.
#[derive(Debug)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// All that a registration over MQTT would say.
    pub registration: Registration,
    /// What its commands say.
    pub commands: CommandPayloads,
    /// Where starts and stops go.
    pub command_topic: String,
    /// Where the watts go that it may use; absent: to Sunward's own topic.
    pub(super) setpoint: Option<Setpoint>,
    pub(super) running: Option<Source>,
    pub(super) runnable: Option<Source>,
    pub(super) stoppable: Option<Source>,
    pub(super) availability: Option<Source>,
    /// What was commanded counts as done.
    pub(super) optimistic: bool,
    /// What asks it for its state.
    pub(super) query: Option<ToDevice>,
}

/// How it is told what it may use.
#[derive(Debug)]
pub(super) struct Setpoint {
    pub(super) topic: String,
    pub(super) template: Option<Template>,
}

/// A message to a device. Never retained: a device that reboots must not replay it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToDevice {
    /// Where it goes.
    pub topic: String,
    /// What it says.
    pub payload: String,
}

impl Task {
    /// Reads a table of the configuration.
    ///
    /// # Errors
    /// Names the key that is wrong.
    pub fn read(table: &Table, criteria: &Criteria) -> Result<Self, PayloadError> {
        let fields = Fields::new(table);
        let known: Vec<&str> = FIELDS.iter().chain(&REGISTRATION_FIELDS).copied().collect();
        if let Some(key) = table.keys().find(|key| OF_HOME_ASSISTANT.contains(&key.as_str())) {
            return Err(fields.error(key, "is of use in Home Assistant only, leave it out"));
        }
        fields.only(&known)?;
        refuse_nothing(table)?;
        let id =
            fields.text("id", 64)?.ok_or_else(|| fields.error("id", "missing, expected a name such as \"boiler\""))?;
        let id = TaskId::new(id).map_err(|problem| fields.error("id", problem.to_string()))?;
        let default = Registration {
            criteria: criteria.clone(),
            min_on: MIN_TIME,
            min_off: MIN_TIME,
            configured: true,
            ..Registration::new(&id, Watts::ZERO)
        };
        let commands = CommandPayloads { on: "ON".into(), off: "OFF".into() };
        let RegistrationMessage { registration, commands } = registration_of(&fields, default, commands)?;
        if commands.on == commands.off {
            return Err(fields.error("payload_off", "expected another than payload_on: a toggle can't be steered"));
        }
        let availability = availability(&fields)?;
        let registration = Registration { awaits_availability: availability.is_some(), ..registration };
        let command_topic = topic(&fields, "command_topic")?;
        let command_topic = command_topic
            .ok_or_else(|| fields.error("command_topic", "missing, expected a topic such as \"cmnd/boiler/POWER\""))?;
        let task = Self {
            running: running(&fields, &commands)?,
            runnable: condition(&fields, "runnable_topic", "runnable_template")?,
            stoppable: condition(&fields, "stoppable_topic", "stoppable_template")?,
            availability,
            optimistic: fields.flag("optimistic")?.unwrap_or(!fields.has("state_topic")),
            query: query(&fields)?,
            setpoint: setpoint(&fields, &registration)?,
            id,
            registration,
            commands,
            command_topic,
        };
        if task.running.is_none() && !task.optimistic {
            return Err(
                fields.error("optimistic", "expected true where there is no state_topic: its state is never told")
            );
        }
        if task.registration.finished.is_some() && task.registration.keys.is_empty() {
            return Err(fields.error("finished", "needs keys beside it: nothing else measures what it uses"));
        }
        if task.running.is_none() && task.registration.expire_after.is_some() {
            return Err(needs(&fields, "expire_after", "state_topic"));
        }
        Ok(task)
    }

    /// Every topic that it listens to, possibly more than once, with what for.
    pub fn listens_to(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let sources = [
            ("its state", &self.running),
            ("whether it is runnable", &self.runnable),
            ("whether it is stoppable", &self.stoppable),
            ("its availability", &self.availability),
        ];
        sources.into_iter().filter_map(|(what, source)| Some((what, source.as_ref()?.topic.as_str())))
    }
}

fn running(fields: &Fields<'_>, commands: &CommandPayloads) -> Result<Option<Source>, PayloadError> {
    let on = fields.text("state_on", LONGEST)?.unwrap_or(&commands.on);
    let off = fields.text("state_off", LONGEST)?.unwrap_or(&commands.off);
    if on.trim().eq_ignore_ascii_case(off.trim()) {
        return Err(fields.error("state_off", "expected another than state_on"));
    }
    let words = Words::new("state_on", on, "state_off", off);
    match topic(fields, "state_topic")? {
        Some(topic) => Ok(Some(Source { topic, template: template(fields, "value_template")?, words })),
        None => without(fields, &["value_template", "state_on", "state_off"], "state_topic"),
    }
}

fn availability(fields: &Fields<'_>) -> Result<Option<Source>, PayloadError> {
    let online = fields.text("payload_available", LONGEST)?.unwrap_or("online");
    let offline = fields.text("payload_not_available", LONGEST)?.unwrap_or("offline");
    if online.trim().eq_ignore_ascii_case(offline.trim()) {
        return Err(fields.error("payload_not_available", "expected another than payload_available"));
    }
    let words = Words::new("payload_available", online, "payload_not_available", offline);
    match topic(fields, "availability_topic")? {
        Some(topic) => Ok(Some(Source { topic, template: template(fields, "availability_template")?, words })),
        None => without(
            fields,
            &["availability_template", "payload_available", "payload_not_available"],
            "availability_topic",
        ),
    }
}

/// `runnable` or `stoppable`; a template alone reads the state.
fn condition(
    fields: &Fields<'_>,
    topic_key: &'static str,
    template_key: &'static str,
) -> Result<Option<Source>, PayloadError> {
    let template = template(fields, template_key)?;
    let own = topic(fields, topic_key)?;
    let topic = match (own, &template) {
        (None, None) => return Ok(None),
        (Some(own), _) => own,
        (None, Some(_)) => topic(fields, "state_topic")?
            .ok_or_else(|| fields.error(template_key, format!("needs {topic_key} or state_topic beside it")))?,
    };
    Ok(Some(Source { topic, template, words: Words::truth(template_key) }))
}

fn query(fields: &Fields<'_>) -> Result<Option<ToDevice>, PayloadError> {
    // Empty is what asks a Tasmota.
    let fits = |payload: &&str| payload.len() <= LONGEST;
    let expected = format!("text of at most {LONGEST} bytes");
    let payload = fields.read("query_payload", &expected, |value| value.as_str().filter(fits))?.unwrap_or_default();
    match topic(fields, "query_topic")? {
        Some(topic) => Ok(Some(ToDevice { topic, payload: payload.to_owned() })),
        None => without(fields, &["query_payload"], "query_topic"),
    }
}

fn setpoint(fields: &Fields<'_>, registration: &Registration) -> Result<Option<Setpoint>, PayloadError> {
    let Some(topic) = topic(fields, "setpoint_topic")? else {
        return without(fields, &["setpoint_template"], "setpoint_topic");
    };
    if !registration.auto_adjust || registration.max_power.is_none() {
        return Err(fields.error("setpoint_topic", "needs auto_adjust = true and max_power beside it"));
    }
    Ok(Some(Setpoint { topic, template: watts_template(fields)? }))
}

/// Keys that mean nothing without another one.
fn without<T>(fields: &Fields<'_>, keys: &[&str], other: &str) -> Result<Option<T>, PayloadError> {
    keys.iter().find(|key| fields.has(key)).map_or(Ok(None), |key| Err(needs(fields, key, other)))
}

fn needs(fields: &Fields<'_>, key: &str, other: &str) -> PayloadError {
    fields.error(key, format!("needs {other} beside it"))
}

fn topic(fields: &Fields<'_>, key: &str) -> Result<Option<String>, PayloadError> {
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

/// The template that makes of watts what the device understands.
fn watts_template(fields: &Fields<'_>) -> Result<Option<Template>, PayloadError> {
    const KEY: &str = "setpoint_template";
    let Some(source) = fields.read(KEY, "a template in quotes such as \"{{ value // 230 }}\"", Value::as_str)? else {
        return Ok(None);
    };
    Template::over(source, &["value"]).map(Some).map_err(|problem| fields.error(KEY, problem.to_string()))
}

/// TOML knows no null, but numbers that aren't any, which become one.
fn refuse_nothing(table: &Table) -> Result<(), PayloadError> {
    for (key, value) in table {
        match value {
            Value::Null => return Err(PayloadError::field(key.clone(), "expected a finite number")),
            Value::Object(inner) => refuse_nothing(inner).map_err(|problem| problem.within(key))?,
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said about a plug with these fields, and nothing if it is fine.
    fn check(fields: &str, expect: &str) {
        let table = format!(r#"{{"id": "a", "power": 1000, "command_topic": "a/set"{fields}}}"#);
        let table = serde_json::from_str(&table).unwrap();
        let said = Task::read(&table, &Criteria::default()).map(drop).map_err(|problem| problem.to_string());
        assert_eq!(said.err().unwrap_or_default(), expect, "{fields}");
    }

    const STATE: &str = r#", "state_topic": "a/state""#;

    #[test]
    fn keys_that_mean_nothing_alone_are_refused_alone() {
        check("", "");
        check(r#", "value_template": "{{ value }}""#, "value_template: needs state_topic beside it");
        check(r#", "state_off": "0""#, "state_off: needs state_topic beside it");
        check(r#", "payload_available": "1""#, "payload_available: needs availability_topic beside it");
        check(r#", "query_payload": "x""#, "query_payload: needs query_topic beside it");
        check(r#", "setpoint_template": "{{ value }}""#, "setpoint_template: needs setpoint_topic beside it");
        check(
            r#", "runnable_template": "{{ value }}""#,
            "runnable_template: needs runnable_topic or state_topic beside it",
        );
        check(r#", "stoppable_topic": "b", "stoppable_template": "{{ value }}""#, "");
        check(r#", "expire_after": "5m""#, "expire_after: needs state_topic beside it");
        check(&format!(r#"{STATE}, "expire_after": "5m", "runnable_template": "{{{{ value }}}}""#), "");
        check(
            r#", "optimistic": false"#,
            "optimistic: expected true where there is no state_topic: its state is never told",
        );
        check(r#", "setpoint_topic": "amp""#, "setpoint_topic: needs auto_adjust = true and max_power beside it");
        check(r#", "setpoint_topic": "amp", "auto_adjust": true, "max_power": 1000"#, "");
        let finished = r#", "finished": {"below": 20, "for": "10m"}"#;
        check(finished, "finished: needs keys beside it: nothing else measures what it uses");
        check(&format!(r#"{finished}, "keys": ["a"]"#), "");
    }

    #[test]
    fn words_that_can_not_be_told_apart_are_refused() {
        check(
            r#", "payload_on": "TOGGLE", "payload_off": "TOGGLE""#,
            "payload_off: expected another than payload_on: a toggle can't be steered",
        );
        check(&format!(r#"{STATE}, "state_on": "1", "state_off": " 1""#), "state_off: expected another than state_on");
        check(
            r#", "availability_topic": "b", "payload_available": "offline""#,
            "payload_not_available: expected another than payload_available",
        );
    }

    #[test]
    fn templates_must_compile_and_know_their_names() {
        let of = |template: &str| format!(r#"{STATE}, "value_template": "{template}""#);
        check(&of("{{ value_json.POWER }}"), "");
        for wrong in ["{{ value_json.POWER", "{{ states('switch.a') }}", "{{ value | flaot }}", "value_json.POWER"] {
            let table =
                serde_json::from_str(&format!(r#"{{"id": "a", "power": 1, "command_topic": "a"{}}}"#, of(wrong)));
            let said = Task::read(&table.unwrap(), &Criteria::default()).unwrap_err();
            assert_eq!(said.named(), Some("value_template"), "{wrong}: {said}");
        }
        let charger = r#", "setpoint_topic": "amp", "auto_adjust": true, "max_power": 3680"#;
        check(
            &format!(r#"{charger}, "setpoint_template": "{{{{ watts // 230 }}}}""#),
            "setpoint_template: `watts` is unknown: expected one of value",
        );
    }

    #[test]
    fn what_home_assistant_has_and_a_task_must_not_is_refused() {
        check(r#", "state_tpoic": "a""#, "state_tpoic: unknown field, did you mean `state_topic`?");
        check(r#", "unique_id": "a""#, "unique_id: is of use in Home Assistant only, leave it out");
        check(r#", "retain": true"#, "retain: is of use in Home Assistant only, leave it out");
        let table = serde_json::from_str(r#"{"id": "a", "power": 1, "command_topic": "a", "colour": 1}"#).unwrap();
        let said = Task::read(&table, &Criteria::default()).unwrap_err().to_string();
        assert!(said.starts_with("colour: unknown field, expected id, command_topic, "), "{said}");
    }
}
