//! A task as the scheduler sees it: its registration, its last state, and what the rules may ask of it.
//!
//! It decides nothing: it says whether it may be started or stopped, not whether it should.

use std::time::Duration;

use crate::core::meter::key::KeyId;
use crate::core::setpoint::setpoint::Setpoint;
use crate::core::settings::Settings;
use crate::core::task::criterion::Criterion;
use crate::core::task::exhausted::Exhausted;
use crate::core::task::guards::back_off::StartBackOff;
use crate::core::task::guards::daily::DailyAccount;
use crate::core::task::guards::doubts::Doubts;
use crate::core::task::guards::finished::Completion;
use crate::core::task::guards::manual_override::ManualOverride;
use crate::core::task::guards::switch_history::SwitchHistory;
use crate::core::task::guards::today::Today;
use crate::core::task::id::TaskId;
use crate::core::task::importance::Importance;
use crate::core::task::mode::{Mode, ModeSetting};
use crate::core::task::priority::Priority;
use crate::core::task::registration::Registration;
use crate::core::task::state::TaskState;
use crate::core::task::verdict::Verdict;
use crate::core::time::Instant;
use crate::jinja::StateFields;
use crate::units::{Share, Watts};

/// Everything known of one task. Kept without a registration too: state may arrive before it.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) id: TaskId,
    /// The last valid one.
    pub(super) registration: Option<Registration>,
    /// Why the last registration was refused.
    pub(super) registration_error: Option<String>,
    /// Why the last state was refused.
    pub(super) state_error: Option<String>,
    pub(super) state: Option<TaskState>,
    pub(super) state_at: Instant,
    /// Its availability, once it published one.
    pub(super) available: Option<bool>,
    /// Its keys, or `@<id>`.
    pub(crate) keys: Vec<KeyId>,
    /// The mode that a user set.
    pub(super) mode_setting: ModeSetting,
    /// The priority that a user set.
    pub(crate) preferred: Option<Priority>,
    pub(super) history: SwitchHistory,
    pub(super) back_off: StartBackOff,
    pub(crate) doubts: Doubts,
    pub(super) manual: ManualOverride,
    pub(super) daily: Option<DailyAccount>,
    /// It has to run for its deadline, as last checked: by a cycle, by a restart, or when data went missing.
    pub(super) deadline_due: bool,
    pub(super) completion: Completion,
    pub(super) exhausted: Exhausted,
    pub(super) today: Today,
    /// When the last start was sent.
    pub(super) start_sent: Option<Instant>,
    /// `stop_all` is to be repeated until it stops.
    pub(super) stop_all: bool,
    /// A stop was sent, and no start since.
    pub(super) stopping: bool,
    /// What an adjustable task was seen to be able to use.
    pub(crate) learned: Option<Watts>,
    pub(crate) setpoint: Setpoint,
    pub(crate) verdict: Verdict,
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
            registration_error: None,
            state_error: None,
            state: None,
            state_at: Instant::START,
            available: None,
            keys: Vec::new(),
            mode_setting: ModeSetting::default(),
            preferred: None,
            history: SwitchHistory::default(),
            back_off: StartBackOff::default(),
            doubts: Doubts::default(),
            manual: ManualOverride::default(),
            daily: None,
            deadline_due: false,
            completion: Completion::default(),
            exhausted: Exhausted::default(),
            today: Today::default(),
            start_sent: None,
            stop_all: false,
            stopping: false,
            learned: None,
            setpoint: Setpoint::default(),
            verdict: Verdict::Pending,
        }
    }

    /// Nothing is known any more: its slot may be given away.
    pub(crate) fn is_forgotten(&self) -> bool {
        self.registration.is_none()
            && self.registration_error.is_none()
            && self.state.is_none()
            && self.available.is_none()
    }

    // What it is: the state over the registration.

    /// Its valid registration.
    pub(crate) fn registration(&self) -> Option<&Registration> {
        self.registration.as_ref()
    }

    /// Its name and id, for people.
    pub(crate) fn in_words(&self) -> String {
        match self.registration.as_ref().map(|registration| registration.name.as_str()) {
            Some(name) if name != self.id.as_str() => format!("{name} ({})", self.id),
            _ => self.id.to_string(),
        }
    }

    /// It is one of the configuration's.
    pub(crate) fn is_configured(&self) -> bool {
        self.registration.as_ref().is_some_and(|registration| registration.configured)
    }

    pub(crate) fn is_registered(&self) -> bool {
        self.registration.is_some()
    }

    /// Why its last registration or state was refused.
    /// A refused registration weighs more than a refused state.
    pub(crate) fn error(&self) -> Option<String> {
        let state = || self.state_error.as_ref().map(|why| format!("state: {why}"));
        self.registration_error.clone().or_else(state)
    }

    pub(crate) fn priority(&self) -> Priority {
        if self.deadline_due {
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

    /// The keys that its registration or its state names: also those that the state's stand in for, which are its own again
    /// as soon as the state names none.
    pub(crate) fn claimed_keys(&self) -> impl Iterator<Item = &String> {
        let registered = self.registration.iter().flat_map(|registration| &registration.keys);
        registered.chain(self.state.iter().filter_map(|state| state.keys.as_ref()).flatten())
    }

    pub(crate) fn importance(&self) -> Importance<&TaskId> {
        self.importance_by(&self.id)
    }

    /// The same with something else that goes as its id does.
    pub(crate) fn importance_by<I>(&self, id: I) -> Importance<I> {
        Importance { priority: self.priority(), adjustable: self.adjustable(), power: self.power(), id }
    }

    /// The mode in force: a switch by hand is newer than the mode that a user set.
    pub(crate) fn mode(&self) -> Mode {
        self.manual.held().map_or(self.mode_setting.mode, |held| held.mode)
    }

    /// From `power` to `max_power`, for a task that gets set-points.
    pub(crate) fn setpoint_range(&self) -> Option<(Watts, Watts)> {
        self.registration.as_ref().filter(|_| self.adjustable())?;
        Some((self.power(), self.max_power()?))
    }

    // How it is.

    /// The last state that could be read.
    pub(crate) fn state(&self) -> Option<&TaskState> {
        self.state.as_ref()
    }

    /// Why it can't be reached; none: it can.
    pub(crate) fn unreachable(&self, now: Instant, settings: &Settings) -> Option<Unreachable> {
        if self.is_away() {
            let known = self.available.is_some();
            return Some(if known { Unreachable::Offline } else { Unreachable::NoAvailability });
        }
        if self.state.is_none() {
            return Some(Unreachable::NoState);
        }
        let default = (self.available.is_none() && !self.is_configured()).then_some(settings.task_expire_after);
        let expire_after = self.registration.as_ref().and_then(|registration| registration.expire_after).or(default)?;
        (now.since(self.state_at) > expire_after).then_some(Unreachable::Expired(expire_after))
    }

    pub(crate) fn is_reachable(&self, now: Instant, settings: &Settings) -> bool {
        self.unreachable(now, settings).is_none()
    }

    /// Its availability says so, or has yet to say otherwise.
    pub(crate) fn is_away(&self) -> bool {
        let awaited = || self.registration.as_ref().is_some_and(|registration| registration.awaits_availability);
        self.available.map_or_else(awaited, |available| !available)
    }

    pub(crate) fn running(&self) -> bool {
        self.state.as_ref().is_some_and(|state| state.running)
    }

    /// What it says that it uses, and when it said so.
    pub(crate) fn reported_usage(&self) -> Option<(Watts, Instant)> {
        Some((self.state.as_ref()?.usage?, self.state_at))
    }

    /// The fields of its state, for `state.<field>` in criteria.
    pub(crate) fn fields(&self) -> Option<&StateFields> {
        self.state.as_ref().map(|state| &state.fields)
    }

    // What it is asked.

    /// `meets_criteria` in its state stands for its criteria.
    pub(crate) fn answers_itself(&self) -> bool {
        self.state.as_ref().is_some_and(|state| state.meets_criteria.is_some())
    }

    /// The criterion that it is asked, unless its state answers instead.
    pub(crate) fn asked(&self, running: bool) -> Option<&Criterion> {
        let criteria = &self.registration.as_ref().filter(|_| !self.answers_itself())?.criteria;
        Some(if running { &criteria.keep } else { &criteria.start })
    }

    /// Why that criterion isn't asked any more, if so: it took too much, too often.
    pub(crate) fn given_up(&self, running: bool) -> Option<String> {
        self.exhausted.given_up(running)
    }

    /// That criterion took too much in this cycle.
    pub(crate) fn note_exhausted(&mut self, running: bool, why: &str) {
        self.exhausted.count(running, why);
    }

    /// That criterion, as people write it.
    pub(crate) fn criterion(&self, running: bool) -> String {
        self.asked(running).map_or_else(|| STATE_ANSWERS.into(), Criterion::to_string)
    }

    /// The ratio without which it is certainly not started, where that is known.
    pub(crate) fn least_start_ratio(&self) -> Option<Share> {
        self.asked(false).filter(|_| !self.deadline_due)?.needed_ratio()
    }
}

/// What stands in place of a criterion where `meets_criteria` does.
pub(crate) const STATE_ANSWERS: &str = "its state says so";
