//! What the home uses whatever a scheduler does: standby, a fridge, and what residents switch on.

use jiff::Timestamp;

use crate::units::Watts;

/// Router, clocks, chargers.
const STANDBY: Watts = Watts(120.0);

const FRIDGE: Watts = Watts(95.0);

/// A fridge cools for a while in each of these, in seconds.
const FRIDGE_CYCLE: i64 = 2_520;
const FRIDGE_COOLS: i64 = 960;

#[derive(Debug, Clone, Default)]
pub(super) struct BaseLoad {
    /// What residents use, and until when.
    used: Vec<(Watts, Timestamp)>,
}

impl BaseLoad {
    pub(super) fn switch_on(&mut self, power: Watts, until: Timestamp) {
        self.used.push((power, until));
    }

    /// Returns the load at this time. Later calls need later times.
    pub(super) fn load(&mut self, now: Timestamp) -> Watts {
        self.used.retain(|(_, until)| *until > now);
        let fridge = now.as_second().rem_euclid(FRIDGE_CYCLE) < FRIDGE_COOLS;
        let residents: Watts = self.used.iter().map(|(power, _)| *power).sum();
        STANDBY + residents + if fridge { FRIDGE } else { Watts::ZERO }
    }
}
