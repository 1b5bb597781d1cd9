//! Single words: commands to the scheduler, a task's mode and priority, and its availability (`docs/mqtt.md`, *The user*).
//!
//! Case and surrounding white space mean nothing; an empty payload is a cleared topic, never a command.

use std::time::Duration;

use serde_json::Value;

use super::fields::not_one_of;
use super::json::text;
use super::limits::{COMMAND, check_size};
use super::payload_error::PayloadError;
use crate::core::{Mode, Priority, UserCommand};
use crate::units;

/// A command on `<base>/scheduler/set`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetCommand {
    /// Changes the scheduler's activity.
    Do(UserCommand),
    /// Runs a cycle now.
    Schedule,
}

/// Reads the payload of `<base>/scheduler/set`. Returns `None` if it is empty.
///
/// # Errors
/// Lists the words that are known.
pub fn command(payload: &[u8]) -> Result<Option<SetCommand>, PayloadError> {
    const COMMANDS: [(&str, SetCommand); 4] = [
        ("pause", SetCommand::Do(UserCommand::Pause)),
        ("resume", SetCommand::Do(UserCommand::Resume)),
        ("schedule", SetCommand::Schedule),
        ("stop_all", SetCommand::Do(UserCommand::StopAll)),
    ];
    word(payload, "\"pause\", \"resume\", \"schedule\" or \"stop_all\"", &COMMANDS)
}

/// Reads the payload of `<base>/task/<id>/availability`. Returns whether the task is online, `None` if the payload is empty.
///
/// # Errors
/// Says what was expected.
pub fn availability(payload: &[u8]) -> Result<Option<bool>, PayloadError> {
    word(payload, "\"online\" or \"offline\"", &[("online", true), ("offline", false)])
}

/// Reads the payload of `<base>/task/<id>/mode/set`. Returns the mode and for how long it is set, without an end if that is
/// `None`; `None` if the payload is empty.
///
/// # Errors
/// Says what was expected.
pub fn mode(payload: &[u8]) -> Result<Option<(Mode, Option<Duration>)>, PayloadError> {
    const EXPECTED: &str = "\"auto\", \"on\", \"off\", or one of the last two for a time such as \"on 2h\"";
    let text = short_text(payload)?;
    let (first, lasting) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let words = Mode::ALL.map(|mode| (mode.as_str(), mode));
    if lasting.is_empty() {
        return Ok(word(payload, EXPECTED, &words)?.map(|mode| (mode, None)));
    }
    let duration = lasting.trim().parse().map_or_else(|_| Value::from(lasting.trim()), |seconds: u64| seconds.into());
    let duration = units::duration::deserialize(duration).ok().filter(|lasting| !lasting.is_zero());
    match (first.parse(), duration) {
        (Ok(mode @ (Mode::On | Mode::Off)), Some(lasting)) => Ok(Some((mode, Some(lasting)))),
        _ => Err(PayloadError::whole(not_one_of(EXPECTED, &[], &Value::from(text)))),
    }
}

/// Reads the payload of `<base>/task/<id>/priority/set`. Returns `Some(None)` for `auto`, `None` if the payload is empty.
///
/// # Errors
/// Lists the words that are known.
pub fn priority(payload: &[u8]) -> Result<Option<Option<Priority>>, PayloadError> {
    const EXPECTED: &str = "\"low\", \"medium\", \"high\", \"urgent\", 1 to 4, or \"auto\"";
    if let Ok(priority) = short_text(payload)?.parse() {
        return Ok(Some(Some(priority)));
    }
    let mut words = vec![("auto", None)];
    words.extend(Priority::ALL.map(|priority| (priority.as_str(), Some(priority))));
    word(payload, EXPECTED, &words)
}

fn short_text(payload: &[u8]) -> Result<&str, PayloadError> {
    check_size(payload, COMMAND, None)?;
    text(payload)
}

/// The meaning of the word that the payload is.
fn word<T: Copy>(payload: &[u8], expected: &str, words: &[(&str, T)]) -> Result<Option<T>, PayloadError> {
    let text = short_text(payload)?;
    if text.is_empty() {
        return Ok(None);
    }
    if let Some((_, meaning)) = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)) {
        return Ok(Some(*meaning));
    }
    let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    Err(PayloadError::whole(not_one_of(expected, &words, &Value::from(text))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal<T: std::fmt::Debug>(read: Result<T, PayloadError>) -> String {
        read.unwrap_err().to_string()
    }

    #[test]
    fn commands_are_words_in_any_case() {
        for (payload, expect) in [
            ("pause", Some(SetCommand::Do(UserCommand::Pause))),
            (" RESUME\r\n", Some(SetCommand::Do(UserCommand::Resume))),
            ("Schedule", Some(SetCommand::Schedule)),
            ("STOP_ALL", Some(SetCommand::Do(UserCommand::StopAll))),
            ("", None),
            (" \n", None),
        ] {
            assert_eq!(command(payload.as_bytes()), Ok(expect), "{payload}");
        }
    }

    #[test]
    fn availability_is_a_word_in_any_case() {
        for (payload, expect) in [("online", Some(true)), ("Offline ", Some(false)), ("", None)] {
            assert_eq!(availability(payload.as_bytes()), Ok(expect), "{payload}");
        }
    }

    #[test]
    fn modes_are_words_that_may_hold_for_a_time() {
        let for_ = |mode, seconds| Some((mode, Some(Duration::from_secs(seconds))));
        for (payload, expect) in [
            ("auto", Some((Mode::Auto, None))),
            (" ON\n", Some((Mode::On, None))),
            ("Off", Some((Mode::Off, None))),
            ("on 2h", for_(Mode::On, 7200)),
            (" OFF   1h 30m ", for_(Mode::Off, 5400)),
            ("on\t90", for_(Mode::On, 90)),
            ("", None),
            ("  ", None),
        ] {
            assert_eq!(mode(payload.as_bytes()), Ok(expect), "{payload}");
        }
        for payload in ["auto 2h", "on 0s", "on -1", "on 2x", "on 99999999999", "on off", "2h", "one"] {
            assert!(mode(payload.as_bytes()).is_err(), "{payload}");
        }
    }

    #[test]
    fn priorities_are_words_levels_or_auto() {
        for (payload, expect) in [
            ("High", Some(Some(Priority::High))),
            ("4", Some(Some(Priority::Urgent))),
            (" AUTO ", Some(None)),
            ("", None),
        ] {
            assert_eq!(priority(payload.as_bytes()), Ok(expect), "{payload}");
        }
    }

    #[test]
    fn other_words_are_refused_with_the_known_ones() {
        insta::assert_snapshot!(refusal(command(b"puase")), @r#"expected "pause", "resume", "schedule" or "stop_all", found "puase": did you mean "pause"?"#);
        insta::assert_snapshot!(refusal(command(b"stop-all")), @r#"expected "pause", "resume", "schedule" or "stop_all", found "stop-all": did you mean "stop_all"?"#);
        insta::assert_snapshot!(refusal(command(b"{\"command\": \"pause\"}")), @r#"expected "pause", "resume", "schedule" or "stop_all", found "{\"command\": \"pause\"}""#);
        insta::assert_snapshot!(refusal(command(b"\xff")), @"expected text, found bytes that are not UTF-8");
        insta::assert_snapshot!(refusal(availability(b"onlin")), @r#"expected "online" or "offline", found "onlin": did you mean "online"?"#);
        insta::assert_snapshot!(refusal(mode(b"onn")), @r#"expected "auto", "on", "off", or one of the last two for a time such as "on 2h", found "onn": did you mean "on"?"#);
        insta::assert_snapshot!(refusal(mode(b"auto 2h")), @r#"expected "auto", "on", "off", or one of the last two for a time such as "on 2h", found "auto 2h""#);
        insta::assert_snapshot!(refusal(priority(b"hgih")), @r#"expected "low", "medium", "high", "urgent", 1 to 4, or "auto", found "hgih": did you mean "high"?"#);
        insta::assert_snapshot!(refusal(availability(b"1")), @r#"expected "online" or "offline", found "1""#);
    }
}
