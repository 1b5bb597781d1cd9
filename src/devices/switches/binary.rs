//! A topic on which a device tells one thing that is true or false, as a binary sensor of Home Assistant does.
//!
//! A word that is not configured is an error, which names those that are.

use crate::devices::template::{Absent, DeviceMessage, Rendered, Template};
use crate::jinja::is_placeholder;

/// The longest text that an error quotes, in characters.
const QUOTED: usize = 60;

/// The topic, and how to read its messages.
#[derive(Debug)]
pub(super) struct BinaryTopic {
    pub(super) topic: String,
    pub(super) template: Option<Template>,
    pub(super) words: BinaryWords,
}

/// What a message tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BinaryValue {
    /// True or false.
    Known(bool),
    /// That the device doesn't know.
    Unknown,
    /// The message tells nothing of it: the last value stays.
    Untold,
}

/// The words for true and false, in any case.
#[derive(Debug)]
pub(super) struct BinaryWords {
    yes: Vec<String>,
    no: Vec<String>,
    expected: String,
}

impl BinaryWords {
    /// One word each, with the keys of the configuration that set them.
    pub(super) fn new(yes_key: &str, yes: &str, no_key: &str, no: &str) -> Self {
        let expected = format!("{yes:?} ({yes_key}) or {no:?} ({no_key})");
        Self { yes: vec![yes.trim().to_owned()], no: vec![no.trim().to_owned()], expected }
    }

    /// The usual words for true and false. For others the user has to write the template of this key.
    pub(super) fn usual(template_key: &str) -> Self {
        let words = |words: [&str; 4]| words.map(str::to_owned).to_vec();
        Self {
            yes: words(["true", "on", "yes", "1"]),
            no: words(["false", "off", "no", "0"]),
            expected: format!("true, on, yes, 1 or false, off, no, 0 ({template_key} can make them of other words)"),
        }
    }

    fn read(&self, text: &str) -> Result<BinaryValue, String> {
        let is_among = |words: &[String]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
        if is_among(&self.yes) {
            Ok(BinaryValue::Known(true))
        } else if is_among(&self.no) {
            Ok(BinaryValue::Known(false))
        } else if text.is_empty() {
            Ok(BinaryValue::Untold)
        } else if is_placeholder(text) {
            Ok(BinaryValue::Unknown)
        } else {
            let found: String = text.chars().take(QUOTED).collect();
            Err(format!("expected {}, found {found:?}", self.expected))
        }
    }
}

impl BinaryTopic {
    /// Reads a message on its topic.
    ///
    /// # Errors
    /// What was expected, and what was found.
    pub(super) fn read(&self, message: &DeviceMessage<'_>) -> Result<BinaryValue, String> {
        let Some(template) = &self.template else { return self.words.read(message.text().trim()) };
        match template.read(message).map_err(|failure| failure.to_string())? {
            Rendered::Text(text) | Rendered::Absent(Absent::Placeholder(text)) => self.words.read(&text),
            Rendered::Absent(Absent::Missing) => Ok(BinaryValue::Untold),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(topic: &BinaryTopic, table: &[(&str, Result<BinaryValue, &str>)]) {
        for (payload, expect) in table {
            let read = topic.read(&DeviceMessage::new("t", payload.as_bytes()).unwrap());
            match (&read, expect) {
                (Err(found), Err(expect)) => assert_eq!(found, expect, "{payload}"),
                _ => assert_eq!(read.as_ref().ok(), expect.as_ref().ok(), "{payload}: {read:?}"),
            }
        }
    }

    fn topic(template: Option<&str>, words: BinaryWords) -> BinaryTopic {
        BinaryTopic { topic: "t".into(), template: template.map(|source| Template::new(source).unwrap()), words }
    }

    #[test]
    fn words_mean_the_same_in_any_case_and_others_are_refused() {
        let on_or_off = topic(None, BinaryWords::new("state_on", "ON", "state_off", "OFF"));
        check(
            &on_or_off,
            &[
                ("ON", Ok(BinaryValue::Known(true))),
                (" off\r\n", Ok(BinaryValue::Known(false))),
                ("", Ok(BinaryValue::Untold)),
                ("None", Ok(BinaryValue::Unknown)),
                ("unavailable", Ok(BinaryValue::Unknown)),
                ("true", Err("expected \"ON\" (state_on) or \"OFF\" (state_off), found \"true\"")),
            ],
        );
        let unavailable = topic(None, BinaryWords::new("state_on", "heat", "state_off", "unavailable"));
        check(&unavailable, &[("unavailable", Ok(BinaryValue::Known(false)))]);
    }

    #[test]
    fn a_template_may_find_nothing() {
        let output = topic(Some("{{ value_json.output }}"), BinaryWords::new("state_on", "true", "state_off", "false"));
        check(
            &output,
            &[
                (r#"{"output": true, "apower": 3}"#, Ok(BinaryValue::Known(true))),
                (r#"{"output": false}"#, Ok(BinaryValue::Known(false))),
                (r#"{"apower": 3}"#, Ok(BinaryValue::Untold)),
                (r#"{"output": null}"#, Ok(BinaryValue::Untold)),
                ("", Ok(BinaryValue::Untold)),
            ],
        );
        assert!(output.read(&DeviceMessage::new("t", b"yes").unwrap()).unwrap_err().contains("not JSON"));
    }

    #[test]
    fn usual_words_are_several() {
        let plugged = topic(Some("{{ value_json.car == 2 }}"), BinaryWords::usual("runnable_template"));
        check(
            &plugged,
            &[(r#"{"car": 2}"#, Ok(BinaryValue::Known(true))), (r#"{"car": 1}"#, Ok(BinaryValue::Known(false)))],
        );
        let plain = topic(None, BinaryWords::usual("runnable_template"));
        for (payload, expect) in
            [("Yes", true), ("1", true), ("on", true), ("FALSE", false), ("0", false), ("no", false)]
        {
            check(&plain, &[(payload, Ok(BinaryValue::Known(expect)))]);
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
