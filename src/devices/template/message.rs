//! A message as templates see it: its topic, its text, and its JSON.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use minijinja::value::{Serde, Value};
use serde_json::Value as Json;

use super::rendered::TemplateFailure;
use crate::jinja::CONFIGURATION;
use crate::wire::without_endless_numbers;

/// The largest message of a device, in bytes. No template could read more, and the JSON of a megabyte takes forty in memory.
const LARGEST: usize = CONFIGURATION.value;

/// A message of a device as templates see it. Its JSON is read once, and only if a template uses `value_json`.
pub struct DeviceMessage<'a> {
    topic: &'a str,
    text: &'a str,
    json: OnceCell<Result<Document, String>>,
}

/// The JSON of a message.
pub(super) struct Document {
    pub(super) as_sent: Value,
    /// Without its `null`s, if it has any. In lists they are undefined, so that the others keep their numbers.
    pub(super) without_nulls: Option<Value>,
}

impl<'a> DeviceMessage<'a> {
    /// Returns the message with this payload.
    ///
    /// # Errors
    /// When the payload is larger than 256 KiB, or not UTF-8.
    pub fn new(topic: &'a str, payload: &'a [u8]) -> Result<Self, TemplateFailure> {
        if payload.len() > LARGEST {
            return Err(TemplateFailure(format!("{} bytes, at most {LARGEST} are allowed", payload.len())));
        }
        let text = std::str::from_utf8(payload);
        let text = text.map_err(|_| TemplateFailure("expected text, found bytes that are not UTF-8".into()))?;
        Ok(Self { topic, text, json: OnceCell::new() })
    }

    /// Returns the topic on which it came.
    #[must_use]
    pub fn topic(&self) -> &'a str {
        self.topic
    }

    /// Returns its payload.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Returns its JSON, or why it has none.
    pub(super) fn json(&self) -> Result<&Document, &str> {
        let read = self.json.get_or_init(|| {
            let json: Json =
                serde_json::from_str(&without_endless_numbers(self.text)).map_err(|problem| problem.to_string())?;
            let without_nulls = has_null(&json).then(|| without_nulls(&json));
            Ok(Document { as_sent: Value::from(Serde(&json)), without_nulls })
        });
        read.as_ref().map_err(String::as_str)
    }
}

fn has_null(json: &Json) -> bool {
    match json {
        Json::Null => true,
        Json::Array(items) => items.iter().any(has_null),
        Json::Object(fields) => fields.values().any(has_null),
        _ => false,
    }
}

fn without_nulls(json: &Json) -> Value {
    match json {
        Json::Null => Value::UNDEFINED,
        Json::Array(items) => items.iter().map(without_nulls).collect::<Vec<_>>().into(),
        Json::Object(fields) => {
            let kept = fields.iter().filter(|(_, value)| !value.is_null());
            kept.map(|(name, value)| (name.clone(), without_nulls(value))).collect::<BTreeMap<_, _>>().into()
        }
        other => Value::from(Serde(other)),
    }
}
