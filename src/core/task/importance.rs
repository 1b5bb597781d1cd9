//! Priority, and the order of tasks (SPEC section 6).

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use crate::core::{Registration, TaskId};
use crate::units::Watts;

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

/// What decides which of two tasks is more important.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Importance<'a> {
    pub(crate) priority: Priority,
    pub(crate) adjustable: bool,
    pub(crate) power: Watts,
    pub(crate) id: &'a TaskId,
}

impl Importance<'_> {
    /// [`Ordering::Less`] when `self` is the more important: a sort puts the most important first.
    pub(crate) fn most_first(&self, other: &Self) -> Ordering {
        other
            .priority
            .cmp(&self.priority)
            .then(other.adjustable.cmp(&self.adjustable))
            .then(other.power.0.total_cmp(&self.power.0))
            .then_with(|| self.id.cmp(other.id))
    }
}

/// The order of two tasks as they registered: [`Ordering::Less`] when the first is the more important.
#[must_use]
pub fn by_importance(a: (&TaskId, &Registration), b: (&TaskId, &Registration)) -> Ordering {
    let [a, b] = [a, b].map(|(id, registration)| Importance {
        priority: registration.priority,
        adjustable: registration.auto_adjust,
        power: registration.power,
        id,
    });
    a.most_first(&b)
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

    #[test]
    fn importance_goes_by_priority_then_adjustable_then_power_then_id() {
        let [a, b] = ["a", "b"].map(|id| TaskId::new(id).unwrap());
        let of = |priority, adjustable, power, id| Importance { priority, adjustable, power: Watts(power), id };
        let descending = [
            of(Priority::High, false, 10.0, &b),
            of(Priority::Low, true, 10.0, &b),
            of(Priority::Low, false, 20.0, &b),
            of(Priority::Low, false, 10.0, &a),
            of(Priority::Low, false, 10.0, &b),
        ];
        for pair in descending.windows(2) {
            assert_eq!(pair[0].most_first(&pair[1]), Ordering::Less, "{pair:?}");
            assert_eq!(pair[1].most_first(&pair[0]), Ordering::Greater, "{pair:?}");
        }
    }
}
