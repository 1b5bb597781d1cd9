//! A car: a battery, hours in which it is away, and a charger that takes 6 to 32 A in whole steps from one phase.
//!
//! Without a limit it takes the least that chargers can.

use std::time::Duration;

use super::appliance::{ApplianceStatus, Physics};
use crate::units::{KilowattHours, Watts};

const VOLTS: f64 = 230.0;

/// IEC 61851 knows no charging below 6 A; the charger and its cable end at 32.
const LEAST: f64 = 6.0;
const MOST: f64 = 32.0;

const CAPACITY: KilowattHours = KilowattHours(58.0);

/// Charged up to here, which is kind to the battery.
const FULL: f64 = 0.8;

/// The share of the power from the wall that ends up in the battery.
const EFFICIENCY: f64 = 0.9;

/// A battery that lacks less than this is not worth a start.
const LEAST_MISSING: KilowattHours = KilowattHours(0.58);

#[derive(Debug, Clone)]
pub(super) struct Car {
    charge: KilowattHours,
    plugged: bool,
    on: bool,
    limit: Watts,
    pub(super) taken: KilowattHours,
    pub(super) driven: KilowattHours,
    /// Charged on the way, where the battery at home had not enough.
    pub(super) elsewhere: KilowattHours,
}

impl Car {
    pub(super) fn new(charged: f64) -> Self {
        Self {
            charge: CAPACITY * charged,
            plugged: true,
            on: false,
            limit: Watts(LEAST * VOLTS),
            taken: KilowattHours::ZERO,
            driven: KilowattHours::ZERO,
            elsewhere: KilowattHours::ZERO,
        }
    }

    #[cfg(test)]
    pub(super) fn charge(&self) -> KilowattHours {
        self.charge
    }

    /// Returns how much of `taken` was lost as heat.
    #[cfg(test)]
    pub(super) fn lost(&self) -> KilowattHours {
        self.taken * (1.0 - EFFICIENCY)
    }

    pub(super) fn leave(&mut self) {
        self.plugged = false;
        self.on = false;
    }

    /// Back from a drive that took so much, and plugged in.
    pub(super) fn come_back(&mut self, driven: KilowattHours) {
        let own = driven.min(self.charge);
        self.driven += driven;
        self.elsewhere += driven - own;
        self.charge -= own;
        self.plugged = true;
    }

    fn missing(&self) -> KilowattHours {
        CAPACITY * FULL - self.charge
    }

    fn amperes(&self) -> f64 {
        (self.limit.0 / VOLTS + 1e-9).floor().clamp(LEAST, MOST)
    }
}

impl Physics for Car {
    fn status(&self) -> ApplianceStatus {
        let percent = (100.0 * (self.charge / CAPACITY).0).floor();
        let note = match (self.plugged, self.on) {
            (false, _) => "away".to_owned(),
            (true, true) => format!("{percent:.0} %, {:.0} A", self.amperes()),
            (true, false) => format!("{percent:.0} %"),
        };
        ApplianceStatus {
            running: self.on,
            runnable: self.on || self.plugged && self.missing() > LEAST_MISSING,
            stoppable: true,
            note,
            measured: Some(("soc", percent)),
        }
    }

    fn switch(&mut self, on: bool) {
        self.on = on && self.status().runnable;
    }

    fn limit(&mut self, most: Watts) {
        self.limit = most;
    }

    fn advance(&mut self, time: Duration) -> KilowattHours {
        if !self.on {
            return KilowattHours::ZERO;
        }
        let wanted = self.missing() * EFFICIENCY.recip();
        let taken = (Watts(self.amperes() * VOLTS) * time).min(wanted);
        self.on = taken < wanted;
        self.taken += taken;
        self.charge += taken * EFFICIENCY;
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn it_follows_its_limit_in_whole_amperes_between_6_and_32() {
        let mut car = Car::new(0.2);
        car.switch(true);
        let mut check = |limit: f64, amperes: f64| {
            car.limit(Watts(limit));
            assert_eq!(car.advance(MINUTE), Watts(amperes * VOLTS) * MINUTE, "{limit} W");
        };
        check(0.0, 6.0);
        check(1380.0, 6.0);
        check(1609.9, 6.0);
        check(1610.0, 7.0);
        check(7360.0, 32.0);
        check(11_000.0, 32.0);
    }

    #[test]
    fn it_charges_only_where_it_is_and_until_it_is_full() {
        let mut car = Car::new(0.795);
        assert!(!car.status().runnable, "hardly worth it");
        car.leave();
        car.come_back(KilowattHours(2.9));
        car.switch(true);
        car.limit(Watts(7360.0));
        while car.status().running {
            car.advance(MINUTE);
        }
        assert_eq!(car.status().note, "80 %");
        car.leave();
        car.switch(true);
        assert!(!car.status().running && !car.status().runnable);
        assert_eq!(car.advance(MINUTE), KilowattHours::ZERO);
    }
}
