//! How much a task may say. It may be a plug that somebody else controls by now: what it says costs memory and time.

use serde_json::Value;

use super::json::Table;
use super::payload_error::PayloadError;

/// The largest power message, in bytes: of 1000 keys.
pub(super) const POWER_MESSAGE: usize = 128 * 1024;

/// The largest of all other messages, in bytes: commands, modes, availability.
pub(super) const COMMAND: usize = 4 * 1024;

/// The limits of a task's messages, by the keys of `[scheduler]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest state, in bytes.
    pub max_state_size: usize,
    /// The largest registration, in bytes.
    pub max_registration_size: usize,
    /// The most fields of a state, those of objects within it included.
    pub max_state_fields: usize,
    /// How deep objects and lists of a state may stand within each other.
    pub max_state_depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_state_size: 16 * 1024, max_registration_size: 8 * 1024, max_state_fields: 64, max_state_depth: 16 }
    }
}

impl Limits {
    /// Checks what is kept of a state.
    pub(super) fn check_state(&self, state: &Table) -> Result<(), PayloadError> {
        let Extent { fields, depth } = Extent::of_object(state);
        let most = |what: &str, is: usize, most: usize, key: &str| {
            PayloadError::whole(format!("{is} {what}, at most {most} are allowed (scheduler.{key})"))
        };
        if fields > self.max_state_fields {
            return Err(most("fields", fields, self.max_state_fields, "max_state_fields"));
        }
        if depth > self.max_state_depth {
            return Err(most("levels of objects and lists", depth, self.max_state_depth, "max_state_depth"));
        }
        Ok(())
    }
}

/// Checks the size of a payload before anything is made of it. `key`: the setting that says how much is allowed, if one does.
pub(super) fn check_size(payload: &[u8], most: usize, key: Option<&str>) -> Result<(), PayloadError> {
    if payload.len() <= most {
        return Ok(());
    }
    let key = key.map(|key| format!(" (scheduler.{key})")).unwrap_or_default();
    Err(PayloadError::whole(format!("{} bytes, at most {most} are allowed{key}", payload.len())))
}

/// How large a value is.
#[derive(Debug, Default, PartialEq)]
struct Extent {
    fields: usize,
    depth: usize,
}

impl Extent {
    fn of(value: &Value) -> Self {
        match value {
            Value::Object(object) => Self::of_object(object),
            Value::Array(list) => Self::around(list.iter()),
            _ => Self::default(),
        }
    }

    fn of_object(object: &Table) -> Self {
        let Self { fields, depth } = Self::around(object.values());
        Self { fields: fields + object.len(), depth }
    }

    fn around<'a>(values: impl Iterator<Item = &'a Value>) -> Self {
        let all = values
            .map(Self::of)
            .reduce(|sum, one| Self { fields: sum.fields + one.fields, depth: sum.depth.max(one.depth) });
        let Self { fields, depth } = all.unwrap_or_default();
        Self { fields, depth: depth + 1 }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_and_levels_are_counted_through_objects_and_lists() {
        let check =
            |value: Value, fields: usize, depth: usize| assert_eq!(Extent::of(&value), Extent { fields, depth });
        check(json!(1), 0, 0);
        check(json!({}), 0, 1);
        check(json!({"a": {"b": 1, "c": [[{"d": 2}]]}, "e": []}), 5, 5);
    }
}
