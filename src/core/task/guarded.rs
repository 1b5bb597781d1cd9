//! What a task's guards say: whether it may start or stop, whether it is finished, what it owes.

use std::time::Duration;

use crate::core::settings::Settings;
use crate::core::task::guards::back_off::StartBackOff;
use crate::core::task::guards::daily::{Daily, DailyAccount};
use crate::core::task::guards::finished::Finished;
use crate::core::task::guards::lease;
use crate::core::task::guards::manual_override::ManualOverride;
use crate::core::task::guards::switch_history::SwitchHistory;
use crate::core::task::guards::today::Today;
use crate::core::task::mode::{Mode, ModeSetting};
use crate::core::task::task::Task;
use crate::core::time::{Instant, Now};
use crate::units::Watts;

impl Task {
    /// It may be started, as far as it and its guards are concerned.
    pub(crate) fn runnable(&self, now: Instant) -> bool {
        self.state.as_ref().is_some_and(|state| state.runnable)
            && self.min_off_left(now).is_none()
            && self.rests_until(now).is_none()
            && !self.is_exhausted(now)
    }

    /// It may be stopped, as far as it and its guards are concerned.
    pub(crate) fn stoppable(&self, now: Instant) -> bool {
        self.stoppable_but_for_min_on(now) && !self.held_by_min_on(now)
    }

    pub(crate) fn stoppable_but_for_min_on(&self, now: Instant) -> bool {
        let interruptible = || self.registration.as_ref().is_none_or(|registration| registration.interruptible);
        self.state
            .as_ref()
            .and_then(|state| state.stoppable)
            .unwrap_or_else(|| interruptible() || self.is_finished(now))
    }

    pub(crate) fn held_by_min_on(&self, now: Instant) -> bool {
        self.registration.as_ref().is_some_and(|registration| self.on_for(now) < registration.min_on)
    }

    /// How long `min_off` still keeps it from running.
    pub(crate) fn min_off_left(&self, now: Instant) -> Option<Duration> {
        let min_off = self.registration.as_ref().filter(|_| !self.running())?.min_off;
        self.history.min_off_left(min_off, now)
    }

    pub(crate) fn on_for(&self, now: Instant) -> Duration {
        if self.running() { self.history.lasting(now) } else { Duration::ZERO }
    }

    pub(crate) fn off_for(&self, now: Instant) -> Duration {
        if self.running() { Duration::ZERO } else { self.history.lasting(now) }
    }

    /// Run time that this run of Sunward has seen since the last switch: what is counted of it.
    pub(crate) fn seen_on_for(&self, now: Instant) -> Duration {
        if self.running() { now.since(self.history.seen_since()) } else { Duration::ZERO }
    }

    pub(crate) fn history(&self) -> &SwitchHistory {
        &self.history
    }

    pub(crate) fn back_off(&self) -> &StartBackOff {
        &self.back_off
    }

    pub(crate) fn manual(&self) -> &ManualOverride {
        &self.manual
    }

    /// The mode that a user set.
    pub(crate) fn mode_setting(&self) -> &ModeSetting {
        &self.mode_setting
    }

    pub(crate) fn today(&self) -> &Today {
        &self.today
    }

    pub(crate) fn today_mut(&mut self) -> &mut Today {
        &mut self.today
    }

    /// `stop_all` is to be repeated until it stops.
    pub(crate) fn awaits_stop_all(&self) -> bool {
        self.stop_all
    }

    /// A stop was sent, and no start since.
    pub(crate) fn stopping(&self) -> bool {
        self.stopping
    }

    /// When its start has to be repeated before its lease runs out; none: it has no lease, or is not wanted to run.
    pub(crate) fn renewal(&self) -> Option<Instant> {
        let lease = self.registration.as_ref()?.lease?;
        let wanted = self.running() && !self.is_away() && self.mode() != Mode::Off && !self.stop_all && !self.stopping;
        wanted.then(|| lease::renewal(lease, self.start_sent, self.manual.disturbed()))
    }

    /// It has a lease, or a mode or manual override that ends: it is looked at between cycles.
    pub(crate) fn has_timer(&self) -> bool {
        let leased = self.registration.as_ref().is_some_and(|registration| registration.lease.is_some());
        leased || self.mode_setting.until.is_some() || self.manual.held().is_some()
    }

    /// The moments at which it has to be looked at.
    pub(crate) fn timers(&self) -> impl Iterator<Item = Instant> {
        let ends = [self.mode_setting.until, self.manual.held().and_then(|held| held.until)];
        ends.into_iter().flatten().map(|until| until.at).chain(self.renewal())
    }

    // Finished.

    pub(crate) fn finished(&self) -> Option<&Finished> {
        self.registration.as_ref()?.finished.as_ref()
    }

    /// Something was measured, or time has passed. `measured`: what it uses, and since when that is known.
    pub(crate) fn watch_usage(&mut self, measured: Option<(Watts, Instant)>) {
        let measured = measured.filter(|_| self.running());
        let finished = self.registration.as_ref().and_then(|registration| registration.finished.as_ref());
        self.completion.watch(finished, measured);
    }

    /// It has used next to nothing for so long that it is finished.
    pub(crate) fn is_finished(&self, now: Instant) -> bool {
        self.running() && self.finished().is_some_and(|finished| self.completion.is_complete(finished, now))
    }

    /// It is finished: nothing is owed any more, and it rests.
    pub(crate) fn settle(&mut self, rest: Duration, now: Now) {
        if let Some(daily) = &mut self.daily {
            daily.settle();
        }
        self.completion.rest(Some(now + rest));
    }

    /// Until when it rests, if it does.
    pub(crate) fn rests_until(&self, now: Instant) -> Option<Now> {
        self.completion.rests_until(now)
    }

    // Daily run time.

    fn daily_settings(&self) -> Option<&Daily> {
        self.registration.as_ref()?.daily.as_ref()
    }

    /// The run time of the current period.
    pub(crate) fn daily(&self) -> Option<&DailyAccount> {
        self.daily.as_ref()
    }

    /// It has to run for its deadline, as last checked.
    pub(crate) fn deadline_due(&self) -> bool {
        self.deadline_due
    }

    /// Begins the next period once the last one is over.
    pub(crate) fn turn_period(&mut self, now: Now, settings: &Settings) {
        let by = self.daily_settings().map(|daily| daily.by);
        if self.daily.as_ref().is_some_and(|daily| by.is_some_and(|by| daily.holds(by, now.wall))) {
            return;
        }
        self.daily = by.and_then(|by| DailyAccount::open(by, now, &settings.time_zone));
        self.deadline_due &= self.daily.is_some();
    }

    /// Looks at its deadline.
    pub(crate) fn check_deadline(&mut self, now: Now, settings: &Settings) {
        if self.daily.is_some() || self.daily_settings().is_some() {
            self.turn_period(now, settings);
            self.deadline_due = self.is_deadline_due(now, settings.cycle);
        }
    }

    pub(super) fn is_deadline_due(&self, now: Now, cycle: Duration) -> bool {
        self.daily.is_some_and(|daily| daily.is_due(self.owed(now.at), now, cycle))
    }

    /// Run time in the current period.
    pub(crate) fn ran_in_period(&self, now: Instant) -> Duration {
        self.daily.map_or(Duration::ZERO, |daily| daily.ran(self.seen_on_for(now), now))
    }

    /// The run time that is still owed.
    pub(crate) fn owed(&self, now: Instant) -> Duration {
        match (self.daily_settings(), self.daily) {
            (Some(settings), Some(daily)) => daily.owed(settings.on_for, self.ran_in_period(now)),
            _ => Duration::ZERO,
        }
    }

    /// It ran as long as it may in this period.
    pub(crate) fn is_exhausted(&self, now: Instant) -> bool {
        self.daily_settings().and_then(|daily| daily.max).is_some_and(|max| self.ran_in_period(now) >= max)
    }
}
