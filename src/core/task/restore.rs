//! What an earlier run knew of a task is taken over after a restart.
//!
//! A task that ran before and runs after counts as running in between, if that was short.

use std::time::Duration;

use crate::core::settings::Settings;
use crate::core::snapshot::{Counted, Guards, TaskSnapshot};
use crate::core::task::mode::{Mode, ModeSetting};
use crate::core::task::task::Task;
use crate::core::time::{Instant, Now};

impl Task {
    /// Takes over everything but the set-point. Nothing of it is new, so that nothing acts at once.
    pub(crate) fn restore(&mut self, snapshot: TaskSnapshot, now: Now, settings: &Settings) {
        if let Some((mode, until)) = snapshot.mode {
            let until = until.filter(|_| mode != Mode::Auto).map(|until| now.until(until));
            self.restore_mode(ModeSetting { mode, until }, now);
        }
        if snapshot.priority.is_some() {
            self.preferred = snapshot.priority;
        }
        if let Some((mode, until)) = snapshot.manual_override {
            self.restore_manual(ModeSetting { mode, until: Some(now.until(until)) }, now);
        }
        if let Some(guards) = snapshot.guards {
            self.restore_guards(guards, now);
        }
        if let Some(counted) = &snapshot.counted {
            self.restore_counts(counted, now, settings);
        }
    }

    fn restore_mode(&mut self, setting: ModeSetting, now: Now) {
        if !setting.is_over(now) {
            self.mode_setting = setting;
        }
    }

    fn restore_manual(&mut self, setting: ModeSetting, now: Now) {
        if setting.is_over(now) {
            return;
        }
        self.manual.hold(setting, Instant::START);
        // Before its first state it is unreachable, and nobody acts on this.
        if self.state.is_some() {
            self.manual.compare(self.running());
        }
    }

    /// What switched meanwhile counts from when it was seen.
    fn restore_guards(&mut self, guards: Guards, now: Now) {
        if self.finished().is_some() {
            self.completion.rest(guards.rests_until.map(|until| now.until(until)));
        }
        let running = self.state.as_ref().map(|state| state.running);
        self.history.recall(guards, running, now);
    }

    /// As far as it speaks of the same day and the same period.
    fn restore_counts(&mut self, counted: &Counted, now: Now, settings: &Settings) {
        let away = Duration::try_from(now.wall.duration_since(counted.at)).unwrap_or_default();
        let away = away.saturating_sub(now.at.since(self.history.seen_since()));
        let ran_on = counted.running == Some(true) && self.running() && away <= settings.max_record_gap;
        let on_meanwhile = if ran_on { away } else { Duration::ZERO };
        let started_meanwhile = counted.running == Some(false) && self.running();
        let today = now.day(&settings.time_zone);
        if counted.at.to_zoned_datetime(settings.time_zone.clone()).date() == today.date {
            let starts = counted.starts_today + u32::from(started_meanwhile);
            self.today.restore(counted.on_today + on_meanwhile, starts, counted.energy_today, today);
        }
        self.turn_period(now, settings);
        if let (Some(daily), Some(before)) = (&mut self.daily, counted.daily) {
            daily.restore(&before, on_meanwhile);
        }
        self.deadline_due = self.is_deadline_due(now, settings.cycle);
    }
}
