//! `[[task]]`: an off-the-shelf device as it is configured, with Home Assistant's names and meanings.
//!
//! A wrong table is an error that names its key. What one task must not be beside others is checked by `config`.

use std::time::Duration;

use super::binary::BinaryTopic;
use super::outgoing::{SetpointTopic, ToDevice};
use super::table::{availability, condition, needs, only_finite, query, running, setpoint, topic};
use crate::core::{Criteria, Registration, TaskId};
use crate::units::Watts;
use crate::wire::{
    CommandPayloads, Fields, PayloadError, REGISTRATION_FIELDS, RegistrationMessage, Table, registration_of,
};

/// The keys of a `[[task]]` beside those of a registration.
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

/// The keys of Home Assistant's MQTT switch that are about how Home Assistant shows or sends something.
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

/// The default of `min_on` and `min_off`: a plain relay has no protection of its own against frequent switching.
pub(crate) const MIN_TIME: Duration = Duration::from_secs(300);

/// One `[[task]]` of the configuration.
#[derive(Debug)]
pub struct DeviceTask {
    /// Its id.
    pub id: TaskId,
    /// What it would register over MQTT, with the defaults of a plain relay.
    pub registration: Registration,
    /// The payloads of its commands.
    pub commands: CommandPayloads,
    /// The topic of its starts and stops.
    pub command_topic: String,
    /// Where its set-points go; `None`: to Sunward's own topic.
    pub(super) setpoint: Option<SetpointTopic>,
    pub(super) running: Option<BinaryTopic>,
    pub(super) runnable: Option<BinaryTopic>,
    pub(super) stoppable: Option<BinaryTopic>,
    pub(super) availability: Option<BinaryTopic>,
    /// A command that was sent counts as done.
    pub(super) optimistic: bool,
    /// The message that asks it for its state.
    pub(super) query: Option<ToDevice>,
}

impl DeviceTask {
    /// Reads a table of the configuration. `criteria` are the default for tasks without their own.
    ///
    /// # Errors
    /// Names the first key that is wrong.
    pub fn read(table: &Table, criteria: &Criteria) -> Result<Self, PayloadError> {
        let fields = Fields::new(table);
        let known: Vec<&str> = FIELDS.iter().chain(&REGISTRATION_FIELDS).copied().collect();
        if let Some(key) = table.keys().find(|key| OF_HOME_ASSISTANT.contains(&key.as_str())) {
            return Err(fields.error(key, "is of use in Home Assistant only, leave it out"));
        }
        fields.only(&known)?;
        only_finite(table)?;
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

    /// Returns every topic that it listens to, possibly more than once, with what it tells in words.
    pub fn listens_to(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let topics = [
            ("its state", &self.running),
            ("whether it is runnable", &self.runnable),
            ("whether it is stoppable", &self.stoppable),
            ("its availability", &self.availability),
        ];
        topics.into_iter().filter_map(|(what, told)| Some((what, told.as_ref()?.topic.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said about a plug with these fields, and nothing if it is fine.
    fn check(fields: &str, expect: &str) {
        let table = format!(r#"{{"id": "a", "power": 1000, "command_topic": "a/set"{fields}}}"#);
        let table = serde_json::from_str(&table).unwrap();
        let said = DeviceTask::read(&table, &Criteria::default()).map(drop).map_err(|problem| problem.to_string());
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
            let said = DeviceTask::read(&table.unwrap(), &Criteria::default()).unwrap_err();
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
        let said = DeviceTask::read(&table, &Criteria::default()).unwrap_err().to_string();
        assert!(said.starts_with("colour: unknown field, expected id, command_topic, "), "{said}");
    }
}
