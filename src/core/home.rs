//! All that is known of a home: its tasks, and what was measured. It takes in what happens, and decides nothing.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::core::energy::{Consumption, EnergyCounter};
use crate::core::input::Sensed;
use crate::core::meter::intake::{Expiry, Measurement};
use crate::core::meter::key::NET;
use crate::core::meter::meter::Meter;
use crate::core::meter::source::Source;
use crate::core::meter::window::Window;
use crate::core::record_maker::RecordMaker;
use crate::core::refusal::Refusal;
use crate::core::registry::Registry;
use crate::core::settings::Settings;
use crate::core::task::id::TaskId;
use crate::core::task::registration::Registration;
use crate::core::task::state::TaskState;
use crate::core::time::{Instant, Now};
use crate::units::{Quantity, Watts};

/// Tasks and measurements.
#[derive(Debug)]
pub(crate) struct Home {
    pub(crate) settings: Settings,
    pub(crate) registry: Registry,
    pub(crate) meter: Meter,
    pub(crate) window: Window,
    /// Registrations of tasks whose keys others have, where only one may have them.
    pub(super) waiting: BTreeMap<TaskId, Registration>,
    /// Keys may be free since [`Home::admit_waiting`] looked last.
    pub(super) claims_changed: bool,
    energy: EnergyCounter,
}

impl Home {
    pub(crate) fn new(settings: Settings, now: Now) -> Self {
        Self {
            // A start needs as many records as have to confirm it.
            window: Window::new(settings.window_size.max(settings.confirm_records)),
            settings,
            registry: Registry::default(),
            meter: Meter::new(now),
            waiting: BTreeMap::new(),
            claims_changed: false,
            energy: EnergyCounter::default(),
        }
    }

    /// Other settings: the newest records stay.
    pub(crate) fn reconfigure(&mut self, settings: Settings) {
        self.window.resize(settings.window_size.max(settings.confirm_records));
        self.settings = settings;
        self.claims_changed = true;
    }

    // Tasks.

    /// A task announced itself.
    pub(crate) fn register(&mut self, id: TaskId, registration: Registration, now: Now) -> Result<(), Refusal> {
        match self.registration_taken(&id, &registration) {
            Some(refusal) => self.make_wait(id, registration, refusal),
            None => self.register_anyhow(id, registration, now),
        }
    }

    /// The same, whatever others have the same keys.
    pub(super) fn register_anyhow(&mut self, id: TaskId, registration: Registration, now: Now) -> Result<(), Refusal> {
        self.waiting.remove(&id);
        let slot = self.slot(id)?;
        // Its state may have come before: then its keys are known, but it owns them only from now on.
        self.registry.note_registration(slot);
        let task = self.registry.task_mut(slot);
        self.claims_changed |= task.registration().is_some_and(|before| before.keys != registration.keys);
        task.register(registration);
        task.turn_period(now, &self.settings);
        self.registry.note_timers(slot);
        self.refresh_keys(slot)
    }

    pub(crate) fn refuse_registration(&mut self, id: TaskId, why: String) -> Result<(), Refusal> {
        self.waiting.remove(&id);
        let slot = self.slot(id)?;
        self.registry.task_mut(slot).refuse_registration(why);
        Ok(())
    }

    /// A task said how it is.
    pub(crate) fn set_state(&mut self, id: TaskId, state: TaskState, now: Now) -> Result<(), Refusal> {
        if let Some(refusal) = state.keys.as_ref().and_then(|keys| self.key_taken(&id, keys.iter())) {
            self.registry.change(&id, |task| task.refuse_state(&refusal.to_string()));
            return Err(refusal);
        }
        let slot = self.slot(id)?;
        let task = self.registry.task_mut(slot);
        self.claims_changed |= task.state().and_then(|before| before.keys.as_ref()) != state.keys.as_ref();
        task.set_state(state, now, &self.settings);
        self.refresh_keys(slot)?;
        self.registry.note_timers(slot);
        if self.registry.watched().contains(&slot) {
            self.watch_usage(slot, now.at);
        }
        Ok(())
    }

    /// A task is not registered any more.
    pub(crate) fn unregister(&mut self, id: &TaskId) {
        self.waiting.remove(id);
        self.claims_changed = true;
        self.registry.change(id, |task| task.unregister());
    }

    /// The state of a task was cleared from the broker.
    pub(crate) fn clear_state(&mut self, id: &TaskId, now: Now) -> Result<(), Refusal> {
        let settings = &self.settings;
        self.claims_changed = true;
        self.registry.change(id, |task| task.clear_state(now, settings));
        // The keys that only its state had named are not its own any more.
        match self.registry.find(id) {
            Some(slot) => self.refresh_keys(slot),
            None => Ok(()),
        }
    }

    pub(crate) fn set_available(&mut self, id: TaskId, available: Option<bool>, now: Now) -> Result<(), Refusal> {
        self.slot(id.clone())?;
        self.registry.change(&id, |task| task.set_available(available, now.at));
        Ok(())
    }

    /// The connection is back that was lost at this moment.
    pub(crate) fn hear_again(&mut self, lost: Instant, now: Now) {
        for task in self.registry.tasks_mut() {
            task.hear_again(lost, now.at, &self.settings);
        }
    }

    pub(crate) fn check_deadlines(&mut self, now: Now) {
        for task in self.registry.tasks_mut() {
            task.check_deadline(now, &self.settings);
        }
    }

    /// Modes and manual overrides end by the clock. Returns the tasks of which one has ended.
    pub(crate) fn end_overrides(&mut self, now: Now) -> Vec<TaskId> {
        let mut ended = Vec::new();
        for slot in self.registry.timed().iter().copied().collect::<Vec<_>>() {
            let task = self.registry.task_mut(slot);
            if task.end_overrides(now) {
                ended.push(task.id.clone());
            }
            self.registry.note_timers(slot);
        }
        ended
    }

    /// Renews the leases that are due. Returns the tasks whose starts have to be sent again.
    pub(crate) fn renew_leases(&mut self, now: Now) -> Vec<TaskId> {
        let mut renewed = Vec::new();
        for slot in self.registry.timed().iter().copied().collect::<Vec<_>>() {
            let task = self.registry.task_mut(slot);
            if task.renewal().is_none_or(|due| now.at < due) {
                continue;
            }
            let reachable = task.is_reachable(now.at, &self.settings);
            task.renew_lease(reachable, now.at);
            if reachable {
                renewed.push(task.id.clone());
            }
        }
        renewed
    }

    /// A task's state or its keys may have changed.
    fn refresh_keys(&mut self, slot: usize) -> Result<(), Refusal> {
        let refreshed = self.registry.refresh_keys(slot, &mut self.meter.keys);
        let values = self.meter.intake(Source::Meter);
        self.registry.note_unmeasured(slot, |key| values.has_heard(key));
        refreshed
    }

    /// The slot of a task, made if it is new.
    fn slot(&mut self, id: TaskId) -> Result<usize, Refusal> {
        let slot = self.registry.slot(id)?;
        if slot.reused {
            self.window.forget_slot(slot.number);
        }
        Ok(slot.number)
    }

    // Power.

    /// Takes a record in.
    pub(crate) fn take_power<'a>(
        &mut self,
        source: Source,
        values: impl IntoIterator<Item = (&'a str, Quantity)>,
        measured: Option<Timestamp>,
        now: Now,
    ) -> Result<(), Refusal> {
        let age = now.age(measured);
        if age > self.settings.max_record_gap {
            return Err(Refusal::Old { age, limit: self.settings.max_record_gap });
        }
        let (measured, expiry) = (now.at - age, Expiry::After(self.settings.expire_after));
        let mut refused = Ok(());
        for (key, value) in values {
            if let Err(refusal) = self.put(source, key, Measurement { value, measured, expiry, sensed: false }, now) {
                refused = Err(refusal);
            }
        }
        self.watch_all_usage(now.at);
        refused
    }

    /// Takes a sensor's value in.
    pub(crate) fn sense(&mut self, sensed: &Sensed, now: Now) -> Result<(), Refusal> {
        let Sensed { key, value, measured, expiry } = sensed;
        let measurement = Measurement { value: *value, measured: *measured, expiry: *expiry, sensed: true };
        let taken = self.put(Source::Meter, key, measurement, now);
        self.watch_all_usage(now.at);
        taken
    }

    fn put(&mut self, source: Source, key: &str, measurement: Measurement, now: Now) -> Result<(), Refusal> {
        let missing = self.meter.no_data();
        // After an outage of the connection too: what was before it confirms no start after it.
        let interrupted = key == NET && self.meter.is_interrupted(self.settings.max_record_gap, now);
        let taken = self.meter.put(source, key, measurement, now);
        if (taken.is_ok() && interrupted) || (missing && !self.meter.no_data()) {
            self.window.clear();
            self.energy.interrupt();
        }
        taken
    }

    /// Makes the cycle's record from what arrived and puts it into the window. Returns its source, and what tasks consumed
    /// according to it.
    pub(crate) fn update_window(&mut self, now: Now) -> Option<(Source, Consumption)> {
        let source = self.meter.source(self.settings.max_record_gap, now.at);
        let counted = source.map(|source| {
            if self.meter.no_data() {
                // It came in time and was noticed too late: what was before the gap confirms no start after it.
                self.window.clear();
            }
            let empty = self.window.recycle_oldest(source, now.at);
            let record = self.record_maker(now).fill(empty);
            let ran = self.energy.span(now.at);
            let consumption = self.energy.count(&record, &mut self.registry, &self.settings, now);
            self.window.push(record);
            self.judge_claims(ran, now.at);
            (source, consumption)
        });
        self.meter.end_cycle();
        let values = self.meter.intake(Source::Meter);
        self.registry.forget_measured(|key| values.has_heard(key));
        counted
    }

    /// What all tasks use, as a record of the fallback would have it.
    pub(crate) fn expected_use(&mut self, now: Now) -> Watts {
        self.registry.refresh_owners(self.meter.keys.len());
        self.record_maker(now).expected_use()
    }

    fn record_maker(&self, now: Now) -> RecordMaker<'_> {
        RecordMaker { meter: &self.meter, registry: &self.registry, settings: &self.settings, now }
    }

    pub(crate) fn watch_all_usage(&mut self, now: Instant) {
        for slot in self.registry.watched().iter().copied().collect::<Vec<_>>() {
            self.watch_usage(slot, now);
        }
    }

    fn watch_usage(&mut self, slot: usize, now: Instant) {
        let task = self.registry.task(slot);
        let measured = if task.key_names().is_empty() {
            task.reported_usage()
        } else {
            self.meter.intake(Source::Meter).sum_since(&task.keys, task.history().seen_since(), now)
        };
        self.registry.task_mut(slot).watch_usage(measured);
    }
}
