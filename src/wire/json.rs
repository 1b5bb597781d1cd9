//! Bytes as text, text as a JSON object.

use serde_json::Value;

use super::fields::found;
use super::payload_error::PayloadError;

/// A JSON object, or a table of the configuration.
pub type Table = serde_json::Map<String, Value>;

/// The payload as text, without the white space around it. The caller has checked its size.
///
/// # Errors
/// When it is not UTF-8.
pub(super) fn text(payload: &[u8]) -> Result<&str, PayloadError> {
    let text = std::str::from_utf8(payload);
    text.map(str::trim).map_err(|_| PayloadError::whole("expected text, found bytes that are not UTF-8"))
}

/// The payload as a JSON object; `expected` says what it should be.
///
/// # Errors
/// When it is empty, not JSON, or another value than an object.
pub(super) fn object(text: &str, expected: &str) -> Result<Table, PayloadError> {
    if text.is_empty() {
        return Err(PayloadError::whole(format!("expected {expected}, found an empty payload")));
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => Err(PayloadError::whole(format!("expected {expected}, found {}", found(&other)))),
        Err(error) => Err(PayloadError::whole(format!("expected {expected}, found what is not JSON: {error}"))),
    }
}
