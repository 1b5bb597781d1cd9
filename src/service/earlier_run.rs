//! What an earlier run left on the broker, gathered while the start-up lasts and handed over at once.
//!
//! What can't be read, because an older version or somebody else left it there, is not taken over. A store that knows the
//! same would fill the same [`Snapshot`].

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;

use crate::core::{Counted, DailyView, Guards, Mode, Priority, Snapshot, TaskId, TaskSnapshot};
use crate::units::{KilowattHours, Watts};
use crate::wire;
use crate::wire::report::Latest;
use crate::wire::topics::TaskTopic;

/// So many tasks are remembered at most.
const MOST_TASKS: usize = 4_096;

/// Everything that is retained of an earlier run.
#[derive(Debug, Default)]
pub(super) struct EarlierRun {
    paused_since: Option<Timestamp>,
    /// When the last cycle was: what reports count is as of then.
    last_cycle: Option<Timestamp>,
    /// What had started and stopped last.
    latest: Latest,
    tasks: BTreeMap<TaskId, Retained>,
    with_setpoint: BTreeSet<TaskId>,
}

/// What is retained of one task.
#[derive(Debug, Default)]
struct Retained {
    /// The word on its topic.
    mode: Option<Mode>,
    priority: Option<Priority>,
    setpoint: Option<Watts>,
    report: Option<OwnReport>,
}

/// What is read of one's own state.
#[derive(Deserialize)]
struct OwnState {
    paused: bool,
    since: Option<Timestamp>,
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
    latest: Latest,
}

impl EarlierRun {
    /// The state of the scheduler. A pause that doesn't say since when counts from now.
    ///
    /// # Errors
    /// Why it can't be read.
    pub(super) fn note_state(&mut self, payload: &[u8], now: Timestamp) -> Result<(), String> {
        let OwnState { paused, since } = serde_json::from_slice(payload).map_err(|problem| problem.to_string())?;
        self.paused_since = paused.then_some(since.unwrap_or(now));
        Ok(())
    }

    /// The report of the last cycle.
    pub(super) fn note_cycle(&mut self, payload: &[u8]) {
        if let Ok(OwnCycle { time, latest }) = serde_json::from_slice(payload) {
            (self.last_cycle, self.latest) = (Some(time), latest);
        }
    }

    /// A task's mode, priority, set-point or report.
    pub(super) fn note_task(&mut self, id: &TaskId, kind: TaskTopic, payload: &[u8]) {
        if self.tasks.len() >= MOST_TASKS && !self.tasks.contains_key(id) {
            return;
        }
        let task = self.tasks.entry(id.clone()).or_default();
        match kind {
            TaskTopic::Mode => task.mode = wire::mode(payload).ok().flatten().map(|(mode, _)| mode),
            TaskTopic::Priority => task.priority = wire::priority(payload).ok().flatten().flatten(),
            TaskTopic::Setpoint => {
                task.setpoint = read_setpoint(payload);
                self.with_setpoint.insert(id.clone());
            }
            TaskTopic::Report => task.report = serde_json::from_slice(payload).ok(),
            _ => {}
        }
    }

    /// The tasks for which a set-point is retained, whether or not it can be read.
    pub(super) fn with_setpoint(&self) -> BTreeSet<TaskId> {
        self.with_setpoint.clone()
    }

    /// All of it. Of the set-points only those of tasks that take them on Sunward's own topic, as `takes_setpoint` says:
    /// what is retained there for others is from before they had a topic of their own.
    pub(super) fn into_snapshot(self, takes_setpoint: impl Fn(&TaskId) -> bool) -> (Snapshot, Latest) {
        let Self { paused_since, last_cycle, latest, tasks, .. } = self;
        let tasks = tasks.into_iter().map(|(id, retained)| {
            let setpoint = retained.setpoint.filter(|_| takes_setpoint(&id));
            (id, TaskSnapshot { setpoint, ..retained.into_snapshot(last_cycle) })
        });
        (Snapshot { paused_since, tasks: tasks.collect() }, latest)
    }
}

fn read_setpoint(payload: &[u8]) -> Option<Watts> {
    let watts: f64 = std::str::from_utf8(payload).ok()?.trim().parse().ok()?;
    watts.is_finite().then_some(Watts(watts))
}

impl Retained {
    fn into_snapshot(self, last_cycle: Option<Timestamp>) -> TaskSnapshot {
        let Self { mode, priority, setpoint, report } = self;
        let word = mode.map(|mode| (mode, None));
        let Some(report) = report else { return TaskSnapshot { mode: word, priority, setpoint, ..Default::default() } };
        TaskSnapshot {
            mode: report.mode().or(word),
            priority,
            manual_override: report.manual_override(),
            guards: Some(report.guards()),
            counted: last_cycle.map(|at| report.counted(at)),
            setpoint,
        }
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

    fn manual_override(&self) -> Option<(Mode, Timestamp)> {
        let held = self.held.as_ref()?;
        Some((held.mode.parse().ok()?, held.until))
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
