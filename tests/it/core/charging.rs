//! Chargers, a meter and clouds: the model that set-points are tested on.

use std::collections::VecDeque;

use sunward::core::Instruction;

use super::{
    Duration, Event, Instant, Lcg, Now, Priority, Registration, Scheduler, Settings, Source, TaskId, TaskState, Watts,
};

/// How often the model moves, in seconds.
pub(super) const TICK: f64 = 0.5;

/// How Sunward learns what a charger uses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Usage {
    /// Every second, at once.
    AtOnce,
    /// In the record that has `net`, and as late.
    WithNet,
    /// From a plug that speaks so rarely, in seconds.
    Every(u32),
    /// Not at all.
    Never,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Meter {
    pub(super) interval: u32,
    pub(super) delay: f64,
    /// Standard deviation of its error.
    pub(super) noise: f64,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Charger {
    pub(super) least: f64,
    pub(super) most: f64,
    /// What its car takes at most, in the first half hour and later.
    pub(super) takes: [f64; 2],
    /// Until it begins to follow a set-point, in seconds.
    pub(super) lag: f64,
    /// Watts a second.
    pub(super) ramp: f64,
    /// It counts in steps of this, from 0.
    pub(super) quantum: f64,
    /// Its `setpoint_step`.
    pub(super) step: f64,
}

pub(super) const CHARGER: Charger =
    Charger { least: 1400.0, most: 7400.0, takes: [7400.0; 2], lag: 2.0, ramp: 2000.0, quantum: 1.0, step: 50.0 };

pub(super) const METER: Meter = Meter { interval: 1, delay: 0.0, noise: 0.0 };

#[derive(Debug)]
pub(super) struct Running {
    pub(super) id: TaskId,
    pub(super) charger: Charger,
    pub(super) usage: f64,
    pub(super) target: f64,
    /// Set-points that it does not follow yet.
    pub(super) told: VecDeque<(f64, f64)>,
}

/// One moment of a day.
#[derive(Debug, Clone)]
pub(super) struct Moment {
    pub(super) time: f64,
    pub(super) sun: f64,
    pub(super) usage: Vec<f64>,
    pub(super) in_force: Vec<f64>,
}

pub(super) struct Day {
    pub(super) moments: Vec<Moment>,
    /// Time, charger and watts of every set-point.
    pub(super) told: Vec<(f64, usize, f64)>,
}

/// Lets chargers run under a sun for so many seconds.
pub(super) fn day(chargers: &[Charger], meter: Meter, usage: Usage, seconds: u32, sun: impl Fn(f64) -> f64) -> Day {
    let begin =
        Now { at: Instant::START + Duration::from_secs(100_000), wall: "2026-06-01T10:00:00Z".parse().unwrap() };
    let at = |time: f64| begin + Duration::from_secs_f64(time);
    let mut scheduler = Scheduler::new(Settings::default(), begin);
    let mut running: Vec<Running> = chargers
        .iter()
        .enumerate()
        .map(|(index, charger)| start(&mut scheduler, index, *charger, usage, begin))
        .collect();
    let mut random = Lcg(7);
    let mut records: VecDeque<(f64, Vec<(String, Watts)>)> = VecDeque::new();
    let mut day = Day { moments: Vec::new(), told: Vec::new() };
    for tick in 0..seconds * 2 {
        let time = f64::from(tick) * TICK;
        for it in &mut running {
            it.move_on(time);
        }
        let own = |every: u32| tick % (every * 2) == 0;
        let values = || running.iter().map(|it| (it.id.to_string(), Watts(it.usage)));
        if tick % (meter.interval * 2) == 0 {
            let all: f64 = running.iter().map(|it| it.usage).sum();
            let mut record = vec![("net".to_owned(), Watts(all - sun(time) + meter.noise * random.normal()))];
            if usage == Usage::WithNet {
                record.extend(values());
            }
            records.push_back((time + meter.delay, record));
        }
        let speaks = match usage {
            Usage::AtOnce => own(1),
            Usage::Every(seconds) => own(seconds),
            Usage::WithNet | Usage::Never => false,
        };
        if speaks {
            power(&mut scheduler, values().collect(), at(time));
        }
        while records.front().is_some_and(|(due, _)| *due <= time) {
            power(&mut scheduler, records.pop_front().unwrap().1, at(time));
        }
        while scheduler.next_wakeup().is_some_and(|wakeup| wakeup <= at(time).at) {
            scheduler.wake(at(time));
        }
        while let Some(instruction) = scheduler.next_instruction() {
            let Instruction::Setpoint(id, Some(Watts(watts))) = instruction else { panic!("{instruction:?}") };
            let index = running.iter().position(|it| it.id == id).unwrap();
            let it = &mut running[index];
            it.told.push_back((time + it.charger.lag, watts));
            day.told.push((time, index, watts));
        }
        day.moments.push(Moment {
            time,
            sun: sun(time),
            usage: running.iter().map(|it| it.usage).collect(),
            in_force: (0..running.len()).map(|index| day.in_force(index)).collect(),
        });
    }
    day
}

fn power(scheduler: &mut Scheduler, powers: Vec<(String, Watts)>, now: Now) {
    let values = powers.into_iter().map(|(key, power)| (key, power.into())).collect();
    scheduler.handle(Event::Power { source: Source::Meter, values, measured: None }, now).unwrap();
}

fn start(scheduler: &mut Scheduler, index: usize, charger: Charger, usage: Usage, now: Now) -> Running {
    // In descending importance.
    let id = TaskId::new(format!("car{index}")).unwrap();
    let mut registration = Registration::new(&id, Watts(charger.least));
    registration.max_power = Some(Watts(charger.most));
    registration.auto_adjust = true;
    registration.setpoint_step = Watts(charger.step);
    registration.priority = Priority::ALL[3 - index];
    if usage != Usage::Never {
        registration.keys = vec![id.to_string()];
    }
    scheduler.handle(Event::Registered(id.clone(), Box::new(registration)), now).unwrap();
    scheduler.handle(Event::State(id.clone(), Box::new(TaskState::plain(true))), now).unwrap();
    scheduler.handle(Event::Availability(id.clone(), Some(true)), now).unwrap();
    Running { id, charger, usage: charger.least, target: charger.least, told: VecDeque::new() }
}

impl Running {
    fn move_on(&mut self, time: f64) {
        while self.told.front().is_some_and(|(due, _)| *due <= time) {
            self.target = self.told.pop_front().unwrap().1;
        }
        let Charger { least, takes, quantum, ramp, .. } = self.charger;
        let takes = takes[usize::from(time >= 1800.0)];
        let target = ((self.target / quantum).floor() * quantum).max(least).min(takes);
        self.usage += (target - self.usage).clamp(-ramp * TICK, ramp * TICK);
    }
}

impl Day {
    pub(super) fn in_force(&self, index: usize) -> f64 {
        self.told.iter().rev().find(|(_, other, _)| *other == index).map_or(f64::NAN, |(.., watts)| *watts)
    }

    /// How many set-points were sent from then on.
    pub(super) fn moves(&self, from: f64) -> usize {
        self.told.iter().filter(|(time, ..)| *time >= from).count()
    }

    pub(super) fn at(&self, time: f64) -> &Moment {
        self.moments.iter().find(|moment| moment.time >= time).unwrap()
    }
}
