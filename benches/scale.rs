//! What the rules cost when a home is as large as it may get: 4,096 tasks.
//!
//! `message`: a task says how it is, and what is reported of it is looked up. `starts`: the sun pays for every task, and all
//! of them start in one cycle; a tenth is adjustable. `waits`: none is started, so that each is asked what it waits for.
//!
//! ```sh
//! cargo bench --bench scale
//! ```

#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use sunward::core::{Event, Instant, Now, Priority, Registration, Scheduler, Settings, Source, TaskId, TaskState};
use sunward::units::{Quantity, Watts};

const COUNTS: [u32; 3] = [100, 1_000, 4_096];

fn id(number: u32) -> TaskId {
    TaskId::new(&format!("t{number:04}")).unwrap()
}

/// Stopped tasks of 500 to 2450 W, of all priorities, a tenth adjustable, a key each.
fn scheduler(count: u32, net: f64, now: &mut Now) -> Scheduler {
    // Decisions aren't followed here. In a dry run that has no consequences, so that every cycle is like the first.
    let mut scheduler = Scheduler::new(Settings { dry_run: true, ..Settings::default() }, *now);
    for number in 0..count {
        let mut registration = Registration::new(&id(number), Watts(f64::from(500 + number * 37 % 40 * 50)));
        registration.priority = Priority::from_level(1 + u64::from(number % 4)).unwrap();
        registration.auto_adjust = number.is_multiple_of(10);
        registration.keys = vec![format!("t{number:04}")];
        scheduler.handle(Event::Registered(id(number), Box::new(registration)), *now).unwrap();
        scheduler.handle(Event::State(id(number), Box::new(TaskState::plain(false))), *now).unwrap();
        scheduler.handle(Event::Availability(id(number), Some(true)), *now).unwrap();
    }
    for _ in 0..scheduler.settings().window_size {
        cycle(&mut scheduler, power(count, net), now);
    }
    scheduler
}

fn power(count: u32, net: f64) -> Event {
    let values = (0..count).map(|number| (format!("t{number:04}"), Quantity(0.0)));
    let values = values.chain([("net".into(), Quantity(net))]).collect();
    Event::Power { source: Source::Meter, values, measured: None }
}

fn cycle(scheduler: &mut Scheduler, power: Event, now: &mut Now) -> usize {
    *now = *now + Duration::from_secs(60);
    scheduler.handle(power, *now).unwrap();
    let decided = scheduler.cycle(*now).decisions.len();
    while scheduler.next_instruction().is_some() {}
    decided
}

fn start() -> Now {
    Now { at: Instant::START + Duration::from_secs(100_000), wall: "2026-06-01T10:00:00Z".parse().unwrap() }
}

fn cycles(criterion: &mut Criterion) {
    for (name, net) in [("starts", -9_000_000.0), ("waits", -400.0)] {
        let mut group = criterion.benchmark_group(name);
        for count in COUNTS {
            let mut now = start();
            let mut scheduler = scheduler(count, net, &mut now);
            let decided = cycle(&mut scheduler, power(count, net), &mut now);
            assert_eq!(decided, if name == "starts" { count as usize } else { 0 });
            group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
                bencher.iter_batched(
                    || power(count, net),
                    |power| cycle(&mut scheduler, power, &mut now),
                    BatchSize::LargeInput,
                );
            });
        }
        group.finish();
    }
}

fn messages(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("message");
    for count in COUNTS {
        let mut now = start();
        let mut scheduler = scheduler(count, -400.0, &mut now);
        let mut number = 0;
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
            bencher.iter(|| {
                number = (number + 1) % count;
                now = now + Duration::from_millis(1);
                let state = TaskState::plain(number.is_multiple_of(2));
                scheduler.handle(Event::State(id(number), Box::new(state)), now).unwrap();
                let told = (scheduler.task(&id(number), now), scheduler.warnings(now), scheduler.task_count());
                black_box((told, scheduler.next_wakeup()))
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .without_plots();
    targets = messages, cycles
}
criterion_main!(benches);
