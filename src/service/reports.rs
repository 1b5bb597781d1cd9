//! What people are told: the state, and a report per task. Published where it changed, at the end of a step.

use std::collections::BTreeSet;

use super::rejections::Rejected;
use super::service::Service;
use crate::core::{Activity, Priority, Status, TaskId, TaskView};
use crate::wire::report::{SchedulerState, TaskReport, payload};
use crate::wire::topics::TaskTopic;

impl Service {
    /// Whether [`Service::report`] has something to do.
    pub(super) fn has_reports_due(&self) -> bool {
        self.start_up.is_over() && self.reports_due.any()
    }

    /// Publishes what the step changed of the state and of the tasks' reports. Commands are on their way by then: a hundred
    /// reports take their time.
    pub(super) fn report(&mut self) {
        let due = self.reports_due.take();
        // Before Sunward is online nobody is told anything; then it is everything.
        if !self.start_up.is_over() {
            return;
        }
        if due.has_every_task() {
            self.report_every_task();
        } else if !due.tasks().is_empty() {
            let now = self.now;
            let views: Vec<_> = due.tasks().iter().map(|id| (id.clone(), self.scheduler.task(id, now))).collect();
            self.report_tasks(views.iter().map(|(id, view)| (id, view.as_ref())));
        }
        if due.has_state() {
            self.report_state();
        }
    }

    fn report_every_task(&mut self) {
        let views = self.scheduler.tasks(self.now);
        let known: BTreeSet<&TaskId> = views.iter().map(|view| &view.id).collect();
        let gone: Vec<TaskId> = self.reported.iter().filter(|id| !known.contains(id)).cloned().collect();
        let gone = gone.iter().map(|id| (id, None));
        self.report_tasks(gone.chain(views.iter().map(|view| (&view.id, Some(view)))));
    }

    /// Publishes the reports of these tasks, and clears those of which there is nothing to tell any more.
    fn report_tasks<'a>(&mut self, tasks: impl Iterator<Item = (&'a TaskId, Option<&'a TaskView>)> + Clone) {
        for (id, view) in tasks.clone() {
            self.discovery.set_task(id, view);
        }
        // Home Assistant is to forget a task before its report is empty.
        self.discovery.publish(&mut self.outputs);
        for (id, view) in tasks {
            if view.is_some() {
                self.reported.insert(id.clone());
            } else {
                self.reported.remove(id);
            }
            let valid = view.filter(|view| view.status != Status::Invalid);
            let priority = |view: &TaskView| view.preferred.map_or("auto", Priority::as_str);
            let report = view.map(|view| payload(&TaskReport::from(view)));
            self.report_or_clear(id, TaskTopic::Report, report);
            self.report_or_clear(id, TaskTopic::Mode, valid.map(|view| view.mode.as_str()));
            self.report_or_clear(id, TaskTopic::Priority, valid.map(priority));
        }
    }

    fn report_or_clear(&mut self, id: &TaskId, kind: TaskTopic, payload: Option<impl Into<Vec<u8>>>) {
        let topic = self.topics.task(id, kind);
        match payload {
            Some(payload) => self.publisher.publish_if_changed(topic, payload.into(), &mut self.outputs),
            None => self.publisher.clear_retained(&topic, &mut self.outputs),
        }
    }

    fn report_state(&mut self) {
        let now = self.now;
        let activity = self.scheduler.activity();
        let mut warnings = self.scheduler.warnings(now);
        warnings.extend(self.duplicate.warning(now));
        warnings.extend(self.sensors.warnings());
        warnings.extend(self.rejections.by_broker().map(str::to_owned));
        let rejected = self.rejections.publish(now).clone();
        let state = SchedulerState {
            state: activity.into(),
            paused: Some(activity == Activity::Paused),
            since: self.scheduler.since().into(),
            version: env!("CARGO_PKG_VERSION").into(),
            cycle: self.cycle,
            tasks: self.scheduler.task_count(),
            rejected: rejected.count,
            problem: self.problem(&warnings, &rejected),
            last_error: rejected.last,
            warnings,
        };
        self.publisher.publish_if_changed(self.topics.scheduler_state(), payload(&state), &mut self.outputs);
    }

    /// What somebody should look at, in one sentence.
    fn problem(&self, warnings: &[String], rejected: &Rejected) -> Option<String> {
        if self.scheduler.activity() == Activity::NoData {
            return Some("no power record arrives".into());
        }
        let recent = || rejected.recent(self.now).map(|last| format!("{}: {}", last.topic, last.error));
        warnings.first().cloned().or_else(recent)
    }
}
