//! The model of an appliance: it has something to do every day, and draws power while it does that.

use std::time::Duration;

use crate::replay::history::ReplayTime;
use crate::units::Watts;

/// Less than this is not lacking any more: rounding, not energy.
const NOTHING: f64 = 1e-6;

/// The use that one period (usually a day) asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Period {
    pub(crate) begin: ReplayTime,
    /// In watt-hours.
    pub(crate) need: f64,
}

/// What an appliance is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ApplianceKind {
    /// Drawn while it runs; the least of an adjustable one.
    pub(crate) power: Watts,
    /// What an adjustable one takes at most. One that is not adjustable draws its power.
    pub(crate) most: Watts,
}

/// How it is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ReplayedAppliance {
    pub(crate) kind: ApplianceKind,
    /// What is still to be done, in watt-hours.
    pub(crate) lacking: f64,
    pub(crate) available: bool,
    pub(crate) running: bool,
}

/// How a step went.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct StepResult {
    /// Mean over the step.
    pub(crate) drawn: Watts,
    pub(crate) on: Duration,
    /// It has done what it had to, and stopped by itself.
    pub(crate) ended: bool,
}

impl ReplayedAppliance {
    pub(crate) fn new(kind: ApplianceKind) -> Self {
        Self { kind, lacking: 0.0, available: true, running: false }
    }

    /// There is something to do, and it is there to do it.
    pub(crate) fn runnable(&self) -> bool {
        self.available && self.lacking > NOTHING
    }

    /// It takes more by itself if there is some.
    pub(crate) fn follows(&self) -> bool {
        self.kind.most > self.kind.power
    }

    /// A step goes by in which the rest of the home exports this.
    pub(crate) fn live(&mut self, export: Watts, step: Duration) -> StepResult {
        if !self.running {
            return StepResult::default();
        }
        let rate = export.min(self.kind.most).max(self.kind.power);
        let hours = step.as_secs_f64() / 3600.0;
        let wanted = rate.0 * hours;
        if self.lacking > wanted + NOTHING {
            self.lacking -= wanted;
            return StepResult { drawn: rate, on: step, ended: false };
        }
        let part = (self.lacking / wanted).min(1.0);
        self.lacking = 0.0;
        self.running = false;
        StepResult { drawn: rate * part, on: step.mul_f64(part), ended: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn lacking(power: f64, most: f64, lacking: f64) -> ReplayedAppliance {
        let kind = ApplianceKind { power: Watts(power), most: Watts(most) };
        ReplayedAppliance { lacking, running: true, ..ReplayedAppliance::new(kind) }
    }

    #[test]
    fn a_plain_one_draws_its_power_until_it_is_done() {
        let mut heater = lacking(2000.0, 2000.0, 3000.0);
        let full = StepResult { drawn: Watts(2000.0), on: HOUR, ended: false };
        assert_eq!(heater.live(Watts(9000.0), HOUR), full);
        let rest = StepResult { drawn: Watts(1000.0), on: HOUR / 2, ended: true };
        assert_eq!(heater.live(Watts(0.0), HOUR), rest);
        assert!(!heater.running && !heater.runnable());
        assert_eq!(heater.live(Watts(9000.0), HOUR), StepResult::default());
    }

    #[test]
    fn an_adjustable_one_follows_the_sun_within_its_limits() {
        for (export, expect) in [(-500.0, 1400.0), (1399.0, 1400.0), (2500.0, 2500.0), (9000.0, 3700.0)] {
            let mut car = lacking(1400.0, 3700.0, 50_000.0);
            assert_eq!(car.live(Watts(export), HOUR).drawn, Watts(expect), "{export}");
            assert_eq!(car.lacking, 50_000.0 - expect);
        }
    }
}
