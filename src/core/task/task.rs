//! A task as the scheduler sees it: its registration, its last state, and what the rules may ask of it.
//!
//! Refuses to decide anything: it answers whether it may be started or stopped, not whether it should.

use std::time::Duration;

use minijinja::Value;

use crate::core::meter::energy::EnergyOfDay;
use crate::core::meter::key::KeyId;
use crate::core::setpoint::pool::Setpoint;
use crate::core::task::guards::back_off::Answers;
use crate::core::task::guards::daily::Account;
use crate::core::task::guards::manual_override::Hand;
use crate::core::task::guards::switch_history::Spell;
use crate::core::task::guards::today::Today;
use crate::core::task::importance::Importance;
use crate::core::task::mode::Wish;
use crate::core::{Action, Criterion, Instant, Now, Priority, Registration, Settings, TaskId, TaskState, Verdict};
use crate::units::{Share, Watts};

/// Everything known of one task. Kept without a registration too: state may arrive before it.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) id: TaskId,
    /// The last valid one.
    pub(crate) registration: Option<Registration>,
    /// Why the last registration, or else the last state, was refused.
    pub(crate) error: Option<String>,
    pub(crate) state: Option<TaskState>,
    state_at: Instant,
    /// Its availability, once it published one.
    pub(crate) available: Option<bool>,
    /// Since when it is as it is.
    pub(crate) spell: Spell,
    /// Its keys, or `@<id>`.
    pub(crate) keys: Vec<KeyId>,
    pub(crate) answers: Answers,
    /// What an adjustable task was seen to be able to use.
    pub(crate) learned: Option<Watts>,
    pub(crate) setpoint: Setpoint,
    /// `stop_all` is to be repeated until it stops.
    pub(crate) stop_all: bool,
    pub(crate) verdict: Verdict,
    pub(crate) today: Today,
    /// The mode that a user set, and for how long.
    pub(crate) wish: Wish,
    /// The priority that a user set.
    pub(crate) preferred: Option<Priority>,
    /// What was commanded, and switched by hand.
    pub(crate) hand: Hand,
    /// Of its daily run time.
    pub(crate) account: Option<Account>,
    /// It has to run for its deadline, as of the last cycle.
    pub(crate) pressed: bool,
    /// Since when it has used next to nothing.
    pub(crate) low_since: Option<Instant>,
    pub(crate) rests_until: Option<Now>,
    /// When the last start was sent.
    pub(crate) started_at: Option<Instant>,
    /// It was told to stop, and not yet to run on.
    pub(crate) stopping: bool,
    /// What it used since local midnight.
    pub(crate) energy: EnergyOfDay,
}

/// Why a task takes no part in scheduling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreachable {
    /// Nothing came on its state topic yet.
    NoState,
    /// Its availability says so.
    Offline,
    /// It is away until its availability says otherwise, and that never came.
    NoAvailability,
    /// Its last state is older than this.
    Expired(Duration),
}

impl Task {
    pub(crate) fn new(id: TaskId) -> Self {
        Self {
            id,
            registration: None,
            error: None,
            state: None,
            state_at: Instant::START,
            available: None,
            spell: Spell::default(),
            keys: Vec::new(),
            answers: Answers::default(),
            learned: None,
            setpoint: Setpoint::default(),
            stop_all: false,
            verdict: Verdict::Pending,
            today: Today::default(),
            wish: Wish::default(),
            preferred: None,
            hand: Hand::default(),
            account: None,
            pressed: false,
            low_since: None,
            rests_until: None,
            started_at: None,
            stopping: false,
            energy: EnergyOfDay::default(),
        }
    }

    /// Nothing is known any more: the slot may be given away.
    pub(crate) fn is_forgotten(&self) -> bool {
        self.registration.is_none() && self.error.is_none() && self.state.is_none() && self.available.is_none()
    }

    // What it is: the state over the registration.

    pub(crate) fn priority(&self) -> Priority {
        if self.pressed {
            return Priority::Urgent;
        }
        if let Some(preferred) = self.preferred {
            return preferred;
        }
        let registered = self.registration.as_ref().map(|registration| registration.priority);
        self.state.as_ref().and_then(|state| state.priority).or(registered).unwrap_or_default()
    }

    pub(crate) fn power(&self) -> Watts {
        let registered = self.registration.as_ref().map(|registration| registration.power);
        self.state.as_ref().and_then(|state| state.power).or(registered).unwrap_or(Watts(1.0))
    }

    /// What it can use at most, never below its `power`.
    pub(crate) fn max_power(&self) -> Option<Watts> {
        let registered = self.registration.as_ref().and_then(|registration| registration.max_power);
        self.state.as_ref().and_then(|state| state.max_power).or(registered).map(|most| most.max(self.power()))
    }

    pub(crate) fn adjustable(&self) -> bool {
        let registered = self.registration.as_ref().is_some_and(|registration| registration.auto_adjust);
        self.state.as_ref().and_then(|state| state.auto_adjust).unwrap_or(registered)
    }

    /// The names of its keys; empty when it has none of its own.
    pub(crate) fn key_names(&self) -> &[String] {
        let registered = self.registration.as_ref().map(|registration| &registration.keys);
        self.state.as_ref().and_then(|state| state.keys.as_ref()).or(registered).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn importance(&self) -> Importance<'_> {
        Importance { priority: self.priority(), adjustable: self.adjustable(), power: self.power(), id: &self.id }
    }

    // How it is.

    pub(crate) fn unreachable(&self, now: Instant, settings: &Settings) -> Option<Unreachable> {
        if self.is_away() {
            let told = self.available.is_some();
            return Some(if told { Unreachable::Offline } else { Unreachable::NoAvailability });
        }
        if self.state.is_none() {
            return Some(Unreachable::NoState);
        }
        let configured = self.registration.as_ref().is_some_and(|registration| registration.configured);
        let default = (self.available.is_none() && !configured).then_some(settings.task_expire_after);
        let expire_after = self.registration.as_ref().and_then(|registration| registration.expire_after).or(default)?;
        (now.since(self.state_at) > expire_after).then_some(Unreachable::Expired(expire_after))
    }

    /// Its availability says so, or has yet to say otherwise.
    pub(crate) fn is_away(&self) -> bool {
        let awaited = || self.registration.as_ref().is_some_and(|registration| registration.awaits_availability);
        self.available.map_or_else(awaited, |available| !available)
    }

    pub(crate) fn running(&self) -> bool {
        self.state.as_ref().is_some_and(|state| state.running)
    }

    /// It may be started, as far as it and its guards are concerned.
    pub(crate) fn runnable(&self, now: Instant) -> bool {
        self.state.as_ref().is_some_and(|state| state.runnable)
            && self.off_guard(now).is_none()
            && self.rests_until(now).is_none()
            && !self.is_exhausted(now)
    }

    /// It may be stopped, as far as it and its guards are concerned.
    pub(crate) fn stoppable(&self, now: Instant) -> bool {
        self.stoppable_but_for_min_on(now) && !self.held_by_min_on(now)
    }

    pub(crate) fn stoppable_but_for_min_on(&self, now: Instant) -> bool {
        let interruptible = || self.registration.as_ref().is_none_or(|registration| registration.interruptible);
        self.state.as_ref().and_then(|state| state.stoppable).unwrap_or_else(|| interruptible() || self.is_done(now))
    }

    /// What it says that it uses, and when it said so.
    pub(crate) fn reported_usage(&self) -> Option<(Watts, Instant)> {
        Some((self.state.as_ref()?.usage?, self.state_at))
    }

    pub(crate) fn fields(&self) -> &Value {
        const NOTHING: Value = Value::UNDEFINED;
        self.state.as_ref().map_or(&NOTHING, |state| &state.fields)
    }

    // What happens to it.

    pub(crate) fn register(&mut self, registration: Registration) {
        self.error = None;
        // A broker that comes back replays what was registered: that is nothing new.
        if self.registration.as_ref() != Some(&registration) {
            self.registration = Some(registration);
            self.forgive();
        }
    }

    /// It is not registered any more: nothing that anybody wanted of it holds.
    pub(crate) fn unregister(&mut self) {
        self.registration = None;
        self.error = None;
        self.wish = Wish::default();
        self.preferred = None;
        self.hand = Hand::default();
        self.account = None;
        (self.pressed, self.stop_all, self.stopping) = (false, false, false);
        (self.low_since, self.rests_until, self.started_at) = (None, None, None);
        self.forgive();
    }

    pub(crate) fn set_state(&mut self, state: TaskState, now: Now, settings: &Settings) {
        let known = self.unreachable(now.at, settings).is_none();
        let before = self.state.as_ref().map(|before| (before.running, before.runnable, before.stoppable));
        if before != Some((state.running, state.runnable, state.stoppable)) {
            self.forgive();
        }
        if before.is_some_and(|(_, runnable, _)| runnable != state.runnable) {
            self.hand.stir(now.at);
        }
        match before {
            None => {
                self.spell.begin(state.running, now);
                self.hand.compare(state.running);
            }
            Some((running, ..)) if running != state.running => {
                self.switch(state.running, now, settings);
                self.note_hand(state.running, known, now, settings);
            }
            Some(_) => {}
        }
        if !known {
            // Nobody knows what it heard meanwhile.
            self.started_at = None;
        }
        if !state.running {
            self.learned = None;
            (self.stop_all, self.stopping) = (false, false);
        }
        self.state = Some(state);
        self.state_at = now.at;
        if self.registration.is_some() && self.error.as_deref().is_some_and(|error| error.starts_with(STATE_ERROR)) {
            self.error = None;
        }
    }

    /// A state that could not be read.
    pub(crate) fn refuse_state(&mut self, why: &str) {
        // A refused registration weighs more, and a task that never registered has no report to show it in.
        let free = self.error.as_ref().is_none_or(|error| error.starts_with(STATE_ERROR));
        if free && self.registration.is_some() {
            self.error = Some(format!("{STATE_ERROR}{why}"));
        }
    }

    /// Its state was cleared from the broker: when it comes again it is the first.
    pub(crate) fn clear_state(&mut self, now: Now, settings: &Settings) {
        if self.running() {
            self.switch(false, now, settings);
        }
        self.state = None;
        self.spell = Spell::default();
    }

    pub(crate) fn set_available(&mut self, available: Option<bool>, now: Instant) {
        if self.available != available {
            self.forgive();
            // The first word is no change.
            if self.available.is_some() {
                self.hand.stir(now);
            }
        }
        self.available = available;
    }

    /// Nobody could be heard from `lost` until now: its state has not grown older meanwhile, unless it was too old before.
    /// And what changed meanwhile explains itself as little as after a change of availability.
    pub(crate) fn hear_again(&mut self, lost: Instant, now: Instant, settings: &Settings) {
        if !matches!(self.unreachable(lost, settings), Some(Unreachable::Expired(_))) {
            self.state_at = self.state_at + now.since(lost.max(self.state_at));
        }
        self.hand.stir(now);
    }

    /// A command is on its way.
    pub(crate) fn command(&mut self, action: Action, now: Instant) {
        self.hand.command(action, now);
        self.stopping = action == Action::Stop;
        if action == Action::Start {
            self.answers.expect(now);
            self.started_at = Some(now);
        }
    }

    /// Unanswered starts still keep it from being elected.
    pub(crate) fn waits(&self, now: Instant) -> bool {
        self.answers.waits_until.is_some_and(|until| now < until)
    }

    /// `meets_criteria` in its state stands for its criteria.
    pub(crate) fn answers_itself(&self) -> bool {
        self.state.as_ref().is_some_and(|state| state.meets_criteria.is_some())
    }

    /// The criterion that it is asked, unless its state answers instead.
    pub(crate) fn asked(&self, running: bool) -> Option<&Criterion> {
        let criteria = &self.registration.as_ref().filter(|_| !self.answers_itself())?.criteria;
        Some(if running { &criteria.keep } else { &criteria.start })
    }

    /// That, as people write it.
    pub(crate) fn criterion(&self, running: bool) -> String {
        self.asked(running).map_or_else(|| STATE_ANSWERS.into(), Criterion::to_string)
    }

    /// The ratio without which it is certainly not started, where that is known.
    pub(crate) fn least_start_ratio(&self) -> Option<Share> {
        self.asked(false).filter(|_| !self.pressed)?.needed_ratio()
    }

    fn forgive(&mut self) {
        self.answers = Answers::default();
    }

    fn switch(&mut self, starts: bool, now: Now, settings: &Settings) {
        let today = now.day(&settings.time_zone);
        self.book_today(starts, now.at, today);
        self.turn_period(now, &settings.time_zone);
        self.book(now.at);
        self.low_since = None;
        self.spell.switch(now);
    }
}

/// What stands in place of a criterion where `meets_criteria` does.
pub(crate) const STATE_ANSWERS: &str = "its state says so";

/// What the error of an unreadable state begins with: the next readable one ends it.
const STATE_ERROR: &str = "state: ";
