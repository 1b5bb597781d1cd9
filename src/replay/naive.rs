//! The usual automation as the controller, for comparison: a threshold for each appliance, with hysteresis.
//!
//! It starts an appliance when the export has reached its power for five minutes, and stops it when the home has imported
//! for five. Each looks at the meter alone and knows nothing of the others. A timer sees to it that what is due gets done.

use std::time::Duration;

use crate::replay::appliance::ReplayedAppliance;
use crate::replay::history::ReplayTime;
use crate::replay::home::RecordedHome;
use crate::replay::simulation::{Controller, Switch};
use crate::replay::totals::Flow;
use crate::units::Watts;

/// A threshold acts when it was passed for so long.
const PATIENCE: Duration = Duration::from_secs(300);

#[derive(Debug, Clone)]
struct Threshold {
    /// Since when its side of the threshold is passed.
    since: Option<ReplayTime>,
    /// When its period ends.
    due: Option<ReplayTime>,
}

/// A threshold for each appliance.
pub(crate) struct NaiveSwitch {
    net: Watts,
    thresholds: Vec<Threshold>,
}

impl NaiveSwitch {
    pub(crate) fn new(home: &RecordedHome) -> Self {
        let thresholds = vec![Threshold { since: None, due: None }; home.tasks().len()];
        Self { net: Watts::ZERO, thresholds }
    }
}

impl Controller for NaiveSwitch {
    fn need(&mut self, home: &RecordedHome, task: usize, _appliance: &ReplayedAppliance, now: ReplayTime) {
        let recorded_task = &home.recorded_tasks[task];
        let next = recorded_task.periods.partition_point(|period| period.begin <= now);
        let due = recorded_task.periods.get(next).map_or(home.span().1, |period| period.begin);
        self.thresholds[task].due = recorded_task.plan.model.due.then_some(due);
    }

    fn state(&mut self, _home: &RecordedHome, task: usize, _appliance: &ReplayedAppliance, _now: ReplayTime) {
        self.thresholds[task].since = None;
    }

    fn record(&mut self, _home: &RecordedHome, _row: usize, flow: &Flow<'_>, _now: ReplayTime) {
        self.net = flow.net();
    }

    fn cycle(
        &mut self,
        home: &RecordedHome,
        appliances: &[ReplayedAppliance],
        now: ReplayTime,
        switches: &mut Vec<Switch>,
    ) {
        for (task, appliance) in appliances.iter().enumerate() {
            let threshold = &mut self.thresholds[task];
            let power = appliance.kind.power;
            let hours = appliance.lacking / power.0;
            let late = threshold
                .due
                .is_some_and(|due| now.until(due).as_secs_f64() <= hours * 3600.0 + PATIENCE.as_secs_f64());
            let start = !appliance.running;
            let passed = if start { self.net.export() >= power } else { self.net > Watts::ZERO && !late };
            threshold.since = passed.then(|| threshold.since.unwrap_or(now));
            let waited = threshold.since.is_some_and(|since| since.until(now) >= PATIENCE);
            let may =
                if start { appliance.runnable() } else { home.recorded_tasks[task].plan.registration.interruptible };
            if may && (waited || (start && late)) {
                let rule = if waited { "threshold" } else { "timer" };
                let reason = match (start, waited) {
                    (true, true) => format!("{} were exported for 5 minutes, it needs {power}", self.net.export()),
                    (true, false) => "it is due".into(),
                    (false, _) => format!("the home imported for 5 minutes, {} now", self.net),
                };
                switches.push(Switch { task, start, rule, reason });
            }
        }
        switches.sort_by_key(|switch| switch.start);
    }
}
