//! Set-points on a model of chargers, meters and clouds: what follows the sun, how fast, and that nothing swings.

use std::collections::VecDeque;

use sunward::scheduler::Instruction;

use super::{
    Duration, Event, Instant, Lcg, Now, Priority, Registration, Scheduler, Settings, Source, TaskId, TaskState, Watts,
};

/// How often the model moves, in seconds.
const TICK: f64 = 0.5;

/// How Sunward learns what a charger uses.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Usage {
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
struct Meter {
    interval: u32,
    delay: f64,
    /// Standard deviation of its error.
    noise: f64,
}

#[derive(Debug, Clone, Copy)]
struct Charger {
    least: f64,
    most: f64,
    /// What its car takes at most.
    takes: f64,
    /// Until it begins to follow a set-point, in seconds.
    lag: f64,
    /// Watts a second.
    ramp: f64,
    /// It counts in steps of this, from 0.
    quantum: f64,
}

const CHARGER: Charger = Charger { least: 1400.0, most: 7400.0, takes: 7400.0, lag: 2.0, ramp: 2000.0, quantum: 1.0 };

const METER: Meter = Meter { interval: 1, delay: 0.0, noise: 0.0 };

#[derive(Debug)]
struct Running {
    id: TaskId,
    charger: Charger,
    usage: f64,
    target: f64,
    /// Set-points that it does not follow yet.
    told: VecDeque<(f64, f64)>,
}

/// One moment of a day.
#[derive(Debug, Clone)]
struct Moment {
    time: f64,
    sun: f64,
    usage: Vec<f64>,
    in_force: Vec<f64>,
}

struct Day {
    moments: Vec<Moment>,
    /// Time, charger and watts of every set-point.
    told: Vec<(f64, usize, f64)>,
}

/// Lets chargers run under a sun for so many seconds.
fn day(chargers: &[Charger], meter: Meter, usage: Usage, seconds: u32, sun: impl Fn(f64) -> f64) -> Day {
    let begin = Now { at: Instant::START + Duration::from_secs(100_000), wall: "2026-06-01T10:00:00Z".parse().unwrap() };
    let at = |time: f64| begin + Duration::from_secs_f64(time);
    let mut scheduler = Scheduler::new(Settings::default(), begin);
    let mut running: Vec<Running> = chargers.iter().enumerate().map(|(index, charger)| start(&mut scheduler, index, *charger, usage, begin)).collect();
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

fn power(scheduler: &mut Scheduler, values: Vec<(String, Watts)>, now: Now) {
    scheduler.handle(Event::Power { source: Source::Meter, values, measured: None }, now).unwrap();
}

fn start(scheduler: &mut Scheduler, index: usize, charger: Charger, usage: Usage, now: Now) -> Running {
    // In descending importance.
    let id = TaskId::new(format!("car{index}")).unwrap();
    let mut registration = Registration::new(&id, Watts(charger.least));
    registration.max_power = Some(Watts(charger.most));
    registration.auto_adjust = true;
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
        let target = ((self.target / quantum).floor() * quantum).max(least).min(takes);
        self.usage += (target - self.usage).clamp(-ramp * TICK, ramp * TICK);
    }
}

impl Day {
    fn in_force(&self, index: usize) -> f64 {
        self.told.iter().rev().find(|(_, other, _)| *other == index).map_or(f64::NAN, |(.., watts)| *watts)
    }

    /// How many set-points were sent from then on.
    fn moves(&self, from: f64) -> usize {
        self.told.iter().filter(|(time, ..)| *time >= from).count()
    }

    fn at(&self, time: f64) -> &Moment {
        self.moments.iter().find(|moment| moment.time >= time).unwrap()
    }
}

#[test]
fn probe() {
    let step = |time: f64| if time < 200.0 { 5000.0 } else if time < 400.0 { 2000.0 } else { 5000.0 };
    for usage in [Usage::AtOnce, Usage::WithNet, Usage::Every(60), Usage::Never] {
        for (interval, delay) in [(1, 0.0), (1, 10.0), (5, 0.0), (5, 10.0), (10, 0.0), (10, 10.0), (60, 0.0), (60, 10.0)] {
            for quantum in [1.0, 230.0] {
                let it = day(&[Charger { quantum, ..CHARGER }], Meter { interval, delay, ..METER }, usage, 700, step);
                println!("{usage:?} {interval} {delay} {quantum}: {:?}", it.told.iter().map(|(t, _, w)| format!("{t}:{w:.0}")).collect::<Vec<_>>());
                let it = day(&[Charger { quantum, ..CHARGER }], Meter { interval, delay, noise: 50.0 }, usage, 7200, |_| 5000.0);
                println!("    noise: {}", it.moves(600.0));
            }
        }
    }
}
