//! The circulation pump of a pool: the water wants five hours through the filter each day, whenever that is.
//!
//! The pump's own timer ends it after seven hours.

use std::time::Duration;

use super::appliance::{ApplianceStatus, Physics};
use crate::units::{KilowattHours, Watts};

const PUMP: Watts = Watts(1100.0);
const MOST: Duration = Duration::from_secs(7 * 3600);

#[derive(Debug, Clone, Default)]
pub(super) struct Pump {
    on: bool,
    today: Duration,
}

impl Pump {
    pub(super) fn new_day(&mut self) {
        self.today = Duration::ZERO;
    }
}

impl Physics for Pump {
    fn status(&self) -> ApplianceStatus {
        let minutes = self.today.as_secs() / 60;
        ApplianceStatus {
            running: self.on,
            runnable: self.today < MOST,
            stoppable: true,
            note: format!("{} h {:02} today", minutes / 60, minutes % 60),
            measured: None,
        }
    }

    fn switch(&mut self, on: bool) {
        self.on = on && self.today < MOST;
    }

    fn advance(&mut self, time: Duration) -> KilowattHours {
        if !self.on {
            return KilowattHours::ZERO;
        }
        let ran = time.min(MOST.saturating_sub(self.today));
        self.today += ran;
        self.on = self.today < MOST;
        PUMP * ran
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_timer_ends_it_until_the_next_day() {
        let mut pump = Pump::default();
        pump.switch(true);
        assert_eq!(pump.advance(MOST * 2), PUMP * MOST);
        pump.switch(true);
        assert!(!pump.status().running && !pump.status().runnable);
        pump.new_day();
        pump.switch(true);
        assert!(pump.status().running);
    }
}
