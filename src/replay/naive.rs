//! The usual automation as the master, for comparison: a threshold for each appliance, with hysteresis.
//!
//! It starts an appliance when the export has reached its power for five minutes, and stops it when the home has imported
//! for five. Each looks at the meter alone and knows nothing of the others. A timer sees to it that what is due gets done.

use std::time::Duration;

use crate::replay::appliance::Appliance;
use crate::replay::history::Moment;
use crate::replay::home::Home;
use crate::replay::ledger::Flow;
use crate::replay::live::{Master, Switch};
use crate::units::Watts;

/// A threshold acts when it was passed for so long.
const PATIENCE: Duration = Duration::from_secs(300);

#[derive(Debug, Clone)]
struct Threshold {
    /// Since when its side of the threshold is passed.
    since: Option<Moment>,
    /// When its period ends.
    due: Option<Moment>,
}

/// See the module.
pub(crate) struct Naive {
    net: Watts,
    thresholds: Vec<Threshold>,
}

impl Naive {
    pub(crate) fn new(home: &Home) -> Self {
        let thresholds = vec![Threshold { since: None, due: None }; home.tasks().len()];
        Self { net: Watts::ZERO, thresholds }
    }
}

impl Master for Naive {
    fn need(&mut self, home: &Home, task: usize, _appliance: &Appliance, now: Moment) {
        let resident = &home.residents[task];
        let next = resident.periods.partition_point(|period| period.begin <= now);
        let due = resident.periods.get(next).map_or(home.span().1, |period| period.begin);
        self.thresholds[task].due = resident.plan.model.due.then_some(due);
    }

    fn state(&mut self, _home: &Home, task: usize, _appliance: &Appliance, _now: Moment) {
        self.thresholds[task].since = None;
    }

    fn record(&mut self, _home: &Home, _row: usize, flow: &Flow<'_>, _now: Moment) {
        self.net = flow.net();
    }

    fn cycle(&mut self, home: &Home, appliances: &[Appliance], now: Moment, switches: &mut Vec<Switch>) {
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
            let may = if start { appliance.runnable() } else { home.residents[task].plan.registration.interruptible };
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
