//! Client ids that every broker accepts.

use std::fmt;

use super::options_error::OptionsError;

const KEY: &str = "mqtt.client_id";

/// Of a configured one, in characters.
const LONGEST_CONFIGURED: usize = 64;

/// The embedded broker and some others refuse longer ones, in bytes, and those with a slash.
const LONGEST: usize = 128;

/// Checks a client id that is configured.
pub(super) fn check(id: &str) -> Result<(), OptionsError> {
    let characters = id.chars().count();
    let problem = match id.len() {
        0 => "expected a name, found \"\"".into(),
        _ if characters > LONGEST_CONFIGURED => {
            format!("expected at most {LONGEST_CONFIGURED} characters, found {characters}")
        }
        bytes if bytes > LONGEST => format!("expected at most {LONGEST} bytes, found {bytes}"),
        _ if id.contains(char::is_control) => "expected a name without control characters".into(),
        _ if id.contains(['/', '+', '#']) => format!("expected a name without /, + and #, found \"{id}\""),
        _ => return Ok(()),
    };
    Err(OptionsError::new(KEY, problem))
}

/// Returns `<id>-<suffix>`, of a long id the beginning only.
pub(super) fn with_suffix(id: &str, suffix: impl fmt::Display) -> String {
    let suffix = format!("-{suffix}");
    let room = LONGEST.saturating_sub(suffix.len());
    let ends = id.char_indices().map(|(at, c)| at + c.len_utf8());
    let end = ends.take_while(|end| *end <= room).last().unwrap_or_default();
    format!("{}{suffix}", &id[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_some_broker_refuses_is_refused_here() {
        let said = |id: &str| check(id).err().map(|error| error.to_string());
        assert_eq!(said("sunward"), None);
        assert_eq!(said(&"ü".repeat(64)), None);
        assert_eq!(said("a/b").unwrap(), "mqtt.client_id: expected a name without /, + and #, found \"a/b\"");
        assert_eq!(said(&"€".repeat(64)).unwrap(), "mqtt.client_id: expected at most 128 bytes, found 192");
    }

    #[test]
    fn a_suffix_stays_whole() {
        assert_eq!(with_suffix("sunward", "heater"), "sunward-heater");
        let long = with_suffix(&"ü".repeat(64), "check-1");
        assert!(long.len() <= LONGEST && long.starts_with('ü') && long.ends_with("ü-check-1"), "{long}");
    }
}
