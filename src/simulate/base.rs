//! What the home uses whatever a scheduler does: standby, a fridge, and whatever people switch on.

use jiff::Timestamp;

use crate::units::Watts;

/// Router, clocks, chargers.
const STANDBY: Watts = Watts(120.0);

const FRIDGE: Watts = Watts(95.0);

/// A fridge cools for a while in each of these, in seconds.
const FRIDGE_CYCLE: i64 = 2_520;
const FRIDGE_COOLS: i64 = 960;

#[derive(Debug, Clone, Default)]
pub(super) struct Base {
    /// What somebody uses, and until when.
    used: Vec<(Watts, Timestamp)>,
}

impl Base {
    pub(super) fn switch_on(&mut self, power: Watts, until: Timestamp) {
        self.used.push((power, until));
    }

    /// The load at this time, which may not lie before one that was asked for already.
    pub(super) fn load(&mut self, now: Timestamp) -> Watts {
        self.used.retain(|(_, until)| *until > now);
        let fridge = now.as_second().rem_euclid(FRIDGE_CYCLE) < FRIDGE_COOLS;
        let people: Watts = self.used.iter().map(|(power, _)| *power).sum();
        STANDBY + people + if fridge { FRIDGE } else { Watts::ZERO }
    }
}
