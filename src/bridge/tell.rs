//! What people are told: the state, and a report per task.
//!
//! Refuses to publish what has not changed.

use std::collections::BTreeMap;

use crate::mqtt::topics::TaskTopic;
use crate::report;
use crate::scheduler::Activity;

use super::Bridge;

impl Bridge {
    /// Publishes what changed of the state and of the tasks' reports.
    pub(super) fn tell(&mut self) {
        self.untold = false;
        if self.start_up.is_open() {
            return;
        }
        let mut reports = BTreeMap::new();
        for view in self.scheduler.tasks(self.clock.now()) {
            let topic = self.topics.task(&view.id, TaskTopic::Report);
            reports.insert(topic, report::task(&view).to_string().into_bytes());
        }
        self.outlet.reports(reports);
        self.tell_state();
    }

    pub(super) fn tell_state(&mut self) {
        if self.start_up.is_open() {
            return;
        }
        let now = self.clock.now();
        let activity = self.scheduler.activity();
        let mut warnings = self.scheduler.warnings(now);
        warnings.extend(self.sensors.warnings());
        warnings.extend(self.faults.refusals().map(str::to_owned));
        warnings.extend(
            self.not_yet
                .iter()
                .map(|(id, fields)| format!("task {id}: {} not acted on in this version yet", fields.join(", "))),
        );
        let state = report::State {
            state: activity.as_str(),
            paused: activity == Activity::Paused,
            since: report::time(self.scheduler.since()),
            version: env!("CARGO_PKG_VERSION"),
            cycle: humantime::format_duration(self.cycle).to_string(),
            tasks: self.scheduler.task_count(),
            rejected: self.faults.rejected(),
            last_error: self.faults.last(),
            warnings,
        };
        if let Ok(payload) = serde_json::to_vec(&state) {
            self.outlet.state(self.topics.scheduler_state(), payload);
        }
    }
}
