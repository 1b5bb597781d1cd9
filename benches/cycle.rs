//! What one cycle costs, its record included, beside the naive transcription of the rules in the same run.
//!
//! `settled`: nothing is to be done, and everything has to be asked to know it. `replacing`: important tasks wait, and
//! less important ones are looked for to make room.

#![allow(missing_docs, clippy::unwrap_used)]

#[allow(dead_code)]
#[path = "../tests/it/naive/mod.rs"]
mod naive;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use sunward::core::{Event, Instant, Now, Priority, Registration, Scheduler, Settings, Source, TaskId, TaskState};
use sunward::units::{Quantity, Watts};

use naive::{Naive, NaiveSettings, NaiveTask};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Home {
    Settled,
    Replacing,
}

/// A tenth adjustable, half running, a key each.
fn tasks(home: Home, count: u32) -> Vec<NaiveTask> {
    let task = |index: u32| {
        let adjustable = index.is_multiple_of(10);
        let power = f64::from(500 + index * 37 % 40 * 50);
        let running = index.is_multiple_of(2);
        let priority = match home {
            Home::Settled => 1 + u8::from(running),
            Home::Replacing => 1 + u8::try_from(index % 4).unwrap(),
        };
        NaiveTask {
            max_power: adjustable.then_some(power * 2.0),
            adjustable,
            running,
            ..NaiveTask::idle(&format!("t{index:04}"), priority, power)
        }
    };
    (0..count).map(task).collect()
}

/// Everything that runs draws its power, adjustable tasks twice; a little less than the smallest task needs is exported.
fn record(tasks: &[NaiveTask]) -> BTreeMap<String, f64> {
    let draws = |task: &NaiveTask| task.max_power.unwrap_or(task.power) * f64::from(u8::from(task.running));
    let mut values: BTreeMap<_, _> = tasks.iter().map(|task| (task.id.clone(), draws(task))).collect();
    values.insert("net".into(), -400.0);
    values
}

fn naive(tasks: &[NaiveTask]) -> Naive {
    let defaults = Settings::default();
    let mut naive = Naive::new(NaiveSettings {
        window_size: defaults.window_size,
        confirm_records: defaults.confirm_records,
        headroom: defaults.headroom.0,
        ignore_power_threshold: defaults.ignore_power_threshold.0,
        reserve: defaults.reserve.0,
    });
    for _ in 0..defaults.window_size {
        naive.update(record(tasks), tasks);
        naive.cycle(tasks);
    }
    naive
}

fn scheduler(tasks: &[NaiveTask], now: &mut Now) -> Scheduler {
    // Decisions aren't followed here. In a dry run that has no consequences, so that every cycle is like the first.
    let mut scheduler = Scheduler::new(Settings { dry_run: true, ..Settings::default() }, *now);
    for task in tasks {
        let id = TaskId::new(&task.id).unwrap();
        let mut registration = Registration::new(&id, Watts(task.power));
        registration.priority = Priority::from_level(task.priority.into()).unwrap();
        registration.auto_adjust = task.adjustable;
        registration.max_power = task.max_power.map(Watts);
        registration.keys.clone_from(&task.keys);
        scheduler.handle(Event::Registered(id.clone(), Box::new(registration)), *now).unwrap();
        scheduler.handle(Event::State(id.clone(), Box::new(TaskState::plain(task.running))), *now).unwrap();
        scheduler.handle(Event::Availability(id, Some(true)), *now).unwrap();
    }
    for _ in 0..scheduler.settings().window_size {
        step(&mut scheduler, power(tasks), now);
    }
    scheduler
}

fn power(tasks: &[NaiveTask]) -> Event {
    let values = record(tasks).into_iter().map(|(key, watts)| (key, Quantity(watts))).collect();
    Event::Power { source: Source::Meter, values, measured: None }
}

fn step(scheduler: &mut Scheduler, power: Event, now: &mut Now) -> usize {
    *now = *now + Duration::from_secs(60);
    scheduler.handle(power, *now).unwrap();
    let decided = scheduler.cycle(*now).decisions.len();
    while scheduler.next_instruction().is_some() {}
    decided
}

fn cycle(criterion: &mut Criterion) {
    for (name, home) in [("settled", Home::Settled), ("replacing", Home::Replacing)] {
        let mut group = criterion.benchmark_group(name);
        for count in [10, 30, 100, 300, 1000] {
            let tasks = tasks(home, count);
            let start = Instant::START + Duration::from_secs(100_000);
            let mut now = Now { at: start, wall: "2026-06-01T10:00:00Z".parse().unwrap() };
            let mut scheduler = scheduler(&tasks, &mut now);
            let decided = step(&mut scheduler, power(&tasks), &mut now);
            assert_eq!(decided == 0, home == Home::Settled, "{decided} decisions for {count} tasks");
            group.bench_function(BenchmarkId::new("scheduler", count), |bencher| {
                bencher.iter_batched(
                    || power(&tasks),
                    |power| step(&mut scheduler, power, &mut now),
                    criterion::BatchSize::SmallInput,
                );
            });
            if count <= 100 {
                let mut naive = naive(&tasks);
                group.bench_function(BenchmarkId::new("naive", count), |bencher| {
                    bencher.iter_batched(
                        || record(&tasks),
                        |record| {
                            naive.update(record, &tasks);
                            black_box(naive.cycle(&tasks))
                        },
                        criterion::BatchSize::SmallInput,
                    );
                });
            }
        }
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .without_plots();
    targets = cycle
}
criterion_main!(benches);
