//! From the least to the most that something may be, and how far outside it may stay.

use crate::units::Watts;

/// From the least to the most that something may be.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Range {
    least: Watts,
    most: Watts,
}

impl Range {
    pub(crate) fn exactly(value: Watts) -> Self {
        Self { least: value, most: value }
    }

    pub(crate) fn hull(self, other: Self) -> Self {
        Self { least: self.least.min(other.least), most: self.most.max(other.most) }
    }

    /// The value where it lies within, or not further outside than `spare` allows; else the nearer end of the range.
    pub(crate) fn approach(self, value: Watts, spare: Spare) -> Watts {
        let enough = (self.least - spare.below..=self.most + spare.above).contains(&value);
        if enough { value } else { value.max(self.least).min(self.most) }
    }

    pub(crate) fn minus(self, value: Watts) -> Self {
        Self { least: self.least - value, most: self.most - value }
    }
}

impl std::ops::AddAssign for Range {
    fn add_assign(&mut self, other: Self) {
        self.least += other.least;
        self.most += other.most;
    }
}

/// What may be left as it is, because chargers count in steps and no measurement tells what they make of their set-points.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spare {
    below: Watts,
    above: Watts,
}

impl Spare {
    /// So much below the range, and so much above it.
    pub(crate) fn new(below: Watts, above: Watts) -> Self {
        Self { below, above }
    }
}

impl std::ops::AddAssign for Spare {
    fn add_assign(&mut self, other: Self) {
        self.below += other.below;
        self.above += other.above;
    }
}
