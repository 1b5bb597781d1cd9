//! What happens to a task: it registers, says how it is, goes away, is commanded.

use std::time::Duration;

use crate::core::output::Action;
use crate::core::settings::Settings;
use crate::core::task::exhausted::Exhausted;
use crate::core::task::guards::back_off::StartBackOff;
use crate::core::task::guards::manual_override::ManualOverride;
use crate::core::task::guards::switch_history::SwitchHistory;
use crate::core::task::mode::{Mode, ModeSetting};
use crate::core::task::registration::Registration;
use crate::core::task::state::TaskState;
use crate::core::task::task::{Task, Unreachable};
use crate::core::task::verdict::Verdict;
use crate::core::time::{Instant, Now};

impl Task {
    pub(crate) fn register(&mut self, registration: Registration) {
        (self.registration_error, self.state_error) = (None, None);
        // A broker that comes back replays what was registered: that is nothing new.
        if self.registration.as_ref() != Some(&registration) {
            self.registration = Some(registration);
            self.exhausted = Exhausted::default();
            self.forgive_starts();
        }
    }

    /// Its registration does not hold any more, and may again.
    pub(crate) fn take_registration(&mut self) -> Option<Registration> {
        self.registration.take()
    }

    /// The last valid registration stays in force.
    pub(crate) fn refuse_registration(&mut self, why: String) {
        self.registration_error = Some(why);
    }

    /// It is not registered any more: nothing that anybody wanted of it holds.
    pub(crate) fn unregister(&mut self) {
        self.registration = None;
        (self.registration_error, self.state_error) = (None, None);
        self.mode_setting = ModeSetting::default();
        self.preferred = None;
        self.manual = ManualOverride::default();
        self.daily = None;
        (self.deadline_due, self.stop_all, self.stopping) = (false, false, false);
        self.completion = Default::default();
        self.exhausted = Exhausted::default();
        self.start_sent = None;
        self.end_back_off();
    }

    pub(crate) fn set_state(&mut self, state: TaskState, now: Now, settings: &Settings) {
        let reachable = self.is_reachable(now.at, settings);
        let before = self.state.as_ref().map(|before| (before.running, before.runnable, before.stoppable));
        if before != Some((state.running, state.runnable, state.stoppable)) {
            if state.running { self.end_back_off() } else { self.forgive_starts() }
        }
        if before.is_some_and(|(_, runnable, _)| runnable != state.runnable) {
            self.manual.disturb(now.at);
        }
        match before {
            None => {
                self.history.begin(state.running, now);
                self.manual.compare(state.running);
            }
            Some((running, ..)) if running != state.running => {
                self.switch(state.running, now, settings);
                self.doubts.switch(state.running);
                self.hold_if_by_hand(state.running, reachable, now, settings);
            }
            Some(_) => {}
        }
        if !reachable {
            // What was sent meanwhile may not have reached it.
            self.start_sent = None;
        }
        if !state.running {
            self.learned = None;
            (self.stop_all, self.stopping) = (false, false);
        }
        if self.state.as_ref() != Some(&state) {
            self.exhausted = Exhausted::default();
        }
        self.state = Some(state);
        self.state_at = now.at;
        self.state_error = None;
    }

    /// A state that could not be read. A task that never registered has no report to show it in.
    pub(crate) fn refuse_state(&mut self, why: &str) {
        if self.registration.is_some() {
            self.state_error = Some(why.to_owned());
        }
    }

    /// Its state was cleared from the broker: when it comes again it is the first.
    pub(crate) fn clear_state(&mut self, now: Now, settings: &Settings) {
        if self.running() {
            self.switch(false, now, settings);
        }
        self.state = None;
        self.exhausted = Exhausted::default();
        self.history = SwitchHistory::default();
    }

    pub(crate) fn set_available(&mut self, available: Option<bool>, now: Instant) {
        if self.available != available {
            self.forgive_starts();
            // The first word is no change.
            if self.available.is_some() {
                self.manual.disturb(now);
            }
        }
        self.available = available;
    }

    /// Nothing could be heard from `lost` until now: its state has not grown older meanwhile, unless it was too old
    /// before. And what changed meanwhile explains itself as little as after a change of availability.
    pub(crate) fn hear_again(&mut self, lost: Instant, now: Instant, settings: &Settings) {
        if !matches!(self.unreachable(lost, settings), Some(Unreachable::Expired(_))) {
            self.state_at = self.state_at + now.since(lost.max(self.state_at));
        }
        self.manual.disturb(now);
        // What was sent before may not have reached it: a start is not unanswered yet, a lease is renewed.
        self.back_off.await_anew(now);
        self.doubts.await_anew(now);
        self.start_sent = None;
    }

    /// A command is on its way.
    pub(crate) fn note_sent(&mut self, action: Action, now: Instant) {
        self.manual.command(action, now);
        self.stopping = action == Action::Stop;
        match action {
            Action::Start => {
                self.back_off.expect(now);
                self.doubts.expect_start();
                self.start_sent = Some(now);
            }
            Action::Stop => self.doubts.expect_stop(now),
        }
    }

    /// Its lease is due. A task that can't be heard is looked at again half a lease later.
    pub(crate) fn renew_lease(&mut self, reachable: bool, now: Instant) {
        self.start_sent = Some(now);
        if reachable {
            self.manual.command(Action::Start, now);
        }
    }

    /// A cycle begins: counts the starts and stops that it left unanswered. One that was sent half a cycle ago is.
    pub(crate) fn begin_cycle(&mut self, cycle: Duration, now: Instant) {
        let running = self.running();
        self.back_off.count(running, cycle / 2, now);
        self.doubts.count_stop(running, cycle / 2, now);
        self.stop_all &= running;
    }

    /// A user sets its mode. Returns whether anything is to be done about it.
    pub(crate) fn set_mode(&mut self, setting: ModeSetting) -> bool {
        let before = (self.mode_setting.mode, self.mode());
        self.mode_setting = setting;
        self.manual.release();
        let changed = before != (setting.mode, setting.mode);
        if changed {
            self.stopping = false;
            self.stop_all &= setting.mode != Mode::On;
            // What was decided for the mode before is not why it is as it is.
            self.verdict = Verdict::Pending;
        }
        changed
    }

    /// Modes and manual overrides end by the clock. Returns whether one has ended.
    pub(crate) fn end_overrides(&mut self, now: Now) -> bool {
        let released = self.manual.release_if_over(now);
        let over = self.mode_setting.is_over(now);
        if over {
            self.mode_setting = ModeSetting::default();
        }
        released || over
    }

    /// A stop that it did not follow is forgotten: it stays as it is.
    pub(crate) fn forget_stop(&mut self) {
        self.stopping = false;
    }

    /// Everything is to be stopped: this task too, if it runs. A start may be on its way: until the next cycle it may
    /// still be followed.
    pub(crate) fn begin_stop_all(&mut self) {
        self.stop_all = self.registration.is_some() && (self.running() || self.back_off.awaited());
        if self.mode() == Mode::On {
            self.manual.release();
        }
    }

    pub(crate) fn end_stop_all(&mut self) {
        self.stop_all = false;
    }

    /// It started or stopped: held, if somebody did that by hand. `reachable`: it was so before.
    fn hold_if_by_hand(&mut self, running: bool, reachable: bool, now: Now, settings: &Settings) {
        let by_hand = self.manual.is_by_hand(running, now.at, settings.cycle);
        let lasting = self.registration.as_ref().map_or(Duration::ZERO, |registration| registration.manual_hold);
        if !by_hand || !reachable || lasting.is_zero() || settings.dry_run {
            return;
        }
        let mode = Mode::of(running);
        if mode == self.mode_setting.mode {
            // Back to what the user's mode says: nothing has to be held.
            self.manual.release();
        } else {
            self.manual.hold(ModeSetting { mode, until: Some(now + lasting) }, now.at);
        }
    }

    /// It said something new of itself: starts that it left unanswered don't count any more, unless it always does so.
    fn forgive_starts(&mut self) {
        let owes = self.back_off.sent() > 0;
        if !owes || self.doubts.forgive_start() {
            self.end_back_off();
        }
    }

    /// Starts that it left unanswered don't count any more.
    pub(crate) fn end_back_off(&mut self) {
        self.back_off = StartBackOff::default();
    }

    fn switch(&mut self, starts: bool, now: Now, settings: &Settings) {
        let (seen_on_for, today) = (self.seen_on_for(now.at), now.day(&settings.time_zone));
        self.today.book(starts, seen_on_for, now.at, today);
        self.turn_period(now, settings);
        if let Some(daily) = &mut self.daily {
            daily.book(seen_on_for, now.at);
        }
        self.completion.switch();
        self.history.switch(now);
    }
}
