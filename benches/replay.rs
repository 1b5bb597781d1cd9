//! A year at a row a minute with ten tasks, from the text of the CSV to what it came to, beside reading that text alone.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use serde_json::json;
use sunward::core::{Criteria, Settings};
use sunward::replay::{self, Contender, Format, PlannedTask, RecordedHome};

/// 2026-01-01.
const BEGIN: i64 = 1_767_225_600;

const MINUTES: i64 = 365 * 1440;

const TASKS: usize = 10;

fn main() {
    let text = year();
    let alone = best(|| drop(black_box(replay::read(text.as_bytes(), &Format::default()).unwrap())));
    let whole = best(|| drop(black_box(replayed(&text))));
    let scenarios = replayed(&text);
    replay::table(&scenarios, &replay::Prices::default(), std::io::stdout()).unwrap();
    #[expect(clippy::cast_precision_loss, reason = "half a million")]
    let per_row = whole.as_secs_f64() * 1e6 / MINUTES as f64;
    println!(
        "\n{} MB of CSV: read in {alone:.2?}, read and replayed in {whole:.2?}, {per_row:.2} µs a row",
        text.len() >> 20
    );
    println!("ratio {:.2}, at most 5 is the target", whole.as_secs_f64() / alone.as_secs_f64());
}

fn best(mut work: impl FnMut()) -> Duration {
    let time = |_| {
        let begun = Instant::now();
        work();
        begun.elapsed()
    };
    (0..5).map(time).min().unwrap()
}

fn replayed(text: &str) -> Vec<replay::Scenario> {
    let history = replay::read(text.as_bytes(), &Format::default()).unwrap();
    let task = |task: usize| {
        let adjustable = task.is_multiple_of(5);
        let table = json!({
            "id": format!("t{task}"),
            "power": 600 + 200 * task,
            "max_power": if adjustable { json!(4000 + 200 * task) } else { json!(null) },
            "auto_adjust": adjustable,
            "priority": 1 + task % 4,
            "by": if task.is_multiple_of(2) { json!("00:00") } else { json!(null) },
        });
        PlannedTask::read(table.as_object().unwrap(), &[], &Criteria::default()).unwrap()
    };
    let home = RecordedHome::new(Arc::new(history), (0..TASKS).map(task).collect(), TimeZone::UTC).unwrap();
    let (settings, cycle) = (Settings::default(), Duration::from_secs(60));
    replay::replay(&[Contender { name: "Sunward".into(), settings, cycle, home: Arc::new(home) }])
}

/// Sun by day and season under clouds that change by the minute; each task an hour a day, at its own time.
fn year() -> String {
    let mut text = String::from("time,net,solar");
    for task in 0..TASKS {
        let _ = write!(text, ",t{task}");
    }
    let mut seed = 1_u64;
    let mut random = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        #[expect(clippy::cast_precision_loss, reason = "24 bits")]
        let value = (seed >> 40) as f64 / (1_u64 << 24) as f64;
        value
    };
    let mut cloud = 0.5;
    for minute in 0..MINUTES {
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let (of_day, day) = ((minute % 1440) as f64, (minute / 1440) as f64);
        let season = 0.6 - 0.4 * (day / 365.0 * std::f64::consts::TAU).cos();
        cloud = (cloud + (random() - 0.5) * 0.1_f64).clamp(0.1, 1.0);
        let height = ((of_day - 360.0) / 720.0 * std::f64::consts::PI).sin().max(0.0);
        let solar = (9000.0 * season * height * cloud).round();
        let mut net = 250.0 + (random() * 200.0).round() - solar;
        let mut circuits = String::new();
        for task in 0..TASKS {
            #[expect(clippy::cast_precision_loss, reason = "ten")]
            let begin = 120.0 * task as f64;
            #[expect(clippy::cast_precision_loss, reason = "ten")]
            let drawn = if (begin..begin + 60.0).contains(&of_day) { 600.0 + 200.0 * task as f64 } else { 0.0 };
            net += drawn;
            let _ = write!(circuits, ",{drawn}");
        }
        let time = jiff::Timestamp::from_second(BEGIN + minute * 60).unwrap();
        let _ = write!(text, "\n{time},{net},{solar}{circuits}");
    }
    text
}
