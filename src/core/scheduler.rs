//! The scheduler: inputs in, instructions out. It knows neither MQTT nor tokio nor files nor the clock.

use std::collections::{BTreeSet, HashSet, VecDeque};

use jiff::Timestamp;

use crate::core::cycle::{CycleReport, Skipped};
use crate::core::directives::deadlines::start_for_deadlines;
use crate::core::directives::directive::Directive;
use crate::core::directives::guards::{by_mode, by_modes_and_guards};
use crate::core::directives::stops::{by_missing_data, by_stop_all};
use crate::core::home::Home;
use crate::core::input::{Event, UserCommand};
use crate::core::meter::source::Source;
use crate::core::output::{Action, Decision, Instruction, last_of_each};
use crate::core::refusal::Refusal;
use crate::core::rules::decide::Decider;
use crate::core::setpoint::regulator::{Regulator, Situation};
use crate::core::settings::Settings;
use crate::core::snapshot::Snapshot;
use crate::core::task::id::TaskId;
use crate::core::task::mode::{Mode, ModeSetting};
use crate::core::task::verdict::Verdict;
use crate::core::time::{Instant, Now};
use crate::units::Quantity;

/// All that the scheduler knows.
///
/// Feed it with [`Scheduler::handle`], step it with [`Scheduler::cycle`], wake it at [`Scheduler::next_wakeup`] with
/// [`Scheduler::wake`], and after each of these send what [`Scheduler::next_instruction`] hands out. The same events at
/// the same times give the same decisions.
#[derive(Debug)]
pub struct Scheduler {
    pub(super) home: Home,
    regulator: Regulator,
    /// The last cycle, or the start: what is told of times stands still in between.
    pub(super) last_cycle: Now,
    pub(super) paused: bool,
    pub(super) since: Timestamp,
    /// To be sent, in order.
    instructions: VecDeque<Instruction>,
    /// Decided since the last cycle, for the next report.
    between: Vec<Decision>,
}

impl Scheduler {
    /// A scheduler that knows nothing yet. `now` is the start that missing data is counted from.
    #[must_use]
    pub fn new(settings: Settings, now: Now) -> Self {
        Self {
            home: Home::new(settings, now),
            regulator: Regulator::default(),
            last_cycle: now,
            paused: false,
            since: now.wall,
            instructions: VecDeque::new(),
            between: Vec::new(),
        }
    }

    /// Everything retained has come in: missing data counts from here. A broker that was away before is no silent meter.
    pub fn begin(&mut self, now: Now) {
        self.home.meter.begin(now);
    }

    /// Takes over what an earlier run knew, as far as it concerns tasks that are registered by now. Returns the tasks that
    /// still get the set-points which they had been sent.
    pub fn restore(&mut self, snapshot: Snapshot, now: Now) -> BTreeSet<TaskId> {
        if let Some(since) = snapshot.paused_since {
            (self.paused, self.since) = (true, since);
        }
        self.home.settle_keys(&snapshot.tasks, now);
        let Home { registry, settings, .. } = &mut self.home;
        let mut with_setpoint = BTreeSet::new();
        for (id, known) in snapshot.tasks {
            let Ok(slot) = registry.registered(&id) else { continue };
            let task = registry.task_mut(slot);
            if known.setpoint.is_some_and(|watts| self.regulator.restore(slot, task, watts)) {
                with_setpoint.insert(id);
            }
            task.restore(known, now, settings);
            registry.note_timers(slot);
        }
        with_setpoint
    }

    /// Goes on with other settings. Everything that is known stays.
    pub fn reconfigure(&mut self, settings: Settings) {
        self.home.reconfigure(settings);
    }

    /// Takes one event in.
    ///
    /// # Errors
    /// What of it was refused, and why. The rest of the event has its effect all the same.
    pub fn handle(&mut self, event: Event, now: Now) -> Result<(), Refusal> {
        let id = event.task().cloned();
        let known = |it: &Self, id: &TaskId| it.home.registry.find(id);
        let before = id.as_ref().and_then(|id| known(self, id));
        let missing = self.home.meter.no_data();
        let outcome = self.apply(event, now);
        if let Some(slot) = before.or_else(|| id.as_ref().and_then(|id| known(self, id))) {
            self.update_membership(slot);
        }
        for admitted in self.home.admit_waiting(now) {
            if let Some(slot) = known(self, &admitted) {
                self.update_membership(slot);
            }
        }
        self.follow(missing, now);
        outcome
    }

    /// The task may have become one that gets set-points, or none any more.
    fn update_membership(&mut self, slot: usize) {
        self.instructions.extend(self.regulator.update_membership(slot, self.home.registry.task_mut(slot)));
    }

    /// Takes a record in, as [`Event::Power`] does, from names that stay where they are: a replay has millions.
    ///
    /// # Errors
    /// What of it was refused, and why. The rest has its effect all the same.
    pub fn measure<'a>(
        &mut self,
        source: Source,
        values: impl IntoIterator<Item = (&'a str, Quantity)>,
        measured: Option<Timestamp>,
        now: Now,
    ) -> Result<(), Refusal> {
        let missing = self.home.meter.no_data();
        let taken = self.home.take_power(source, values, measured, now);
        self.follow(missing, now);
        taken
    }

    fn apply(&mut self, event: Event, now: Now) -> Result<(), Refusal> {
        let home = &mut self.home;
        match event {
            Event::Power { source, values, measured } => {
                let values = values.iter().map(|(key, value)| (key.as_str(), *value));
                return home.take_power(source, values, measured, now);
            }
            Event::Sensed(sensed) => return home.sense(&sensed, now),
            Event::Registered(id, registration) => return home.register(id, *registration, now),
            Event::PayloadsChanged(id) => home.registry.change(&id, |task| task.end_back_off()),
            Event::RegistrationRefused(id, why) => return home.refuse_registration(id, why),
            Event::Unregistered(id) => home.unregister(&id),
            Event::State(id, state) => return home.set_state(id, *state, now),
            Event::StateRefused(id, why) => home.registry.change(&id, |task| task.refuse_state(&why)),
            Event::StateCleared(id) => return home.clear_state(&id, now),
            Event::Availability(id, available) => return home.set_available(id, available, now),
            Event::Reconnected(lost) => home.hear_again(lost, now),
            Event::Unheard => home.meter.set_unheard(),
            Event::Heard { anew } => home.meter.set_heard(anew, now),
            Event::Command(command) => self.obey(command, now),
            Event::Mode(id, mode, lasting) => {
                let slot = home.registry.registered(&id)?;
                let until = lasting.filter(|_| mode != Mode::Auto).map(|lasting| now + lasting);
                self.set_mode(slot, ModeSetting { mode, until }, now);
            }
            Event::Priority(id, priority) => {
                let slot = home.registry.registered(&id)?;
                home.registry.task_mut(slot).preferred = priority;
            }
        }
        Ok(())
    }

    /// A user sets a task's mode. A change acts at once.
    fn set_mode(&mut self, slot: usize, setting: ModeSetting, now: Now) {
        let Home { registry, settings, .. } = &mut self.home;
        let changed = registry.task_mut(slot).set_mode(setting);
        registry.note_timers(slot);
        if changed {
            let directive = by_mode(slot, registry.task(slot), settings, now);
            self.carry_out(directive.into_iter().collect(), now);
        }
    }

    fn obey(&mut self, command: UserCommand, now: Now) {
        let before = self.activity();
        self.paused = command != UserCommand::Resume;
        for task in self.home.registry.tasks_mut() {
            match command {
                UserCommand::Pause => task.forget_stop(),
                UserCommand::Resume => task.end_stop_all(),
                UserCommand::StopAll => task.begin_stop_all(),
            }
        }
        if command == UserCommand::StopAll {
            self.repeat_stop_all(now);
        }
        if self.activity() != before {
            self.since = now.wall;
        }
    }

    /// Something was taken in: set-points follow. `missing`: data was missing before.
    fn follow(&mut self, missing: bool, now: Now) {
        if missing && !self.home.meter.no_data() && !self.paused {
            self.since = now.wall;
        }
        let new_net = self.home.meter.take_new_net();
        self.regulator.follow(&mut situation(&mut self.home, self.paused, now.at), new_net);
    }

    // Time.

    /// When [`Scheduler::wake`] has to be called although nothing happened; none: never.
    #[must_use]
    pub fn next_wakeup(&self) -> Option<Instant> {
        let Home { registry, settings, meter, .. } = &self.home;
        let missing = meter.missing_at(settings.max_record_gap);
        let timers = registry.timed().iter().flat_map(|slot| registry.task(*slot).timers());
        let setpoints = self.regulator.due(registry, settings);
        timers.chain(missing).chain(setpoints).min()
    }

    /// Does what is due: ends overrides, notices missing data, renews leases, sends set-points, not too often. Returns the
    /// tasks whose overrides ended.
    pub fn wake(&mut self, now: Now) -> Vec<TaskId> {
        let ended = self.home.end_overrides(now);
        self.notice_missing_data(now);
        self.renew_leases(now);
        let mut situation = situation(&mut self.home, self.paused, now.at);
        self.regulator.aim(&mut situation);
        self.instructions.extend(self.regulator.send(&mut situation));
        ended
    }

    fn renew_leases(&mut self, now: Now) {
        self.instructions.extend(self.home.renew_leases(now).into_iter().map(Instruction::Renew));
    }

    fn notice_missing_data(&mut self, now: Now) {
        let Home { meter, settings, .. } = &mut self.home;
        if meter.notice_missing(settings.max_record_gap, now.at) && !self.paused {
            self.since = now.wall;
            self.home.check_deadlines(now);
            let stops = self.stops_without_data(now);
            self.carry_out(stops, now);
        }
    }

    fn stops_without_data(&self, now: Now) -> Vec<Directive> {
        let Home { registry, settings, meter, .. } = &self.home;
        by_missing_data(now.at.since(meter.last_net()), registry, settings, now)
    }

    fn repeat_stop_all(&mut self, now: Now) {
        let stops = by_stop_all(&self.home.registry, &self.home.settings, now);
        self.carry_out(stops, now);
    }

    // The cycle.

    /// One scheduling step. Its decisions are among the instructions; the report says why.
    pub fn cycle(&mut self, now: Now) -> CycleReport {
        self.last_cycle = now;
        let Home { registry, settings, meter, .. } = &mut self.home;
        registry.begin_cycle(meter, settings.cycle, now.at);
        self.home.end_overrides(now);
        self.notice_missing_data(now);
        let record = self.home.update_window(now);
        self.home.check_deadlines(now);
        self.home.watch_all_usage(now.at);
        let skipped = match record {
            _ if self.paused => Some(Skipped::Paused),
            None => Some(Skipped::NoRecord),
            Some(_) => None,
        };
        match skipped {
            Some(Skipped::Paused) => self.repeat_stop_all(now),
            Some(Skipped::NoRecord) => self.do_without_record(now),
            None => self.schedule(now),
        }
        self.renew_leases(now);
        let (source, consumption) = record.unzip();
        let decisions = last_of_each(std::mem::take(&mut self.between));
        CycleReport { time: now.wall, skipped, source, consumption, no_data: self.home.meter.no_data(), decisions }
    }

    /// Modes, deadlines and missing data: what doesn't ask for the sun.
    fn do_without_record(&mut self, now: Now) {
        let Home { registry, settings, meter, .. } = &mut self.home;
        registry.sort_by_importance();
        let mut directives = by_modes_and_guards(registry, settings, now);
        if meter.no_data() {
            let directed: HashSet<usize> = directives.iter().map(|directive| directive.slot).collect();
            let stops = self.stops_without_data(now);
            directives.extend(stops.into_iter().filter(|stop| !directed.contains(&stop.slot)));
        }
        start_for_deadlines(&mut directives, &self.home.registry, &self.home.settings, now);
        self.carry_out(directives, now);
    }

    /// Asks the rules, and keeps what they found of each task.
    fn schedule(&mut self, now: Now) {
        let Home { registry, window, settings, meter, .. } = &mut self.home;
        for task in registry.tasks_mut() {
            task.forget_stop();
        }
        registry.sort_by_importance();
        let mut directives = by_modes_and_guards(registry, settings, now);
        let outcome = Decider { registry, window, settings, keys: &meter.keys, now }.decide(&directives);
        for (slot, running, why) in outcome.exhausted {
            registry.task_mut(slot).note_exhausted(running, &why);
        }
        for (slot, learned) in outcome.learned {
            registry.task_mut(slot).learned = learned;
        }
        for (slot, share) in outcome.covered {
            registry.task_mut(slot).verdict = Verdict::Covered(share);
        }
        for (slot, waits) in outcome.waiting {
            registry.task_mut(slot).verdict = Verdict::Waits(waits);
        }
        directives.extend(outcome.directives);
        self.carry_out(directives, now);
    }

    /// Directives become decisions, to be sent and told; stops come before starts.
    fn carry_out(&mut self, mut directives: Vec<Directive>, now: Now) {
        directives.sort_by_key(|directive| directive.action == Action::Start);
        for Directive { slot, action, rule, reason, ratio } in directives {
            let task = self.home.registry.task_mut(slot);
            task.verdict = Verdict::Decided { action, reason: reason.clone(), ratio };
            // What isn't sent is not answered either.
            if !self.home.settings.dry_run {
                task.note_sent(action, now.at);
            }
            let decision = Decision { task: task.id.clone(), action, rule, reason };
            self.instructions.push_back(Instruction::Decided(decision.clone()));
            self.between.push(decision);
        }
    }

    /// The next message to be sent: every stop of a cycle comes before its first start.
    pub fn next_instruction(&mut self) -> Option<Instruction> {
        self.instructions.pop_front()
    }
}

/// What set-points depend on.
fn situation(home: &mut Home, paused: bool, now: Instant) -> Situation<'_> {
    Situation { registry: &mut home.registry, meter: &home.meter, settings: &home.settings, paused, now }
}
