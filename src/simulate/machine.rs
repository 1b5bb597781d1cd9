//! Machines that run a program: once it runs it can't be interrupted, and an empty machine can't be started.

use std::time::Duration;

use super::appliance::{ApplianceStatus, Physics};
use crate::units::{KilowattHours, Watts};

/// Minutes and watts of each part. Dishes: rinse, heat, wash, heat again, dry.
const DISHES: &[(u64, Watts)] =
    &[(8, Watts(60.0)), (18, Watts(2000.0)), (65, Watts(70.0)), (16, Watts(2000.0)), (28, Watts(15.0))];

/// Laundry: fill, heat, tumble, rinse, spin.
const LAUNDRY: &[(u64, Watts)] =
    &[(5, Watts(80.0)), (22, Watts(2050.0)), (40, Watts(140.0)), (20, Watts(110.0)), (9, Watts(420.0))];

#[derive(Debug, Clone)]
pub(super) struct Machine {
    program: &'static [(u64, Watts)],
    loaded: bool,
    /// How far the program has come.
    ran: Option<Duration>,
}

impl Machine {
    pub(super) fn dishwasher() -> Self {
        Self { program: DISHES, loaded: false, ran: None }
    }

    pub(super) fn washer() -> Self {
        Self { program: LAUNDRY, loaded: false, ran: None }
    }

    /// Fills it. While it runs, that changes nothing.
    pub(super) fn load(&mut self) {
        self.loaded = true;
    }

    /// Returns the energy of one program.
    #[cfg(test)]
    pub(super) fn needs(&self) -> KilowattHours {
        self.program.iter().map(|(minutes, power)| *power * Duration::from_secs(minutes * 60)).sum()
    }

    fn length(&self) -> Duration {
        Duration::from_secs(60 * self.program.iter().map(|(minutes, _)| minutes).sum::<u64>())
    }
}

impl Physics for Machine {
    fn status(&self) -> ApplianceStatus {
        let note = match self.ran {
            Some(ran) => format!("{} min left", self.length().saturating_sub(ran).as_secs().div_ceil(60)),
            None if self.loaded => "loaded".to_owned(),
            None => "empty".to_owned(),
        };
        ApplianceStatus {
            running: self.ran.is_some(),
            runnable: self.loaded,
            stoppable: self.ran.is_none(),
            note,
            measured: None,
        }
    }

    fn switch(&mut self, on: bool) {
        if on && self.loaded {
            self.ran.get_or_insert(Duration::ZERO);
        }
    }

    fn advance(&mut self, time: Duration) -> KilowattHours {
        let Some(ran) = self.ran else { return KilowattHours::ZERO };
        let (mut taken, mut begins) = (KilowattHours::ZERO, Duration::ZERO);
        for (minutes, power) in self.program {
            let ends = begins + Duration::from_secs(minutes * 60);
            taken += *power * ends.min(ran + time).saturating_sub(begins.max(ran));
            begins = ends;
        }
        self.ran = Some(ran + time).filter(|ran| *ran < self.length());
        self.loaded = self.ran.is_some();
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_takes_the_same_in_steps_of_any_length_and_is_never_interrupted() {
        for step in [1, 10, 61, 600] {
            for mut machine in [Machine::dishwasher(), Machine::washer()] {
                machine.switch(true);
                assert!(!machine.status().running, "it is empty");
                machine.load();
                machine.switch(true);
                let mut taken = KilowattHours::ZERO;
                while machine.status().running {
                    machine.switch(false);
                    assert!(!machine.status().stoppable);
                    taken += machine.advance(Duration::from_secs(step));
                }
                assert!((taken - machine.needs()).0.abs() < 1e-9, "{taken:?} in steps of {step} s");
                assert_eq!(machine.status().note, "empty");
            }
        }
    }
}
