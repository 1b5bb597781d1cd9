//! What a template makes of a message: text, nothing, or a failure.

use crate::jinja::{self, Number};

/// What a template made of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rendered {
    /// This text, without white space around it. It is never empty.
    Text(String),
    /// Nothing, as the message has no value.
    Absent(Absent),
}

/// Why a message has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Absent {
    /// A field that the template uses is missing in the message, or `null`.
    #[error("the message does not have what the template asks for")]
    Missing,
    /// The text says so: it is empty, or a word such as `unavailable`.
    #[error("the value is {0:?}")]
    Placeholder(String),
}

/// Why a message can't be read: it is not the text or the JSON that was expected, or the template fails on it.
///
/// A message without a value is no failure: see [`Absent`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TemplateFailure(pub(crate) String);

/// Reads a text that should be a number. Returns [`Absent`] for an empty text and for words such as `unavailable`.
///
/// # Errors
/// When the text is neither of both, or the number isn't finite.
pub fn number(text: &str) -> Result<Result<f64, Absent>, TemplateFailure> {
    match jinja::number(text) {
        Number::Is(number) => Ok(Ok(number)),
        Number::Absent => Ok(Err(Absent::Placeholder(text.trim().to_owned()))),
        Number::Not => {
            let (shown, more) = match text.char_indices().nth(60) {
                Some((end, _)) => (&text[..end], "…"),
                None => (text, ""),
            };
            Err(TemplateFailure(format!("expected a number, found \"{shown}\"{more}")))
        }
    }
}
