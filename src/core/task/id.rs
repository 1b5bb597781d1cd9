//! The name of a task, as it stands in topics.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The id of a task: `[A-Za-z0-9_-]{1,64}`. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(Arc<str>);

/// Not a task id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" can't be a task id: expected 1 to 64 characters out of A-Z, a-z, 0-9, _ and -")]
pub struct InvalidTaskId(String);

impl TaskId {
    /// Checks an id.
    ///
    /// # Errors
    /// When it is empty, too long or holds other characters.
    pub fn new(id: impl AsRef<str>) -> Result<Self, InvalidTaskId> {
        let id = id.as_ref();
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if (1..=64).contains(&id.len()) && id.bytes().all(allowed) {
            Ok(Self(id.into()))
        } else {
            Err(InvalidTaskId(id.chars().take(80).collect()))
        }
    }

    /// The id as it stands in topics.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for TaskId {
    type Err = InvalidTaskId;
    fn from_str(id: &str) -> Result<Self, InvalidTaskId> {
        Self::new(id)
    }
}

impl Borrow<str> for TaskId {
    fn borrow(&self) -> &str {
        &self.0
    }
}
