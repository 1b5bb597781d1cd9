//! The scheduler: which tasks run on the sun. PURE: nothing here knows MQTT, tokio, files or the clock.
//!
//! Feed it with [`Scheduler::handle`], step it with [`Scheduler::cycle`], wake it at [`Scheduler::next_wakeup`] with
//! [`Scheduler::wake`], and after each of these send what [`Scheduler::next_instruction`] hands out. The same events at the
//! same times give the same decisions.

mod commands;
mod cycle;
mod directives;
mod input;
mod meter;
mod output;
mod registry;
mod rules;
mod setpoint;
mod settings;
mod snapshot;
mod task;
mod time;
mod view;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;

pub use cycle::{CycleReport, Skipped};
pub use input::{Command, Event, Expiry, Refusal, Sensed, Source};
pub use meter::energy::Consumption;
pub use output::{Action, Decision, Instruction, Rule};
pub use settings::Settings;
pub use snapshot::{Counted, Guards, Snapshot, TaskSnapshot};
pub use task::criterion::{Criteria, Criterion, CriterionError};
pub use task::guards::daily::{Daily, DailyView};
pub use task::guards::finished::Finished;
pub use task::guards::lease::SHORTEST_LEASE;
pub use task::importance::{Priority, by_importance};
pub use task::mode::Mode;
pub use task::registration::{InvalidTaskId, OnNoData, Registration, TaskId, TaskState};
pub use task::task::Unreachable;
pub use task::verdict::Verdict;
pub use time::{Instant, Now};
pub use view::{Status, TaskView};

pub(crate) use meter::intake::is_plausible;

use meter::intake::Intake;
use meter::key::{KeyId, Keys, NET, Owners};
use meter::window::Window;
use setpoint::pool::Pool;
use task::task::Task;

use crate::units::Watts;

/// What the scheduler is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// It schedules.
    Active,
    /// A user paused it.
    Paused,
    /// No record arrives.
    NoData,
}

impl Activity {
    /// The word of the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::NoData => "no_data",
        }
    }
}

/// All that the scheduler knows.
#[derive(Debug)]
pub struct Scheduler {
    settings: Settings,
    keys: Keys,
    net: KeyId,
    /// By slot. A slot stays a task's until the task is forgotten.
    tasks: Vec<Task>,
    slots: HashMap<TaskId, usize>,
    free: Vec<usize>,
    owners: Owners,
    /// Slots of the registered tasks, the most important first as of the last cycle: it hardly changes from one to the next.
    order: Vec<usize>,
    /// Some task came, went, or changed its keys since `owners` and `order` were made.
    owners_stale: bool,
    /// Slots with a lease, or with a wish that ends.
    timed: BTreeSet<usize>,
    /// Slots with `finished`, whose usage is watched.
    metered: BTreeSet<usize>,
    window: Window,
    /// Slots of the tasks that get set-points.
    adjustables: Vec<usize>,
    pool: Pool,
    /// A value of `net` that the set-points have not followed yet, and when it was measured.
    new_net: Option<(Source, Watts, Instant)>,
    meter: Intake,
    fallback: Intake,
    /// Until when the tasks' energy is counted; unknown at the start and while data is missing.
    accounted: Option<Instant>,
    /// The last record of either source, or the start.
    last_record: Instant,
    /// The last record of the meter, or the start.
    last_meter: Now,
    /// The last cycle, or the start: what is told of times stands still in between.
    last_cycle: Now,
    paused: bool,
    no_data: bool,
    since: Timestamp,
    /// To be sent, in order.
    instructions: VecDeque<Instruction>,
    /// Decided since the last cycle, for the next report.
    between: Vec<Decision>,
}

impl Scheduler {
    /// A scheduler that knows nothing yet. `now` is the start that missing data is counted from.
    #[must_use]
    pub fn new(settings: Settings, now: Now) -> Self {
        let mut keys = Keys::default();
        // The first of an empty table always finds room.
        let net = keys.intern(NET).unwrap_or_else(|| unreachable!("the table of keys is empty"));
        Self {
            window: Window::new(settings.window_size),
            settings,
            keys,
            net,
            tasks: Vec::new(),
            slots: HashMap::new(),
            free: Vec::new(),
            owners: Owners::default(),
            order: Vec::new(),
            owners_stale: true,
            adjustables: Vec::new(),
            pool: Pool::default(),
            new_net: None,
            timed: BTreeSet::new(),
            metered: BTreeSet::new(),
            meter: Intake::default(),
            fallback: Intake::default(),
            accounted: None,
            last_record: now.at,
            last_meter: now,
            last_cycle: now,
            paused: false,
            no_data: false,
            since: now.wall,
            instructions: VecDeque::new(),
            between: Vec::new(),
        }
    }

    /// Everything retained has come in: missing data counts from here. A broker that was away before is no silent meter.
    pub fn begin(&mut self, now: Now) {
        (self.last_record, self.last_meter) = (self.last_record.max(now.at), now);
    }

    /// Takes one event in.
    ///
    /// # Errors
    /// What of it was refused, and why. The rest of the event has its effect all the same.
    pub fn handle(&mut self, event: Event, now: Now) -> Result<(), Refusal> {
        let id = event.task().cloned();
        let known = |it: &Self| id.as_ref().and_then(|id| it.slots.get(id).copied());
        let before = known(self);
        let outcome = self.take(event, now);
        if let Some(slot) = before.or_else(|| known(self)) {
            self.enlist(slot);
        }
        self.follow(now.at);
        outcome
    }

    fn take(&mut self, event: Event, now: Now) -> Result<(), Refusal> {
        match event {
            Event::Power { source, values, measured } => {
                return self.take_in(source, values.iter().map(|(key, value)| (key.as_str(), *value)), measured, now);
            }
            Event::Sensed(sensed) => return self.sense(&sensed, now),
            Event::Registered(id, registration) => {
                let slot = self.slot(id)?;
                // Its state may have come before: then its keys are known, but it owns them only from now on.
                self.owners_stale |= self.tasks[slot].registration.is_none();
                self.tasks[slot].register(*registration);
                self.tasks[slot].turn_period(now, &self.settings.time_zone);
                self.note_guards(slot);
                self.refresh_keys(slot)?;
            }
            Event::RegistrationRefused(id, why) => {
                let slot = self.slot(id)?;
                self.tasks[slot].error = Some(why);
            }
            Event::Unregistered(id) => self.change(&id, Task::unregister),
            Event::State(id, state) => {
                let slot = self.slot(id)?;
                self.tasks[slot].set_state(*state, now, &self.settings);
                self.refresh_keys(slot)?;
                self.note_guards(slot);
                if self.metered.contains(&slot) {
                    self.watch_usage(slot, now.at);
                }
            }
            Event::StateRefused(id, why) => self.change(&id, |task| task.refuse_state(&why)),
            Event::StateCleared(id) => {
                if let Some(slot) = self.slots.get(&id).copied() {
                    self.tasks[slot].clear_state(now, &self.settings);
                }
                self.change(&id, |_| {});
                // The keys that only its state had named are not its own any more.
                if let Some(slot) = self.slots.get(&id).copied() {
                    self.refresh_keys(slot)?;
                }
            }
            Event::Availability(id, available) => {
                let slot = self.slot(id.clone())?;
                self.tasks[slot].set_available(available, now.at);
                self.change(&id, |_| {});
            }
            Event::Reconnected(lost) => {
                for task in &mut self.tasks {
                    task.hear_again(lost, now.at, &self.settings);
                }
            }
            Event::Command(command) => self.obey(command, now),
            Event::Mode(id, mode, lasting) => self.set_mode(id, mode, lasting, now)?,
            Event::Priority(id, priority) => self.set_priority(id, priority)?,
        }
        Ok(())
    }

    /// When [`Scheduler::wake`] has to be called although nothing happened.
    #[must_use]
    pub fn next_wakeup(&self) -> Option<Instant> {
        // "For longer than": the first moment after it.
        let missing =
            (!self.no_data).then(|| self.last_record + self.settings.max_record_gap + Duration::from_millis(1));
        missing.into_iter().chain(self.next_timer()).chain(self.setpoint_due()).min()
    }

    /// Does what is due: ends wishes, notices missing data, renews leases, sends set-points, not too often.
    pub fn wake(&mut self, now: Now) {
        self.end_wishes(now);
        self.notice_missing_data(now);
        self.renew_leases(now);
        self.aim(now.at);
        self.send_setpoints(now.at);
    }

    fn notice_missing_data(&mut self, now: Now) {
        if !self.no_data && self.is_data_missing(now) {
            self.no_data = true;
            if !self.paused {
                self.since = now.wall;
                self.check_deadlines(now);
                let stops = self.stops_without_data(now);
                self.carry_out(stops, now);
            }
        }
    }

    /// The next message to be sent: every stop of a cycle comes before its first start.
    pub fn next_instruction(&mut self) -> Option<Instruction> {
        self.instructions.pop_front()
    }

    /// What it is doing.
    #[must_use]
    pub fn activity(&self) -> Activity {
        match (self.paused, self.no_data) {
            (true, _) => Activity::Paused,
            (false, true) => Activity::NoData,
            (false, false) => Activity::Active,
        }
    }

    /// Since when [`Scheduler::activity`] is what it is.
    #[must_use]
    pub fn since(&self) -> Timestamp {
        self.since
    }

    fn is_reachable(&self, task: &Task, now: Now) -> bool {
        task.unreachable(now.at, &self.settings).is_none()
    }

    /// The settings it runs by.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The valid registration of a task.
    #[must_use]
    pub fn registration(&self, id: &TaskId) -> Option<&Registration> {
        self.tasks[*self.slots.get(id)?].registration.as_ref()
    }

    /// The last state of a task.
    #[must_use]
    pub fn state(&self, id: &TaskId) -> Option<&TaskState> {
        self.tasks[*self.slots.get(id)?].state.as_ref()
    }
}
