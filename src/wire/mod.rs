//! Payloads: bytes → a typed value, or a refusal in plain words that names the field and what was expected.
//!
//! Everything here is a pure function. It refuses to know topics, the clock and the broker, to guess what somebody may
//! have meant (it suggests instead), and to judge what only the scheduler can: whether a record is too old or a measured
//! value plausible.

mod command;
mod criteria;
mod fields;
mod guards;
mod record;
mod registration;
pub mod report;
mod state;
pub(crate) mod topic;
pub mod topics;

use std::fmt;

use serde_json::Value;

pub use command::{SetCommand, availability, command, mode, priority};
pub(crate) use criteria::omitted_keep;
pub use criteria::{CriterionSource, criteria};
pub(crate) use fields::{Fields, found, key_problem};
pub(crate) use record::without_endless_numbers;
pub use record::{Record, record};
pub use registration::registration;
pub(crate) use registration::{FIELDS as REGISTRATION_FIELDS, registration_of};
pub use state::state;
pub(crate) use state::without_nulls;

/// A JSON object, or a table of the configuration.
pub type Table = serde_json::Map<String, Value>;

/// Why a payload, or a table of the configuration, is refused: `field: what was expected, what was found`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayloadError {
    field: Option<String>,
    problem: String,
}

impl PayloadError {
    /// The payload as a whole is of no use.
    fn whole(problem: impl Into<String>) -> Self {
        Self { field: None, problem: problem.into() }
    }

    /// One field is wrong.
    pub(crate) fn field(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: Some(field.into()), problem: problem.into() }
    }

    /// The field that is wrong, with dots into objects; none if it is the payload as a whole.
    #[must_use]
    pub fn named(&self) -> Option<&str> {
        self.field.as_deref()
    }

    /// The same of an object that stands in this field.
    pub(crate) fn within(mut self, outer: &str) -> Self {
        self.field = Some(match self.field {
            Some(field) => format!("{outer}.{field}"),
            None => outer.to_owned(),
        });
        self
    }

    /// What was expected and found, without the field.
    pub(crate) fn problem(&self) -> &str {
        &self.problem
    }
}

impl fmt::Display for PayloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Some(field) => write!(f, "{field}: {}", self.problem),
            None => f.write_str(&self.problem),
        }
    }
}

impl std::error::Error for PayloadError {}

/// The payload as text without the white space around it.
fn text(payload: &[u8]) -> Result<&str, PayloadError> {
    let text = std::str::from_utf8(payload);
    text.map(str::trim).map_err(|_| PayloadError::whole("expected text, found bytes that are not UTF-8"))
}

/// The payload as a JSON object; `expected` says what it should be.
fn object(text: &str, expected: &str) -> Result<Table, PayloadError> {
    if text.is_empty() {
        return Err(PayloadError::whole(format!("expected {expected}, found an empty payload")));
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => Err(PayloadError::whole(format!("expected {expected}, found {}", fields::found(&other)))),
        Err(error) => Err(PayloadError::whole(format!("expected {expected}, found what is not JSON: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::core::{Criteria, TaskId};
    use crate::units::PowerUnit;

    /// Every reader, on the same bytes.
    fn read(payload: &[u8]) {
        let id = TaskId::new("boiler").unwrap();
        let _ = registration(&id, payload, &Criteria::default()).map_err(|error| error.to_string());
        let _ = state(payload).map_err(|error| error.to_string());
        let _ = record(payload, PowerUnit::Kilowatts).map_err(|error| error.to_string());
        let _ = command(payload).map_err(|error| error.to_string());
        let _ = mode(payload).map_err(|error| error.to_string());
        let _ = priority(payload).map_err(|error| error.to_string());
        let _ = availability(payload).map_err(|error| error.to_string());
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(payload in proptest::collection::vec(any::<u8>(), 0..200)) {
            read(&payload);
        }

        #[test]
        fn random_values_of_known_fields_never_panic(
            field in prop::sample::select(vec![
                "name", "priority", "power", "max_power", "keys", "auto_adjust", "criteria", "payload_on", "expire_after",
                "daily", "finished", "on_no_data", "running", "usage", "time", "net", "é\"",
            ]),
            value in prop::sample::select(vec![
                "1e999", "-1e308", "NaN", "[[]]", "{\"start\": \"((\"}", "{\"by\": \"é:00\"}", "\"\\u0000\"", "-0.0",
                "18446744073709551615", "null", "\"9999-12-31T23:59:59Z\"", "99999999999.999", "\"\"", "{\"\": {}}",
            ]),
        ) {
            let field = Value::from(field);
            read(format!("{{\"power\": 1, \"running\": true, {field}: {value}}}").as_bytes());
        }
    }

    #[test]
    fn deep_json_is_refused_without_exhausting_the_stack() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let deep = format!("{{\"running\": true, \"a\": {}1{}}}", open.repeat(100_000), close.repeat(100_000));
            read(deep.as_bytes());
            assert!(state(deep.as_bytes()).unwrap_err().to_string().contains("recursion limit"));
        }
    }
}
