//! Which tasks get set-points, when, and from what.
//!
//! A set-point tells a running task how much, never whether: nothing here starts or stops a task.

use crate::core::meter::intake::Measured;
use crate::core::meter::meter::{Meter, NewNet};
use crate::core::meter::source::Source;
use crate::core::output::Instruction;
use crate::core::registry::Registry;
use crate::core::setpoint::division::{Sharer, divide};
use crate::core::setpoint::pool::{Net, Pool};
use crate::core::setpoint::range::{Range, Spare};
use crate::core::setpoint::setpoint::{MeasuredUsage, Usage};
use crate::core::settings::Settings;
use crate::core::task::mode::Mode;
use crate::core::task::task::Task;
use crate::core::time::Instant;
use crate::units::Watts;

/// Regulates the adjustable tasks.
#[derive(Debug, Default)]
pub(crate) struct Regulator {
    /// Slots of the tasks that get set-points.
    adjustables: Vec<usize>,
    pool: Pool,
}

/// What set-points depend on.
pub(crate) struct Situation<'a> {
    pub(crate) registry: &'a mut Registry,
    pub(crate) meter: &'a Meter,
    pub(crate) settings: &'a Settings,
    /// A user paused the scheduler.
    pub(crate) paused: bool,
    pub(crate) now: Instant,
}

/// What becomes of a task's set-point.
enum Aim {
    /// It stays.
    Keep,
    /// Whatever the sun does.
    Exactly(Watts),
    /// Its share of the sun.
    Share,
}

impl Regulator {
    /// The task may have become one that gets set-points, or none any more. Returns what is to be sent of that.
    pub(crate) fn update_membership(&mut self, slot: usize, task: &mut Task) -> Option<Instruction> {
        let listed = self.adjustables.iter().position(|other| *other == slot);
        match (listed, task.setpoint_range()) {
            (None, Some(_)) => self.adjustables.push(slot),
            (Some(position), None) => {
                self.adjustables.swap_remove(position);
                if std::mem::take(&mut task.setpoint).in_force().is_some() {
                    return Some(Instruction::Setpoint(task.id.clone(), None));
                }
            }
            _ => {}
        }
        None
    }

    /// Takes over a set-point that an earlier run had sent. Returns whether the task still gets any.
    pub(crate) fn restore(&mut self, slot: usize, task: &mut Task, watts: Watts) -> bool {
        let listed = self.adjustables.contains(&slot);
        if listed {
            task.setpoint.restore(watts);
            self.pool.clear();
        }
        listed
    }

    /// Something has happened: set-points follow. `new_net`: a value of `net` that they have not followed yet.
    pub(crate) fn follow(&mut self, situation: &mut Situation<'_>, new_net: Option<NewNet>) {
        if let Some(new_net) = new_net {
            self.regulate(situation, new_net);
        }
        self.aim(situation);
    }

    /// Set-points that are not the sun's to say are aimed at, and the usage of the regulated tasks is noted.
    pub(crate) fn aim(&mut self, situation: &mut Situation<'_>) {
        for slot in self.adjustables.iter().copied() {
            let aim = situation.aim(slot);
            let task = situation.registry.task_mut(slot);
            let power = task.power();
            match aim {
                Aim::Keep => task.setpoint.keep(),
                Aim::Exactly(watts) => task.setpoint.want(watts),
                // Until the first value of `net`.
                Aim::Share if task.setpoint.is_unset() => task.setpoint.want(power),
                Aim::Share => {}
            }
        }
        self.note_usage(situation);
    }

    /// A new value of `net`: each regulated task gets its share.
    fn regulate(&mut self, situation: &mut Situation<'_>, new_net: NewNet) {
        let NewNet { source, value, measured } = new_net;
        // The estimator stands in for a silent meter only.
        if source == Source::Fallback
            && !situation.meter.is_meter_silent(situation.settings.max_record_gap, situation.now)
        {
            return;
        }
        let interval = situation.meter.intake(source).interval(situation.meter.net());
        let net = Net { value: value + situation.settings.reserve, measured, interval };
        let mut slots: Vec<usize> =
            self.adjustables.iter().copied().filter(|slot| matches!(situation.aim(*slot), Aim::Share)).collect();
        if slots.is_empty() {
            return;
        }
        let spare = self.note_usage(situation);
        slots.sort_by(|a, b| {
            situation.registry.task(*a).importance().most_first(&situation.registry.task(*b).importance())
        });
        let tasks = || slots.iter().map(|slot| situation.registry.task(*slot));
        let in_force = tasks().map(|task| task.setpoint.in_force().unwrap_or(task.power())).sum();
        let sharers: Vec<Sharer> = tasks().filter_map(sharer).collect();
        let total = self.pool.total(net, in_force, spare, situation.now);
        for (slot, watts) in slots.into_iter().zip(divide(total, &sharers)) {
            let task = situation.registry.task_mut(slot);
            let step = setpoint_step(task);
            task.setpoint.move_to(watts, step);
        }
    }

    /// When the next set-point may be sent.
    pub(crate) fn due(&self, registry: &Registry, settings: &Settings) -> Option<Instant> {
        let setpoints = self.adjustables.iter().map(|slot| &registry.task(*slot).setpoint);
        setpoints.filter_map(|setpoint| setpoint.due(settings.setpoint_interval)).min()
    }

    /// Every set-point whose time has come, to be sent.
    pub(crate) fn send(&mut self, situation: &mut Situation<'_>) -> Vec<Instruction> {
        let mut instructions = Vec::new();
        for slot in self.adjustables.iter().copied() {
            let task = situation.registry.task_mut(slot);
            if task.setpoint.due(situation.settings.setpoint_interval).is_some_and(|due| due <= situation.now)
                && let Some(watts) = task.setpoint.send(situation.now)
            {
                instructions.push(Instruction::Setpoint(task.id.clone(), Some(watts)));
            }
        }
        instructions
    }

    fn note_usage(&mut self, situation: &mut Situation<'_>) -> Spare {
        let (mut all, mut all_spare, mut regulates) = (Range::default(), Spare::default(), false);
        for slot in self.adjustables.iter().copied() {
            let regulated = matches!(situation.aim(slot), Aim::Share);
            let usage = situation.usage(slot);
            let now = situation.now;
            let task = situation.registry.task_mut(slot);
            let (power, step) = (task.power(), charger_step(task));
            let joins = task.setpoint.regulate(regulated);
            if regulated {
                task.setpoint.watch(usage, step, now);
                let (usage, spare) = task.setpoint.usage(usage, power, step);
                if joins {
                    self.pool.join(usage);
                }
                all += usage;
                all_spare += spare;
                regulates = true;
            }
        }
        if regulates {
            self.pool.note_usage(all, situation.now);
        } else {
            self.pool.clear();
        }
        all_spare
    }
}

impl Situation<'_> {
    fn aim(&self, slot: usize) -> Aim {
        let task = self.registry.task(slot);
        if !task.is_reachable(self.now, self.settings) {
            return Aim::Keep;
        }
        match (task.running(), task.mode()) {
            // Whoever wants it to run now wants it to be done soon, with or without the sun.
            (true, Mode::On) => Aim::Exactly(task.max_power().unwrap_or(task.power())),
            (true, Mode::Auto) if self.paused => Aim::Keep,
            // What the meter shows nothing of is not shared.
            (true, Mode::Auto) if !self.meter.no_data() && !task.doubts.is_claim_doubted() => Aim::Share,
            _ => Aim::Exactly(task.power()),
        }
    }

    /// What is known of a running task's usage now. A value that is missing, expired or from before its start is none.
    fn usage(&self, slot: usize) -> Usage {
        let task = self.registry.task(slot);
        if task.key_names().is_empty() {
            return task.reported_usage().map_or(Usage::Never, |(usage, at)| {
                Usage::Measured(MeasuredUsage { value: usage.max(Watts::ZERO), at })
            });
        }
        let switched = task.history().seen_switch();
        let recent = |measured: &Measured| switched.is_none_or(|switched| measured.at >= switched);
        let last = |source, key| self.meter.intake(source).last(key, self.now).filter(recent);
        let mut all = MeasuredUsage { value: Watts::ZERO, at: self.now };
        for key in &task.keys {
            let Some(measured) = last(Source::Meter, *key).or_else(|| last(Source::Fallback, *key)) else {
                return Usage::NotYet;
            };
            all = MeasuredUsage {
                value: all.value + measured.value.watts().max(Watts::ZERO),
                at: all.at.min(measured.at),
            };
        }
        Usage::Measured(all)
    }
}

fn sharer(task: &Task) -> Option<Sharer> {
    let (least, most) = task.setpoint_range()?;
    Some(Sharer { least, most, takes: task.setpoint.limit().unwrap_or(most) })
}

fn setpoint_step(task: &Task) -> Watts {
    task.registration().map_or(Watts::ZERO, |registration| registration.setpoint_step)
}

/// By so much a charger may stay below its set-point: it counts in whole amperes, and one is a sixth of the least that
/// an EV takes.
fn charger_step(task: &Task) -> Watts {
    (task.power() * (1.0 / 6.0)).max(setpoint_step(task))
}
