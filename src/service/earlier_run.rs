//! What an earlier run left on the broker, gathered while the start-up lasts and handed over at once.
//!
//! What can't be read, because an older version or somebody else left it there, is not taken over. A store that knows the
//! same would fill the same [`Snapshot`].

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::core::{Counted, DailyView, Guards, Mode, Priority, Snapshot, Status, TaskId, TaskSnapshot};
use crate::units::Watts;
use crate::wire;
use crate::wire::report::{LastSwitches, SchedulerCycle, SchedulerState, TaskReport};
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
    last_switches: LastSwitches,
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
    report: Option<TaskReport>,
}

impl EarlierRun {
    /// The state of the scheduler. A pause that doesn't say since when counts from now.
    ///
    /// # Errors
    /// Why it can't be read.
    pub(super) fn note_state(&mut self, payload: &[u8], now: Timestamp) -> Result<(), String> {
        let state: SchedulerState = serde_json::from_slice(payload).map_err(|problem| problem.to_string())?;
        let paused = state.paused.ok_or("missing field `paused`")?;
        self.paused_since = paused.then_some(state.since.value().unwrap_or(now));
        Ok(())
    }

    /// The report of the last cycle.
    pub(super) fn note_cycle(&mut self, payload: &[u8]) {
        let cycle: SchedulerCycle = serde_json::from_slice(payload).unwrap_or_default();
        if let Some(time) = cycle.time.value() {
            (self.last_cycle, self.last_switches) = (Some(time), cycle.last_switches);
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
    pub(super) fn into_snapshot(self, takes_setpoint: impl Fn(&TaskId) -> bool) -> (Snapshot, LastSwitches) {
        let Self { paused_since, last_cycle, last_switches, tasks, .. } = self;
        let tasks = tasks.into_iter().map(|(id, retained)| {
            let setpoint = retained.setpoint.filter(|_| takes_setpoint(&id));
            (id, TaskSnapshot { setpoint, ..retained.into_snapshot(last_cycle) })
        });
        (Snapshot { paused_since, tasks: tasks.collect() }, last_switches)
    }
}

fn read_setpoint(payload: &[u8]) -> Option<Watts> {
    let watts: f64 = std::str::from_utf8(payload).ok()?.trim().parse().ok()?;
    watts.is_finite().then_some(Watts(watts))
}

impl Retained {
    fn into_snapshot(self, last_cycle: Option<Timestamp>) -> TaskSnapshot {
        let Self { priority, setpoint, report, .. } = self;
        let word = self.mode.map(|mode| (mode, None));
        let Some(report) = report else { return TaskSnapshot { mode: word, priority, setpoint, ..Default::default() } };
        // Anybody can leave anything there.
        let is_ours = report.status.value().is_some();
        TaskSnapshot {
            registered: report.status.value().is_some_and(|status| status != Status::Invalid),
            mode: mode(&report).or(word),
            priority,
            manual_override: manual_override(&report),
            guards: is_ours.then(|| guards(&report)),
            counted: last_cycle.filter(|_| is_ours).map(|at| counted(&report, at)),
            setpoint,
        }
    }
}

/// The mode with its end: that both stand in one message keeps an `on 2h` from becoming one without an end, whatever
/// happened between two.
fn mode(report: &TaskReport) -> Option<(Mode, Option<Timestamp>)> {
    Some((report.mode.value()?, report.mode_until))
}

fn manual_override(report: &TaskReport) -> Option<(Mode, Timestamp)> {
    let held = report.held.as_ref()?;
    Some((held.mode.value()?, held.until))
}

fn guards(report: &TaskReport) -> Guards {
    Guards { running: report.running(), since: report.since, rests_until: report.rests_until }
}

fn counted(report: &TaskReport, at: Timestamp) -> Counted {
    Counted {
        at,
        running: report.running(),
        on_today: report.on_today,
        starts_today: report.starts_today,
        energy_today: report.energy_today,
        daily: report.daily.map(DailyView::from),
    }
}
