//! Who decides about a task: the rules, or a user (docs/rules.md, *Guards and modes*).

use std::fmt;
use std::str::FromStr;

use crate::core::time::Now;

/// Who decides about a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Mode {
    /// The rules.
    #[default]
    Auto,
    /// It is to run.
    On,
    /// It is not to run.
    Off,
}

impl Mode {
    /// All of them, as people are offered them.
    pub const ALL: [Self; 3] = [Self::Auto, Self::On, Self::Off];

    /// The word of the wire: `auto`, `on`, `off`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::On => "on",
            Self::Off => "off",
        }
    }

    pub(crate) fn of(running: bool) -> Self {
        if running { Self::On } else { Self::Off }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Words in any case.
impl FromStr for Mode {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|mode| text.trim().eq_ignore_ascii_case(mode.as_str())).ok_or(())
    }
}

/// A mode, and when it ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct ModeSetting {
    pub(crate) mode: Mode,
    /// Without an end: until another one is set.
    pub(crate) until: Option<Now>,
}

impl ModeSetting {
    pub(crate) fn is_over(&self, now: Now) -> bool {
        self.until.is_some_and(|until| until.at <= now.at)
    }
}
