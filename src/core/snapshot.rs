//! What an earlier run had counted and guarded for a task, taken over after a restart.
//!
//! Refuses to guess for long: a task that ran before and runs after counts as running in between, if that was short.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::core::task::guards::today::Today;
use crate::core::{DailyView, Mode, Now, Priority, Scheduler, TaskId};
use crate::units::{KilowattHours, Watts};

/// What an earlier run had told of a task's run time.
#[derive(Debug, Clone, PartialEq)]
pub struct Counted {
    /// When that was true.
    pub at: Timestamp,
    /// Whether it ran, if that was known.
    pub running: Option<bool>,
    /// Run time since that day's midnight.
    pub on_today: Duration,
    /// Starts since that day's midnight.
    pub starts_today: u32,
    /// What it used since that day's midnight.
    pub energy_today: KilowattHours,
    /// The account of its daily run time.
    pub daily: Option<DailyView>,
}

/// What an earlier run had told of a task's last switch and of its rest.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Guards {
    /// Whether it ran, if that was known.
    pub running: Option<bool>,
    /// When it had last started or stopped.
    pub since: Option<Timestamp>,
    /// Until when it rests, as it was done.
    pub rests_until: Option<Timestamp>,
}

/// What an earlier run knew, from wherever it was kept: retained messages, or a database.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Snapshot {
    /// Since when a user had paused it.
    pub paused_since: Option<Timestamp>,
    /// By task.
    pub tasks: BTreeMap<TaskId, TaskSnapshot>,
}

/// What an earlier run knew of one task.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TaskSnapshot {
    /// The mode that a user had set, and its end.
    pub mode: Option<(Mode, Option<Timestamp>)>,
    /// The priority that a user had set.
    pub priority: Option<Priority>,
    /// What somebody had switched by hand, and until when that was held.
    pub manual_override: Option<(Mode, Timestamp)>,
    /// Its last switch and its rest.
    pub guards: Option<Guards>,
    /// What was counted.
    pub counted: Option<Counted>,
    /// The set-point that it was told last.
    pub setpoint: Option<Watts>,
}

impl Scheduler {
    /// Takes over what an earlier run knew, as far as it concerns tasks that are registered by now. Returns the tasks that
    /// still get the set-points which they had been told.
    pub fn restore(&mut self, snapshot: Snapshot, now: Now) -> BTreeSet<TaskId> {
        if let Some(since) = snapshot.paused_since {
            self.restore_pause(since);
        }
        let mut with_setpoint = BTreeSet::new();
        for (id, task) in snapshot.tasks {
            if task.setpoint.is_some_and(|watts| self.restore_setpoint(&id, watts)) {
                with_setpoint.insert(id.clone());
            }
            if let Some((mode, until)) = task.mode {
                self.restore_mode(&id, mode, until.filter(|_| mode != Mode::Auto), now);
            }
            if task.priority.is_some() && self.set_priority(id.clone(), task.priority).is_err() {
                continue;
            }
            if let Some((mode, until)) = task.manual_override {
                self.restore_hold(&id, mode, until, now);
            }
            if let Some(guards) = task.guards {
                self.restore_guards(&id, guards, now);
            }
            if let Some(counted) = &task.counted {
                self.restore_counts(&id, counted, now);
            }
        }
        with_setpoint
    }

    /// Takes over since when a task is as it is, and its rest. What switched meanwhile counts from when it was seen.
    pub fn restore_guards(&mut self, id: &TaskId, told: Guards, now: Now) {
        let Ok(slot) = self.registered(id.clone()) else { return };
        let task = &mut self.tasks[slot];
        if task.finished().is_some() {
            task.rests_until = told.rests_until.map(|until| now.until(until));
        }
        let running = task.state.as_ref().map(|state| state.running);
        task.spell.recall(told, running, now);
    }

    /// Takes over what an earlier run had counted, as far as it speaks of the same day and the same period.
    pub fn restore_counts(&mut self, id: &TaskId, counted: &Counted, now: Now) {
        let Ok(slot) = self.registered(id.clone()) else { return };
        let Self { tasks, settings, .. } = self;
        let task = &mut tasks[slot];
        let away = Duration::try_from(now.wall.duration_since(counted.at)).unwrap_or_default();
        let away = away.saturating_sub(now.at.since(task.spell.seen_since()));
        let ran_on = counted.running == Some(true) && task.running() && away <= settings.max_record_gap;
        let on_meanwhile = if ran_on { away } else { Duration::ZERO };
        let started_meanwhile = counted.running == Some(false) && task.running();
        let today = now.day(&settings.time_zone);
        if counted.at.to_zoned_datetime(settings.time_zone.clone()).date() == today.date {
            task.today = Today {
                day: today,
                on: counted.on_today + on_meanwhile,
                starts: counted.starts_today + task.starts_today(today) + u32::from(started_meanwhile),
            };
            task.energy.add(counted.energy_today, today.date);
        }
        task.turn_period(now, &settings.time_zone);
        if let (Some(account), Some(told)) = (&mut task.account, counted.daily) {
            account.restore(&told, on_meanwhile);
        }
        task.pressed = task.is_pressed(now, settings.cycle);
    }
}
