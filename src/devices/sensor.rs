//! A configured sensor: a topic, a template, a unit and a scale make a key's value of a message (SPEC section 3).
//!
//! Refuses wildcards where several topics would fall into one key, units of anything but power, and to take what the
//! broker replays for news.

use std::collections::HashMap;
use std::time::Duration;

use minijinja::context;
use serde::{Deserialize, Serialize};

use crate::devices::template::{Absent, Failure, Message, Template, Yield, number};
use crate::units::{PowerUnit, Watts, duration};
use crate::wire::topic::{check_filter, has_wildcard};
use crate::wire::{PayloadError, key_problem};

/// So many topics of one wildcard are told apart.
const MOST_TOPICS: usize = 1_000;

/// So many messages without any value look like a wrong template.
const SUSPICIOUS: u64 = 20;

/// `[[power.sensor]]`: one value on a topic, by Home Assistant's names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SensorSettings {
    /// What is measured, or a template over `topic` where that has wildcards.
    pub key: String,
    /// Where it is published.
    pub topic: String,
    /// Finds the value in the message; absent: the payload is a number.
    #[serde(default)]
    pub value_template: Option<String>,
    /// `W` or `kW`; absent: as it comes.
    #[serde(default)]
    pub unit_of_measurement: Option<String>,
    /// The value is multiplied by this; -1 inverts it.
    #[serde(default = "unscaled")]
    pub scale: f64,
    /// The value counts for so long; absent: `power.expire_after`; 0: for ever.
    #[serde(default, with = "duration::option")]
    pub expire_after: Option<Duration>,
}

fn unscaled() -> f64 {
    1.0
}

/// One `[[power.sensor]]` while Sunward runs.
#[derive(Debug)]
pub(super) struct Sensor {
    key: Key,
    filter: String,
    template: Option<Template>,
    factor: f64,
    /// None: never.
    pub(super) expire_after: Option<Duration>,
    messages: u64,
    values: u64,
}

#[derive(Debug)]
enum Key {
    Named(String),
    /// One for each topic that the wildcard has met; none for topics that the template leaves out.
    OfTopic {
        template: Box<Template>,
        met: HashMap<String, Option<String>>,
    },
}

/// What a sensor made of a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Which of `[[power.sensor]]`, from 0.
    pub sensor: usize,
    /// Whose value it is; none if that is what failed.
    pub key: Option<String>,
    /// What it made of it.
    pub outcome: Outcome,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// A new value.
    Value(Watts),
    /// A value that the broker had kept: it may be days old, and changes nothing.
    Retained(Watts),
    /// The message has none: the last one stays.
    Absent(Absent),
    /// It can't be read.
    Failed(Failure),
}

impl Sensor {
    /// A sensor out of its configuration; `expire_after` is that of sensors that bring none.
    ///
    /// # Errors
    /// Every field that can't be meant, and why.
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
        let key = Key::new(&written.key, has_wildcard(&written.topic));
        let key = key.map_err(|problem| expect("key", Err(problem)));
        let endless = written.key == "net" && written.expire_after.is_some_and(|time| time.is_zero());
        let never = "expected more than 0s: without a new value of `net` nobody knows what the grid delivers";
        expect("expire_after", if endless { Err(never.into()) } else { Ok(()) });
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

    pub(super) fn filter(&self) -> &str {
        &self.filter
    }

    /// Its key, unless each topic has its own.
    pub(super) fn key(&self) -> Option<&str> {
        match &self.key {
            Key::Named(name) => Some(name),
            Key::OfTopic { .. } => None,
        }
    }

    /// What it makes of a message on a topic that fits; nothing if its key template leaves that topic out.
    pub(super) fn receive(&mut self, message: &Message<'_>, retain: bool) -> Option<(Option<String>, Outcome)> {
        let key = match self.key.of(message.topic()) {
            Ok(key) => key?,
            Err(problem) => return Some((None, Outcome::Failed(problem))),
        };
        let outcome = match self.read(message) {
            // What never expires is as good as it was when it was published.
            Ok(Ok(value)) if retain && self.expire_after.is_some() => Outcome::Retained(value),
            Ok(Ok(value)) => Outcome::Value(value),
            Ok(Err(absent)) => Outcome::Absent(absent),
            Err(problem) => Outcome::Failed(problem),
        };
        self.messages += 1;
        self.values += u64::from(matches!(outcome, Outcome::Value(_) | Outcome::Retained(_)));
        Some((Some(key), outcome))
    }

    fn read(&self, message: &Message<'_>) -> Result<Result<Watts, Absent>, Failure> {
        let text = match self.template.as_ref().map(|template| template.read(message)).transpose()? {
            None => message.text().to_owned(),
            Some(Yield::Text(text)) => text,
            Some(Yield::Absent(absent)) => return Ok(Err(absent)),
        };
        let value = number(&text).map_err(|Failure(problem)| {
            let is_json = self.template.is_none() && text.trim_start().starts_with(['{', '[']);
            let hint = if is_json { ": a value_template says where in it the number is" } else { "" };
            Failure(format!("{problem}{hint}"))
        })?;
        Ok(value.map(|value| Watts(value) * self.factor))
    }

    /// What looks wrong with it by now.
    pub(super) fn suspicion(&self) -> Option<String> {
        let Self { filter, messages, .. } = self;
        (self.values == 0 && *messages >= SUSPICIOUS)
            .then(|| format!("{filter}: none of {messages} messages had a value, is the value_template right?"))
    }
}

/// What a value in this unit is multiplied by to be watts.
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

impl Key {
    fn new(written: &str, wildcard: bool) -> Result<Self, String> {
        let is_template = written.contains("{{") || written.contains("{%");
        let example = "as in \"{{ topic.split('/')[1] }}\"";
        if !is_template {
            return match name_problem(written) {
                Some(problem) => Err(format!("`{written}` {problem}")),
                None if wildcard => Err(format!(
                    "`{written}` would be the key of every topic that fits: expected a template over `topic`, {example}"
                )),
                None => Ok(Self::Named(written.to_owned())),
            };
        }
        let template = Template::over(written, &["topic"]).map_err(|problem| problem.to_string())?;
        if !template.uses("topic") {
            return Err(format!("expected a template over `topic`, {example}"));
        }
        Ok(Self::OfTopic { template: Box::new(template), met: HashMap::new() })
    }

    /// The key of a topic's values.
    fn of(&mut self, topic: &str) -> Result<Option<String>, Failure> {
        let (template, met) = match self {
            Self::Named(name) => return Ok(Some(name.clone())),
            Self::OfTopic { template, met } => (template, met),
        };
        if let Some(key) = met.get(topic) {
            return Ok(key.clone());
        }
        let key = match template.fill(context! { topic => topic })? {
            Yield::Absent(_) => None,
            Yield::Text(key) => {
                if let Some(problem) = name_problem(&key) {
                    return Err(Failure(format!("the key `{key}` {problem}")));
                }
                if let Some((other, _)) = met.iter().find(|(_, taken)| taken.as_ref() == Some(&key)) {
                    return Err(Failure(format!(
                        "the key `{key}` is that of {other} already: each topic needs its own"
                    )));
                }
                Some(key)
            }
        };
        if met.len() >= MOST_TOPICS {
            return Err(Failure(format!("more than {MOST_TOPICS} topics fit")));
        }
        met.insert(topic.to_owned(), key.clone());
        Ok(key)
    }
}

/// Why a name can't be a key, as the end of a sentence.
pub(super) fn name_problem(name: &str) -> Option<&'static str> {
    match name {
        "time" => Some("says in records when they were measured: expected another name"),
        _ if name.trim() != name => Some("has spaces at its ends"),
        _ => key_problem(name),
    }
}
