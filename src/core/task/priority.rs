//! How much a task matters.

use std::fmt;
use std::str::FromStr;

/// How much a task matters. Lower ones yield to higher ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Priority {
    /// Takes what others leave.
    #[default]
    Low = 1,
    /// Between.
    Medium = 2,
    /// Takes from low and medium ones.
    High = 3,
    /// Takes from everybody.
    Urgent = 4,
}

impl Priority {
    /// All of them, ascending.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Urgent];

    /// The word of the wire: `low`, `medium`, `high`, `urgent`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Urgent => "urgent",
        }
    }

    /// 1 for low to 4 for urgent.
    #[must_use]
    pub fn level(self) -> u8 {
        self as u8
    }

    /// The priority of a level from 1 to 4.
    #[must_use]
    pub fn from_level(level: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|priority| u64::from(priority.level()) == level)
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Words in any case, or 1 to 4.
impl FromStr for Priority {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let text = text.trim();
        Self::ALL
            .into_iter()
            .find(|priority| text.eq_ignore_ascii_case(priority.as_str()))
            .or_else(|| Self::from_level(text.parse().ok()?))
            .ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priorities_read_as_words_and_as_levels() {
        for priority in Priority::ALL {
            assert_eq!(priority.as_str().to_uppercase().parse(), Ok(priority));
            assert_eq!(priority.level().to_string().parse(), Ok(priority));
        }
        assert_eq!("5".parse::<Priority>(), Err(()));
        assert_eq!("".parse::<Priority>(), Err(()));
    }
}
