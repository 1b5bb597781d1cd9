//! One thing that a device tells on a topic: yes, no, unknown, or nothing of that kind in this message.
//!
//! Refuses words that it was not told: they are reported with those that were expected.

use super::template::{Absent, Message, Template, Yield};
use crate::jinja::is_placeholder;

/// The longest text that a refusal quotes, in characters.
const QUOTED: usize = 60;

/// Where something is told, and in which words.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) topic: String,
    pub(super) template: Option<Template>,
    pub(super) words: Words,
}

/// What a message said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// Yes or no.
    Said(bool),
    /// That nobody knows.
    Unknown,
    /// Nothing: what was known stays.
    Nothing,
}

/// The words for yes and no. Case means nothing.
#[derive(Debug)]
pub(super) struct Words {
    yes: Vec<String>,
    no: Vec<String>,
    expected: String,
}

impl Words {
    /// One word each, with the keys that name them.
    pub(super) fn new(yes_key: &str, yes: &str, no_key: &str, no: &str) -> Self {
        let expected = format!("{yes:?} ({yes_key}) or {no:?} ({no_key})");
        Self { yes: vec![yes.trim().to_owned()], no: vec![no.trim().to_owned()], expected }
    }

    /// The usual words for true and false; other words need this template.
    pub(super) fn truth(template: &str) -> Self {
        let words = |words: [&str; 4]| words.map(str::to_owned).to_vec();
        Self {
            yes: words(["true", "on", "yes", "1"]),
            no: words(["false", "off", "no", "0"]),
            expected: format!("true, on, yes, 1 or false, off, no, 0 ({template} can make them of other words)"),
        }
    }

    fn read(&self, text: &str) -> Result<Reading, String> {
        let is_among = |words: &[String]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
        if is_among(&self.yes) {
            Ok(Reading::Said(true))
        } else if is_among(&self.no) {
            Ok(Reading::Said(false))
        } else if text.is_empty() {
            Ok(Reading::Nothing)
        } else if is_placeholder(text) {
            Ok(Reading::Unknown)
        } else {
            let found: String = text.chars().take(QUOTED).collect();
            Err(format!("expected {}, found {found:?}", self.expected))
        }
    }
}

impl Source {
    /// What this message says of it.
    ///
    /// # Errors
    /// What was expected, and what was found.
    pub(super) fn read(&self, message: &Message<'_>) -> Result<Reading, String> {
        let Some(template) = &self.template else { return self.words.read(message.text().trim()) };
        match template.read(message).map_err(|failure| failure.to_string())? {
            Yield::Text(text) | Yield::Absent(Absent::Placeholder(text)) => self.words.read(&text),
            Yield::Absent(Absent::Missing) => Ok(Reading::Nothing),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &Source, table: &[(&str, Result<Reading, &str>)]) {
        for (payload, expect) in table {
            let read = source.read(&Message::new("t", payload.as_bytes()).unwrap());
            match (&read, expect) {
                (Err(found), Err(expect)) => assert_eq!(found, expect, "{payload}"),
                _ => assert_eq!(read.as_ref().ok(), expect.as_ref().ok(), "{payload}: {read:?}"),
            }
        }
    }

    fn source(template: Option<&str>, words: Words) -> Source {
        Source { topic: "t".into(), template: template.map(|source| Template::new(source).unwrap()), words }
    }

    #[test]
    fn words_mean_the_same_in_any_case_and_others_are_refused() {
        let on_or_off = source(None, Words::new("state_on", "ON", "state_off", "OFF"));
        check(
            &on_or_off,
            &[
                ("ON", Ok(Reading::Said(true))),
                (" off\r\n", Ok(Reading::Said(false))),
                ("", Ok(Reading::Nothing)),
                ("None", Ok(Reading::Unknown)),
                ("unavailable", Ok(Reading::Unknown)),
                ("true", Err("expected \"ON\" (state_on) or \"OFF\" (state_off), found \"true\"")),
            ],
        );
        let unavailable = source(None, Words::new("state_on", "heat", "state_off", "unavailable"));
        check(&unavailable, &[("unavailable", Ok(Reading::Said(false)))]);
    }

    #[test]
    fn a_template_may_find_nothing() {
        let output = source(Some("{{ value_json.output }}"), Words::new("state_on", "true", "state_off", "false"));
        check(
            &output,
            &[
                (r#"{"output": true, "apower": 3}"#, Ok(Reading::Said(true))),
                (r#"{"output": false}"#, Ok(Reading::Said(false))),
                (r#"{"apower": 3}"#, Ok(Reading::Nothing)),
                (r#"{"output": null}"#, Ok(Reading::Nothing)),
                ("", Ok(Reading::Nothing)),
            ],
        );
        assert!(output.read(&Message::new("t", b"yes").unwrap()).unwrap_err().contains("not JSON"));
    }

    #[test]
    fn truth_has_several_words() {
        let plugged = source(Some("{{ value_json.car == 2 }}"), Words::truth("runnable_template"));
        check(&plugged, &[(r#"{"car": 2}"#, Ok(Reading::Said(true))), (r#"{"car": 1}"#, Ok(Reading::Said(false)))]);
        let plain = source(None, Words::truth("runnable_template"));
        for (payload, expect) in
            [("Yes", true), ("1", true), ("on", true), ("FALSE", false), ("0", false), ("no", false)]
        {
            check(&plain, &[(payload, Ok(Reading::Said(expect)))]);
        }
        check(
            &plain,
            &[(
                "charging",
                Err(
                    "expected true, on, yes, 1 or false, off, no, 0 (runnable_template can make them of other words), \
                     found \"charging\"",
                ),
            )],
        );
    }
}
