//! A message as templates see it: its topic, its text, and its JSON.
//!
//! Refuses bytes that are no text. Whether the text is JSON is a question that only a template asks.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use minijinja::value::{Serde, Value};
use serde_json::Value as Json;

use crate::devices::template::Failure;
use crate::wire::without_endless_numbers;

/// A message as templates see it. Its JSON is read once, and only if a template asks.
pub struct Message<'a> {
    topic: &'a str,
    text: &'a str,
    json: OnceCell<Result<Document, String>>,
}

/// The JSON of a message.
pub(super) struct Document {
    pub(super) as_sent: Value,
    /// With every `null` left out, if there are any.
    pub(super) without_nulls: Option<Value>,
}

impl<'a> Message<'a> {
    /// A message as it came.
    ///
    /// # Errors
    /// When its payload is no text.
    pub fn new(topic: &'a str, payload: &'a [u8]) -> Result<Self, Failure> {
        let text = std::str::from_utf8(payload);
        let text = text.map_err(|_| Failure("expected text, found bytes that are not UTF-8".into()))?;
        Ok(Self { topic, text, json: OnceCell::new() })
    }

    /// The topic it came on.
    #[must_use]
    pub fn topic(&self) -> &'a str {
        self.topic
    }

    /// Its payload.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }

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
        // The others keep their numbers.
        Json::Array(items) => items.iter().map(without_nulls).collect::<Vec<_>>().into(),
        Json::Object(fields) => {
            let kept = fields.iter().filter(|(_, value)| !value.is_null());
            kept.map(|(name, value)| (name.clone(), without_nulls(value))).collect::<BTreeMap<_, _>>().into()
        }
        other => Value::from(Serde(other)),
    }
}
