//! What the rules cost when a home is as large as it may get: 4,096 tasks.
//!
//! `message`: a task says how it is, and what is reported of it is looked up. The others are cycles, by the home that they
//! see: [`HOMES`].
//!
//! ```sh
//! cargo bench --bench scale
//! ```

#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, criterion_group, criterion_main};
use sunward::core::{
    Criterion, Event, Instant, Now, Priority, Registration, Scheduler, Settings, Source, TaskId, TaskState,
};
use sunward::units::{Quantity, Watts};

const COUNTS: [u32; 3] = [100, 1_000, 4_096];

/// An expression that the sun alone decides.
const ASKED: &str = "ratio >= 1 and now.hour < 25";

/// What is special about a home.
struct Home {
    name: &'static str,
    net: f64,
    /// How many of the tasks get set-points: one in so many.
    adjustable: u32,
    /// Their `start`, by number.
    start: fn(u32) -> Option<&'static str>,
    /// How many of the tasks run: one in so many; 0: none.
    running: u32,
    one_key: bool,
    /// Of so many tasks, how many are decided.
    decided: fn(u32) -> u32,
}

const PLAIN: Home =
    Home { name: "waits", net: -400.0, adjustable: 10, start: |_| None, running: 0, one_key: false, decided: |_| 0 };
const SUNNY: f64 = -9_000_000.0;

const HOMES: [Home; 7] = [
    // None is started: each is asked what it waits for.
    PLAIN,
    // The sun pays for every task, and all of them start.
    Home { name: "starts", net: SUNNY, decided: |count| count, ..PLAIN },
    Home { name: "starts adjustable", net: SUNNY, adjustable: 1, decided: |count| count, ..PLAIN },
    Home { name: "starts asked", net: SUNNY, start: |_| Some(ASKED), decided: |count| count, ..PLAIN },
    // The more important ones never start, the others do.
    Home {
        name: "half starts asked",
        net: SUNNY,
        start: |number| Some(if number % 4 > 1 { "ratio < 0 and now.hour < 25" } else { ASKED }),
        decided: |count| count / 2,
        ..PLAIN
    },
    // Those that run could make room for the others, but for too few.
    Home { name: "makes no room", start: |_| Some("ratio > 100000"), running: 2, ..PLAIN },
    // All run on one key.
    Home { name: "stops on one key", running: 1, one_key: true, decided: |count| count - 1, ..PLAIN },
];

fn id(number: u32) -> TaskId {
    TaskId::new(format!("t{number:04}")).unwrap()
}

/// Tasks of 500 to 2450 W, of all priorities.
fn scheduler(home: &Home, count: u32, now: &mut Now) -> Scheduler {
    // Decisions aren't followed here. In a dry run that has no consequences, so that every cycle is like the first.
    let mut scheduler = Scheduler::new(Settings { dry_run: true, ..Settings::default() }, *now);
    for number in 0..count {
        let mut registration = Registration::new(&id(number), Watts(f64::from(500 + number * 37 % 40 * 50)));
        registration.priority = Priority::from_level(1 + u64::from(number % 4)).unwrap();
        registration.auto_adjust = number.is_multiple_of(home.adjustable);
        registration.keys = vec![if home.one_key { "all".into() } else { format!("t{number:04}") }];
        if let Some(start) = (home.start)(number) {
            registration.criteria.start = Criterion::expression(start).unwrap();
        }
        let running = home.running > 0 && number.is_multiple_of(home.running);
        scheduler.handle(Event::Registered(id(number), Box::new(registration)), *now).unwrap();
        scheduler.handle(Event::State(id(number), Box::new(TaskState::plain(running))), *now).unwrap();
        scheduler.handle(Event::Availability(id(number), Some(true)), *now).unwrap();
    }
    for _ in 0..scheduler.settings().window_size {
        cycle(&mut scheduler, power(count, home.net), now);
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

fn cycles(bencher: &mut criterion::Criterion) {
    for home in HOMES {
        let mut group = bencher.benchmark_group(home.name);
        for count in COUNTS {
            let mut now = start();
            let mut scheduler = scheduler(&home, count, &mut now);
            let decided = cycle(&mut scheduler, power(count, home.net), &mut now);
            assert_eq!(decided, (home.decided)(count) as usize, "{} of {count}", home.name);
            group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
                bencher.iter_batched(
                    || power(count, home.net),
                    |power| cycle(&mut scheduler, power, &mut now),
                    BatchSize::LargeInput,
                );
            });
        }
        group.finish();
    }
}

fn messages(bencher: &mut criterion::Criterion) {
    let mut group = bencher.benchmark_group("message");
    for count in COUNTS {
        let mut now = start();
        let mut scheduler = scheduler(&PLAIN, count, &mut now);
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
    config = criterion::Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .without_plots();
    targets = messages, cycles
}
criterion_main!(benches);
