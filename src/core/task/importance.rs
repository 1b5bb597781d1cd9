//! The order of tasks (docs/rules.md, *Importance*).

use std::cmp::Ordering;

use crate::core::task::id::TaskId;
use crate::core::task::priority::Priority;
use crate::core::task::registration::Registration;
use crate::units::Watts;

/// What decides which of two tasks is more important. `I` is its id, or its place among all ids.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Importance<I> {
    pub(crate) priority: Priority,
    pub(crate) adjustable: bool,
    pub(crate) power: Watts,
    pub(crate) id: I,
}

impl<I: Ord> Importance<I> {
    /// [`Ordering::Less`] when `self` is the more important: a sort puts the most important first.
    pub(crate) fn most_first(&self, other: &Self) -> Ordering {
        other
            .priority
            .cmp(&self.priority)
            .then(other.adjustable.cmp(&self.adjustable))
            .then(other.power.0.total_cmp(&self.power.0))
            .then_with(|| self.id.cmp(&other.id))
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
