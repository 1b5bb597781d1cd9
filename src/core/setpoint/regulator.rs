//! Which tasks get set-points, when, and from what (SPEC section 11).
//!
//! Refuses to start or stop anything: a set-point tells a running task how much, never whether.

use crate::core::meter::intake::Measured;
use crate::core::setpoint::pool::{Net, Range, Sharer, Spare, Usage, share};
use crate::core::task::task::Task;
use crate::core::{Instant, Instruction, Mode, Scheduler, Source, TaskId};
use crate::units::Watts;

/// What becomes of a task's set-point.
enum Aim {
    /// It stays.
    Keep,
    /// Whatever the sun does.
    Exactly(Watts),
    /// Its share of the sun.
    Share,
}

impl Scheduler {
    /// The task may have become one that gets set-points, or none any more.
    pub(crate) fn enlist(&mut self, slot: usize) {
        let listed = self.adjustables.iter().position(|other| *other == slot);
        let task = &mut self.tasks[slot];
        match (listed, range(task)) {
            (None, Some(_)) => self.adjustables.push(slot),
            (Some(position), None) => {
                self.adjustables.swap_remove(position);
                if std::mem::take(&mut task.setpoint).in_force().is_some() {
                    self.instructions.push_back(Instruction::Setpoint(task.id.clone(), None));
                }
            }
            _ => {}
        }
    }

    /// Takes over a set-point that an earlier run had sent. Answers whether the task still gets any.
    pub fn restore_setpoint(&mut self, id: &TaskId, watts: Watts) -> bool {
        let slot = self.slots.get(id).copied().filter(|slot| self.adjustables.contains(slot));
        if let Some(slot) = slot {
            self.tasks[slot].setpoint.restore(watts);
            self.pool.clear();
        }
        slot.is_some()
    }

    /// Something happened: what is not the sun's to say is aimed at, and the regulated ones' usage is noted.
    pub(crate) fn aim(&mut self, now: Instant) {
        for index in 0..self.adjustables.len() {
            let slot = self.adjustables[index];
            let aim = self.aim_of(slot, now);
            let task = &mut self.tasks[slot];
            let power = task.power();
            match aim {
                Aim::Keep => task.setpoint.keep(),
                Aim::Exactly(watts) => task.setpoint.want(watts),
                // Until the sun has its say.
                Aim::Share if task.setpoint.is_untold() => task.setpoint.want(power),
                Aim::Share => {}
            }
        }
        self.note_usage(now);
    }

    /// Something has happened: set-points follow.
    pub(crate) fn follow(&mut self, now: Instant) {
        if let Some((source, net, measured)) = self.new_net.take() {
            self.regulate(source, net, measured, now);
        }
        self.aim(now);
    }

    /// A new value of `net`: who is regulated gets his share.
    fn regulate(&mut self, source: Source, value: Watts, measured: Instant, now: Instant) {
        let intake = match source {
            Source::Meter => &self.meter,
            // The estimator stands in for a silent meter only.
            Source::Fallback if now.since(self.last_meter.at) > self.settings.max_record_gap => &self.fallback,
            Source::Fallback => return,
        };
        let net = Net { value: value + self.settings.reserve, measured, interval: intake.interval(self.net) };
        let mut slots = self.regulated(now);
        if slots.is_empty() {
            return;
        }
        let spare = self.note_usage(now);
        slots.sort_by(|a, b| self.tasks[*a].importance().most_first(&self.tasks[*b].importance()));
        let tasks = || slots.iter().map(|slot| &self.tasks[*slot]);
        let in_force = tasks().map(|task| task.setpoint.in_force().unwrap_or(task.power())).sum();
        let sharers: Vec<Sharer> = tasks().filter_map(sharer).collect();
        let total = self.pool.total(net, in_force, spare, now);
        for (slot, watts) in slots.into_iter().zip(share(total, &sharers)) {
            let task = &mut self.tasks[slot];
            let step = setpoint_step(task);
            task.setpoint.move_to(watts, step);
        }
    }

    /// When the next set-point may be sent.
    pub(crate) fn setpoint_due(&self) -> Option<Instant> {
        self.adjustables.iter().filter_map(|slot| self.tasks[*slot].setpoint.due(self.settings.setpoint_interval)).min()
    }

    /// Sends every set-point whose time has come.
    pub(crate) fn send_setpoints(&mut self, now: Instant) {
        for slot in &self.adjustables {
            let task = &mut self.tasks[*slot];
            if task.setpoint.due(self.settings.setpoint_interval).is_some_and(|due| due <= now)
                && let Some(watts) = task.setpoint.send(now)
            {
                self.instructions.push_back(Instruction::Setpoint(task.id.clone(), Some(watts)));
            }
        }
    }

    fn aim_of(&self, slot: usize, now: Instant) -> Aim {
        let task = &self.tasks[slot];
        if task.unreachable(now, &self.settings).is_some() {
            return Aim::Keep;
        }
        match (task.running(), task.mode()) {
            // Whoever wants it to run now wants it to be done soon, with or without the sun.
            (true, Mode::On) => Aim::Exactly(task.max_power().unwrap_or(task.power())),
            (true, Mode::Auto) if self.paused => Aim::Keep,
            (true, Mode::Auto) if !self.no_data => Aim::Share,
            _ => Aim::Exactly(task.power()),
        }
    }

    /// Those who run on what the sun leaves.
    fn regulated(&self, now: Instant) -> Vec<usize> {
        self.adjustables.iter().copied().filter(|slot| matches!(self.aim_of(*slot, now), Aim::Share)).collect()
    }

    fn note_usage(&mut self, now: Instant) -> Spare {
        let (mut all, mut all_spare, mut anybody) = (Range::default(), Spare::default(), false);
        for index in 0..self.adjustables.len() {
            let slot = self.adjustables[index];
            let regulated = matches!(self.aim_of(slot, now), Aim::Share);
            let known = self.known_usage(&self.tasks[slot], now);
            let task = &mut self.tasks[slot];
            let (power, step) = (task.power(), charger_step(task));
            let joins = task.setpoint.count(regulated);
            if regulated {
                task.setpoint.watch(known, step, now);
                let (usage, spare) = task.setpoint.usage(known, power, step);
                if joins {
                    self.pool.join(usage);
                }
                all += usage;
                all_spare += spare;
                anybody = true;
            }
        }
        if anybody {
            self.pool.note_usage(all, now);
        } else {
            self.pool.clear();
        }
        all_spare
    }

    /// What is known of a running task's usage now. A value that is missing, expired or from before its start is none.
    fn known_usage(&self, task: &Task, now: Instant) -> Usage {
        if task.key_names().is_empty() {
            return task
                .reported_usage()
                .map_or(Usage::Never, |(usage, at)| Usage::Measured(Measured { value: usage.max(Watts::ZERO), at }));
        }
        let recent = |measured: &Measured| task.switched().is_none_or(|switched| measured.at >= switched);
        let mut all = Measured { value: Watts::ZERO, at: now };
        for key in &task.keys {
            let meter = self.meter.last(*key, now).filter(recent);
            let Some(measured) = meter.or_else(|| self.fallback.last(*key, now).filter(recent)) else {
                return Usage::NotYet;
            };
            all = Measured { value: all.value + measured.value.max(Watts::ZERO), at: all.at.min(measured.at) };
        }
        Usage::Measured(all)
    }
}

/// From `power` to `max_power`, for a task that gets set-points.
fn range(task: &Task) -> Option<(Watts, Watts)> {
    task.registration.as_ref().filter(|_| task.adjustable())?;
    Some((task.power(), task.max_power()?))
}

fn sharer(task: &Task) -> Option<Sharer> {
    let (least, most) = range(task)?;
    Some(Sharer { least, most, takes: task.setpoint.limit().unwrap_or(most) })
}

fn setpoint_step(task: &Task) -> Watts {
    task.registration.as_ref().map_or(Watts::ZERO, |registration| registration.setpoint_step)
}

/// By so much a charger may stay below its set-point: it counts in whole amperes, and one is a sixth of the least that
/// an EV takes.
fn charger_step(task: &Task) -> Watts {
    (task.power() * (1.0 / 6.0)).max(setpoint_step(task))
}
