//! What earlier runs told of the tasks, read once at the start-up: modes, priorities, guards, run times.
//!
//! Refuses to fail on what an older version, or somebody else, left there: what can't be read is not taken over.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;

use crate::core::{Counted, DailyView, Event, Guards, Mode, Now, Priority, Scheduler, TaskId};
use crate::units::KilowattHours;
use crate::wire;
use crate::wire::report::LastSwitches;
use crate::wire::topics::TaskTopic;

/// So many tasks are remembered at most.
const MOST_TASKS: usize = 4_096;

#[derive(Debug, Default)]
pub(super) struct Memory {
    /// When the last cycle was: what reports count is as of then.
    cycle: Option<Timestamp>,
    /// What had started and stopped last.
    latest: LastSwitches,
    tasks: BTreeMap<TaskId, Told>,
}

/// What was told of one task.
#[derive(Debug, Default)]
struct Told {
    /// The word on its topic.
    mode: Option<Mode>,
    priority: Option<Priority>,
    report: Option<OwnReport>,
}

/// What is read of one's own report.
#[derive(Debug, Deserialize)]
struct OwnReport {
    status: String,
    mode: Option<String>,
    mode_until: Option<Timestamp>,
    held: Option<Held>,
    since: Option<Timestamp>,
    rests_until: Option<Timestamp>,
    on_today: u64,
    starts_today: u32,
    #[serde(default)]
    energy_today: KilowattHours,
    daily: Option<Daily>,
}

#[derive(Debug, Deserialize)]
struct Held {
    mode: String,
    until: Timestamp,
}

#[derive(Debug, Deserialize)]
struct Daily {
    by: Timestamp,
    on_for: u64,
    settled: bool,
}

/// What is read of one's own last cycle.
#[derive(Deserialize)]
struct OwnCycle {
    time: Timestamp,
    #[serde(flatten)]
    latest: LastSwitches,
}

impl Memory {
    /// The report of the last cycle.
    pub(super) fn note_cycle(&mut self, payload: &[u8]) {
        if let Ok(OwnCycle { time, latest }) = serde_json::from_slice(payload) {
            (self.cycle, self.latest) = (Some(time), latest);
        }
    }

    /// A task's mode, priority, or report.
    pub(super) fn note(&mut self, id: &TaskId, kind: TaskTopic, payload: &[u8]) {
        if self.tasks.len() >= MOST_TASKS && !self.tasks.contains_key(id) {
            return;
        }
        let told = self.tasks.entry(id.clone()).or_default();
        match kind {
            TaskTopic::Mode => told.mode = wire::mode(payload).ok().flatten().map(|(mode, _)| mode),
            TaskTopic::Priority => told.priority = wire::priority(payload).ok().flatten().flatten(),
            TaskTopic::Report => told.report = serde_json::from_slice(payload).ok(),
            _ => {}
        }
    }

    /// Gives the scheduler what it had told. Only what is registered by now is taken over. Answers what had started and
    /// stopped last.
    pub(super) fn restore(self, scheduler: &mut Scheduler, now: Now) -> LastSwitches {
        for (id, Told { mode, priority, report }) in self.tasks {
            if let Some((mode, until)) = report.as_ref().and_then(OwnReport::mode).or(mode.map(|mode| (mode, None))) {
                scheduler.restore_mode(&id, mode, until.filter(|_| mode != Mode::Auto), now);
            }
            if priority.is_some()
                && let Err(unknown) = scheduler.handle(Event::Priority(id.clone(), priority), now)
            {
                tracing::debug!("its priority is forgotten: {unknown}");
            }
            let Some(report) = report else { continue };
            if let Some((mode, until)) =
                report.held.as_ref().and_then(|held| Some((held.mode.parse().ok()?, held.until)))
            {
                scheduler.restore_hold(&id, mode, until, now);
            }
            scheduler.restore_guards(&id, report.guards(), now);
            if let Some(at) = self.cycle {
                scheduler.restore_counts(&id, &report.counted(at), now);
            }
        }
        self.latest
    }
}

impl OwnReport {
    fn running(&self) -> Option<bool> {
        match self.status.as_str() {
            "running" => Some(true),
            "stopped" | "unrunnable" => Some(false),
            _ => None,
        }
    }

    /// Mode and end in one message: whatever happened between two, no `on 2h` becomes one without an end.
    fn mode(&self) -> Option<(Mode, Option<Timestamp>)> {
        Some((self.mode.as_ref()?.parse().ok()?, self.mode_until))
    }

    fn guards(&self) -> Guards {
        Guards { running: self.running(), since: self.since, rests_until: self.rests_until }
    }

    fn counted(&self, at: Timestamp) -> Counted {
        let running = self.running();
        let daily = self.daily.as_ref().map(|daily| DailyView {
            by: daily.by,
            ran: Duration::from_secs(daily.on_for),
            settled: daily.settled,
        });
        let on_today = Duration::from_secs(self.on_today);
        Counted { at, running, on_today, starts_today: self.starts_today, energy_today: self.energy_today, daily }
    }
}
