//! The fields of a JSON object, read one by one: absent and `null` are the same, every error names the field.
//!
//! Nothing is converted: `"1400"` is no number and `"true"` is no flag.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::{Map, Value};

use super::payload_error::PayloadError;
use crate::core::Priority;
use crate::text::{hidden_in, is_shown};
use crate::units::{self, Watts};

/// What no home uses: 10 MW.
const MOST: f64 = 10e6;

/// The most keys of one task.
const MOST_KEYS: usize = 64;

/// The longest name of a key, in bytes.
const LONGEST_KEY: usize = 64;

/// The most of somebody's text that an error quotes, in characters.
const QUOTED: usize = 60;

/// An object and where it stands.
pub(crate) struct Fields<'a> {
    object: &'a Map<String, Value>,
    /// Of the fields' full names: empty, or such as `daily.`.
    prefix: String,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(object: &'a Map<String, Value>) -> Self {
        Self { object, prefix: String::new() }
    }

    /// An error about one field.
    pub(crate) fn error(&self, name: &str, problem: impl Into<String>) -> PayloadError {
        PayloadError::field(format!("{}{name}", self.prefix), problem)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'a Value> {
        self.object.get(name).filter(|value| !value.is_null())
    }

    /// Checks that every field is known.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), PayloadError> {
        let Some(unknown) = self.object.keys().find(|name| !known.contains(&name.as_str())) else {
            return Ok(());
        };
        let hint = match suggest(unknown, known) {
            Some(known) => format!("did you mean `{known}`?"),
            None => format!("expected {}", known.join(", ")),
        };
        Err(self.error(&shorten(unknown), format!("unknown field, {hint}")))
    }

    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, PayloadError> {
        self.read(name, "true or false", Value::as_bool)
    }

    /// Text of at most so many bytes, not empty.
    pub(crate) fn text(&self, name: &str, longest: usize) -> Result<Option<&'a str>, PayloadError> {
        let fits = |text: &&str| (1..=longest).contains(&text.len());
        self.read(name, &format!("text of 1 to {longest} bytes"), |value| value.as_str().filter(fits))
    }

    pub(super) fn watts_above_zero(&self, name: &str) -> Result<Option<Watts>, PayloadError> {
        let plausible = |watts: &f64| *watts > 0.0 && *watts <= MOST;
        self.read(name, POWER, |value| value.as_f64().filter(plausible).map(Watts))
    }

    /// Watts that may be 0 or negative.
    pub(super) fn watts(&self, name: &str) -> Result<Option<Watts>, PayloadError> {
        let plausible = |watts: &f64| watts.abs() <= MOST;
        self.read(name, "a number of watts within ±10 MW", |value| value.as_f64().filter(plausible).map(Watts))
    }

    pub(crate) fn duration(&self, name: &str) -> Result<Option<Duration>, PayloadError> {
        const EXPECTED: &str = "a duration such as \"90s\", \"5m\" or \"1h 30m\", or a number of seconds";
        self.read(name, EXPECTED, |value| units::duration::deserialize(value).ok())
    }

    pub(super) fn priority(&self, name: &str) -> Result<Option<Priority>, PayloadError> {
        const EXPECTED: &str = "\"low\", \"medium\", \"high\", \"urgent\" or 1 to 4";
        let Some(value) = self.get(name) else { return Ok(None) };
        let level = |number: f64| Priority::ALL.into_iter().find(|known| f64::from(known.level()) == number);
        match value {
            Value::String(text) => text.parse().ok(),
            _ => value.as_f64().and_then(level),
        }
        .map(Some)
        .ok_or_else(|| self.not_one_of(name, EXPECTED, &Priority::ALL.map(Priority::as_str), value))
    }

    /// One of some words, in any case.
    pub(super) fn word<'w>(&self, name: &str, words: &[&'w str]) -> Result<Option<&'w str>, PayloadError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let text = value.as_str().map(str::trim);
        let word = words.iter().find(|word| text.is_some_and(|text| text.eq_ignore_ascii_case(word)));
        let expected = || words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(" or ");
        word.map(|word| Some(*word)).ok_or_else(|| self.not_one_of(name, &expected(), words, value))
    }

    /// The names of a task's circuits.
    pub(super) fn keys(&self, name: &str) -> Result<Option<Vec<String>>, PayloadError> {
        let Some(list) = self.read(name, "a list of names such as [\"ev\"]", Value::as_array)? else { return Ok(None) };
        if list.len() > MOST_KEYS {
            return Err(self.error(name, format!("{} keys, at most {MOST_KEYS} are allowed", list.len())));
        }
        let mut keys: Vec<String> = Vec::with_capacity(list.len());
        for item in list {
            let problem = match item.as_str() {
                None => Some("is not a name: expected text such as \"ev\"".into()),
                Some("net") => Some("is the grid's own: expected names of what the task consumes".into()),
                Some("solar" | "grid" | "house") => {
                    Some("is the meter's own: expected names of what the task consumes".into())
                }
                Some(key) if keys.iter().any(|known| known == key) => Some("is there twice".into()),
                Some(key) => key_problem(key),
            };
            if let Some(problem) = problem {
                return Err(self.error(name, format!("{} {problem}", found(item))));
            }
            keys.extend(item.as_str().map(str::to_owned));
        }
        Ok(Some(keys))
    }

    /// An object within, with its fields.
    pub(super) fn object(&self, name: &str, known: &[&str]) -> Result<Option<Fields<'a>>, PayloadError> {
        let expected = format!("an object with {}", known.join(", "));
        let Some(object) = self.read(name, &expected, Value::as_object)? else { return Ok(None) };
        let fields = Fields { object, prefix: format!("{}{name}.", self.prefix) };
        fields.only(known)?;
        Ok(Some(fields))
    }

    /// `max_power` is not below `power`.
    pub(super) fn ordered(&self, power: Option<Watts>, max_power: Option<Watts>) -> Result<(), PayloadError> {
        match (power, max_power) {
            (Some(power), Some(max)) if max < power => {
                Err(self.error("max_power", format!("expected at least `power` ({}), found {}", power.0, max.0)))
            }
            _ => Ok(()),
        }
    }

    /// Any field. `valid` returns its value, or `None` if that is not what is `expected`.
    pub(crate) fn read<T>(
        &self,
        name: &str,
        expected: &str,
        valid: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, PayloadError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let error = || self.error(name, format!("expected {expected}, found {}", found(value)));
        valid(value).map(Some).ok_or_else(error)
    }

    fn not_one_of(&self, name: &str, expected: &str, words: &[&str], value: &Value) -> PayloadError {
        self.error(name, not_one_of(expected, words, value))
    }
}

/// What `power` should be.
pub(super) const POWER: &str = "a number of watts above 0, at most 10 MW";

/// `expected …, found …: did you mean …?`
pub(super) fn not_one_of(expected: &str, words: &[&str], value: &Value) -> String {
    let hint = value.as_str().and_then(|text| suggest(text, words));
    let hint = hint.map(|word| format!(": did you mean \"{word}\"?")).unwrap_or_default();
    format!("expected {expected}, found {}{hint}", found(value))
}

/// Why a name can't be a key of measured values.
pub(crate) fn key_problem(key: &str) -> Option<Cow<'static, str>> {
    match key {
        "" => Some("is empty: expected a name such as \"ev\"".into()),
        _ if key.starts_with('@') => Some("begins with @, which Sunward keeps for itself".into()),
        _ if key.len() > LONGEST_KEY => Some("is too long: at most 64 bytes are allowed".into()),
        _ => hidden_in(key).map(|hidden| hidden_character(hidden).into()),
    }
}

/// Why a name can't hold this character.
pub(super) fn hidden_character(letter: char) -> String {
    format!("holds U+{:04X}, which does not show itself: expected no control characters", u32::from(letter))
}

/// A value as an error quotes it.
pub(crate) fn found(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{:?}", shorten(text)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        plain => plain.to_string(),
    }
}

/// The start of a text on one line.
fn shorten(text: &str) -> String {
    let line = |letter: char| if is_shown(letter) { letter } else { '\u{fffd}' };
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => text[..end].chars().map(line).chain("…".chars()).collect(),
        None => text.chars().map(line).collect(),
    }
}

/// The known word that somebody may have meant by another one.
fn suggest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    if word.len() > QUOTED {
        return None;
    }
    let word = word.trim().to_lowercase();
    let distance = |known: &str| strsim::damerau_levenshtein(&word, known);
    let best = known.iter().min_by_key(|known| distance(known))?;
    (distance(best) <= (best.len() / 3).max(1)).then_some(*best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggestions_are_near_or_none() {
        let known = ["power", "max_power", "min_on", "priority"];
        for (word, expect) in [
            ("pwer", Some("power")),
            ("maxPower", Some("max_power")),
            ("MinOn", Some("min_on")),
            ("prio", None),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(suggest(word, &known), expect, "{word}");
        }
        assert_eq!(suggest(&"power".repeat(1000), &known), None);
    }

    #[test]
    fn quotes_are_short_and_on_one_line() {
        assert_eq!(found(&"a\nb".into()), "\"a\u{fffd}b\"");
        assert_eq!(found(&"é".repeat(500).into()).chars().count(), QUOTED + 3);
    }
}
