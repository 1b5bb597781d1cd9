//! Single words: what a user tells the scheduler, and a task's availability.
//!
//! Case and surrounding white space mean nothing; an empty payload is a cleared topic, never a command.

use serde_json::Value;

use super::fields::not_one_of;
use super::{PayloadError, text};
use crate::scheduler::Command;

/// What somebody wants of the scheduler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetCommand {
    /// It changes how the scheduler is.
    Do(Command),
    /// It runs a cycle now.
    Schedule,
}

/// The payload of `<base>/scheduler/set`; `None` if it is empty.
///
/// # Errors
/// Lists the words that are known.
pub fn command(payload: &[u8]) -> Result<Option<SetCommand>, PayloadError> {
    const COMMANDS: [(&str, SetCommand); 4] = [
        ("pause", SetCommand::Do(Command::Pause)),
        ("resume", SetCommand::Do(Command::Resume)),
        ("schedule", SetCommand::Schedule),
        ("stop_all", SetCommand::Do(Command::StopAll)),
    ];
    word(payload, "\"pause\", \"resume\", \"schedule\" or \"stop_all\"", &COMMANDS)
}

/// The payload of `<base>/task/<id>/availability`: whether it is online; `None` if it is empty.
///
/// # Errors
/// Says what was expected.
pub fn availability(payload: &[u8]) -> Result<Option<bool>, PayloadError> {
    word(payload, "\"online\" or \"offline\"", &[("online", true), ("offline", false)])
}

fn word<T: Copy>(payload: &[u8], expected: &str, words: &[(&str, T)]) -> Result<Option<T>, PayloadError> {
    let text = text(payload)?;
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
            ("pause", Some(SetCommand::Do(Command::Pause))),
            (" RESUME\r\n", Some(SetCommand::Do(Command::Resume))),
            ("Schedule", Some(SetCommand::Schedule)),
            ("STOP_ALL", Some(SetCommand::Do(Command::StopAll))),
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
    fn other_words_are_refused_with_the_known_ones() {
        insta::assert_snapshot!(refusal(command(b"puase")), @r#"expected "pause", "resume", "schedule" or "stop_all", found "puase": did you mean "pause"?"#);
        insta::assert_snapshot!(refusal(command(b"stop-all")), @r#"expected "pause", "resume", "schedule" or "stop_all", found "stop-all": did you mean "stop_all"?"#);
        insta::assert_snapshot!(refusal(command(b"{\"command\": \"pause\"}")), @r#"expected "pause", "resume", "schedule" or "stop_all", found "{\"command\": \"pause\"}""#);
        insta::assert_snapshot!(refusal(command(b"\xff")), @"expected text, found bytes that are not UTF-8");
        insta::assert_snapshot!(refusal(availability(b"onlin")), @r#"expected "online" or "offline", found "onlin": did you mean "online"?"#);
        insta::assert_snapshot!(refusal(availability(b"1")), @r#"expected "online" or "offline", found "1""#);
    }
}
