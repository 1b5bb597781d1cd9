//! A message as the bytes that are published.

use serde::Serialize;

/// The JSON of one of the messages here. All of them can be written: their keys are text, and a number that is not finite
/// becomes `null`.
#[must_use]
pub fn payload(message: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(message).unwrap_or_default()
}
