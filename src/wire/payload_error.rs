//! Why a payload is refused.

use std::fmt;

/// Why a payload, or a table of the configuration, is refused. Reads `field: what was expected, what was found`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayloadError {
    field: Option<String>,
    problem: String,
}

impl PayloadError {
    /// The payload as a whole is of no use.
    pub(super) fn whole(problem: impl Into<String>) -> Self {
        Self { field: None, problem: problem.into() }
    }

    /// One field is wrong.
    pub(crate) fn field(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: Some(field.into()), problem: problem.into() }
    }

    /// Returns the field that is wrong, with dots into objects; `None` if it is the payload as a whole.
    #[must_use]
    pub fn named(&self) -> Option<&str> {
        self.field.as_deref()
    }

    /// The same error of an object that stands in this field.
    pub(crate) fn within(mut self, outer: &str) -> Self {
        self.field = Some(match self.field {
            Some(field) => format!("{outer}.{field}"),
            None => outer.to_owned(),
        });
        self
    }

    /// Returns what was expected and found, without the field.
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
