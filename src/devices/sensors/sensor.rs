//! One configured sensor: topic, template, unit and scale turn a message into the value of a key.
//!
//! What the broker had retained is old, and never a new value unless the sensor's values don't expire.

use std::time::Duration;

use super::key::SensorKey;
use super::reading::Outcome;
use super::settings::SensorSettings;
use crate::devices::template::{Absent, DeviceMessage, Rendered, Template, TemplateFailure, number};
use crate::units::{PowerUnit, Quantity};
use crate::wire::PayloadError;
use crate::wire::topic::{check_filter, has_wildcard};

/// After so many messages without any value the template is probably wrong.
const SUSPICIOUS: u64 = 20;

/// One `[[power.sensor]]` while Sunward runs.
#[derive(Debug)]
pub(super) struct Sensor {
    key: SensorKey,
    filter: String,
    template: Option<Template>,
    factor: f64,
    /// How long a value is valid; `None`: for ever.
    pub(super) expire_after: Option<Duration>,
    messages: u64,
    values: u64,
}

impl Sensor {
    /// Reads the settings of a sensor. `expire_after` is the default for sensors without their own.
    ///
    /// # Errors
    /// Every field that is wrong, and why.
    pub(super) fn new(written: &SensorSettings, expire_after: Duration) -> Result<Self, Vec<PayloadError>> {
        let mut problems = Vec::new();
        let mut expect = |field: &'static str, outcome: Result<(), String>| {
            problems.extend(outcome.err().map(|problem| PayloadError::field(field, problem)));
        };
        expect("topic", check_filter(&written.topic));
        let template = written.value_template.as_deref().map(Template::new).transpose();
        let template = template.map_err(|problem| expect("value_template", Err(problem.to_string())));
        let factor = factor(written.unit_of_measurement.as_deref());
        let factor = factor.map_err(|problem| expect("unit_of_measurement", Err(problem)));
        let scaled = written.scale.is_finite() && written.scale != 0.0;
        let found = || format!("expected a number other than 0, such as -1, found {}", written.scale);
        expect("scale", if scaled { Ok(()) } else { Err(found()) });
        let key = SensorKey::new(&written.key, has_wildcard(&written.topic));
        let key = key.map_err(|problem| expect("key", Err(problem)));
        let never_expires = written.key == "net" && written.expire_after.is_some_and(|time| time.is_zero());
        let expected = "expected more than 0s: without a new value of `net` nobody knows what the grid delivers";
        expect("expire_after", if never_expires { Err(expected.into()) } else { Ok(()) });
        match (key, template, factor) {
            (Ok(key), Ok(template), Ok(factor)) if problems.is_empty() => Ok(Self {
                key,
                filter: written.topic.clone(),
                template,
                factor: factor * written.scale,
                expire_after: Some(written.expire_after.unwrap_or(expire_after)).filter(|time| !time.is_zero()),
                messages: 0,
                values: 0,
            }),
            _ => Err(problems),
        }
    }

    /// Returns the topic that it listens to, maybe with wildcards.
    pub(super) fn filter(&self) -> &str {
        &self.filter
    }

    /// Returns its key, unless each topic has its own.
    pub(super) fn key(&self) -> Option<&str> {
        match &self.key {
            SensorKey::Fixed(name) => Some(name),
            SensorKey::PerTopic { .. } => None,
        }
    }

    /// Takes a message on a topic that matches its filter. Returns the key and what the message came to; `None` if the
    /// template of the key leaves this topic out.
    pub(super) fn receive(&mut self, message: &DeviceMessage<'_>, retain: bool) -> Option<(Option<String>, Outcome)> {
        let key = match self.key.of(message.topic()) {
            Ok(key) => key?,
            Err(problem) => return Some((None, Outcome::Failed(problem))),
        };
        let outcome = match self.read(message) {
            // A value that never expires is still valid, however old it is.
            Ok(Ok(value)) if retain && self.expire_after.is_some() => Outcome::Retained(value),
            Ok(Ok(value)) => Outcome::Value(value),
            Ok(Err(absent)) => Outcome::Absent(absent),
            Err(problem) => Outcome::Failed(problem),
        };
        self.messages += 1;
        self.values += u64::from(matches!(outcome, Outcome::Value(_) | Outcome::Retained(_)));
        Some((Some(key), outcome))
    }

    fn read(&self, message: &DeviceMessage<'_>) -> Result<Result<Quantity, Absent>, TemplateFailure> {
        let text = match self.template.as_ref().map(|template| template.read(message)).transpose()? {
            None => message.text().to_owned(),
            Some(Rendered::Text(text)) => text,
            Some(Rendered::Absent(absent)) => return Ok(Err(absent)),
        };
        let value = number(&text).map_err(|TemplateFailure(problem)| {
            let is_json = self.template.is_none() && text.trim_start().starts_with(['{', '[']);
            let hint = if is_json { ": a value_template says where in it the number is" } else { "" };
            TemplateFailure(format!("{problem}{hint}"))
        })?;
        Ok(value.map(|value| Quantity(value * self.factor)))
    }

    /// Returns what is probably wrong with its settings, in words.
    pub(super) fn suspicion(&self) -> Option<String> {
        let Self { filter, messages, .. } = self;
        (self.values == 0 && *messages >= SUSPICIOUS)
            .then(|| format!("{filter}: none of {messages} messages had a value, is the value_template right?"))
    }
}

/// Returns how many watts one of this unit is.
fn factor(unit: Option<&str>) -> Result<f64, String> {
    match unit {
        None | Some("W") => Ok(PowerUnit::Watts.watts()),
        Some("kW") => Ok(PowerUnit::Kilowatts.watts()),
        Some(unit) => {
            let hint = match unit.to_lowercase().as_str() {
                "w" | "watt" | "watts" => ", write \"W\"",
                "kw" => ", write \"kW\"",
                "mw" => ": write \"W\", with scale = 0.001 for milliwatts or 1000000 for megawatts",
                "wh" | "kwh" | "mwh" => {
                    ": that is energy, which only ever grows; look for the field with the power of the moment"
                }
                "%" => ": leave it out for what is no power, such as a state of charge",
                _ => ", or nothing for what is no power",
            };
            Err(format!("expected \"W\" or \"kW\", found \"{unit}\"{hint}"))
        }
    }
}
