//! What people are told: the state, and a report per task.
//!
//! Refuses to publish what has not changed.

use std::collections::BTreeMap;

use crate::core::{Activity, Now, Priority, Status};
use crate::wire::report::{self, SchedulerState, TaskReport};
use crate::wire::topics::TaskTopic;

use super::Bridge;
use super::input::Moment;
use super::rejections::Refused;

impl Bridge {
    /// Publishes what changed of the state and of the tasks' reports.
    pub(super) fn tell(&mut self) {
        self.untold = false;
        if self.start_up.is_open() {
            return;
        }
        let mut reports = BTreeMap::new();
        let views = self.scheduler.tasks(self.clock.now());
        for view in &views {
            let topic = self.topics.task(&view.id, TaskTopic::Report);
            reports.insert(topic, report::payload(&TaskReport::from(view)));
            if view.status != Status::Invalid {
                let priority = view.preferred.map_or("auto", Priority::as_str);
                for (kind, word) in [(TaskTopic::Mode, view.mode.as_str()), (TaskTopic::Priority, priority)] {
                    reports.insert(self.topics.task(&view.id, kind), word.into());
                }
            }
        }
        // Home Assistant is to forget a task before its report is empty.
        self.discovery.tell(&views, &mut self.outlet);
        self.outlet.replace(&mut self.reports, reports);
        self.tell_state();
    }

    /// What somebody should look at, in one sentence.
    fn problem(&self, warnings: &[String], refused: &Refused) -> Option<String> {
        if self.scheduler.activity() == Activity::NoData {
            return Some("no power record arrives".into());
        }
        let recent = || refused.recent(self.clock.now()).map(|last| format!("{}: {}", last.topic, last.error));
        warnings.first().cloned().or_else(recent)
    }

    /// More messages were refused than people know of.
    pub(super) fn tell_faults(&mut self, now: Now) {
        self.clock = Moment::new(now);
        self.tell_state();
    }

    pub(super) fn tell_state(&mut self) {
        if self.start_up.is_open() {
            return;
        }
        let now = self.clock.now();
        let activity = self.scheduler.activity();
        let mut warnings = self.scheduler.warnings(now);
        warnings.extend(self.rival.warning(now));
        warnings.extend(self.sensors.warnings());
        warnings.extend(self.faults.refusals().map(str::to_owned));
        let refused = self.faults.tell(now).clone();
        let state = SchedulerState {
            state: activity.into(),
            paused: Some(activity == Activity::Paused),
            since: self.scheduler.since().into(),
            version: env!("CARGO_PKG_VERSION").into(),
            cycle: self.cycle,
            tasks: self.scheduler.task_count(),
            rejected: refused.count,
            last_error: refused.last.clone(),
            problem: self.problem(&warnings, &refused),
            warnings,
        };
        self.outlet.state(self.topics.scheduler_state(), report::payload(&state));
    }
}
