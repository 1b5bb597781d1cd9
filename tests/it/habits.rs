//! A household with five appliances, for a record that has none: when people let them run, from a seed.
//!
//! Nothing here was measured. Hours and energies are what such appliances are used for in homes, so that days differ.

use std::fmt::Write as _;
use std::ops::{Range, RangeInclusive};

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

/// What people do with one appliance: on such a share of days it runs once, from some time, for some energy.
struct Habit {
    name: &'static str,
    days: f64,
    weekend: f64,
    months: RangeInclusive<i8>,
    /// The earliest and the latest local hour of its begin.
    hours: (f64, f64),
    /// In watt-hours.
    energy: (f64, f64),
    watts: f64,
}

const HABITS: [Habit; 5] = [
    // A car comes home, is plugged in and charges at once.
    Habit {
        name: "ev",
        days: 0.6,
        weekend: 0.4,
        months: 1..=12,
        hours: (16.5, 19.0),
        energy: (4e3, 14e3),
        watts: 3700.0,
    },
    // The tank is heated at night.
    Habit {
        name: "boiler",
        days: 1.0,
        weekend: 1.0,
        months: 1..=12,
        hours: (22.0, 22.5),
        energy: (3e3, 6e3),
        watts: 2000.0,
    },
    // A timer in the season.
    Habit {
        name: "pool",
        days: 1.0,
        weekend: 1.0,
        months: 5..=9,
        hours: (9.0, 9.2),
        energy: (4e3, 4.1e3),
        watts: 800.0,
    },
    // After dinner.
    Habit {
        name: "dishwasher",
        days: 0.8,
        weekend: 0.9,
        months: 1..=12,
        hours: (19.5, 20.5),
        energy: (900.0, 1200.0),
        watts: 750.0,
    },
    // In the morning.
    Habit {
        name: "washer",
        days: 0.3,
        weekend: 0.6,
        months: 1..=12,
        hours: (8.5, 11.0),
        energy: (600.0, 1e3),
        watts: 600.0,
    },
];

/// The appliances as tasks: each has time until people need what it does.
pub(crate) fn tasks() -> [Value; 5] {
    // Twice a week somebody works at home.
    let there = json!([
        {"from": "16:00", "to": "08:00", "days": ["mon", "tue", "thu"]},
        {"from": "08:00", "to": "08:00", "days": ["wed", "fri", "sat", "sun"]}
    ]);
    [
        json!({"id": "ev", "power": 1400, "max_power": 3700, "auto_adjust": true, "by": "07:00", "available": there}),
        json!({"id": "boiler", "power": 2000, "by": "19:00", "priority": "medium", "min_on": "10m", "min_off": "5m"}),
        json!({"id": "pool", "power": 800, "by": "21:00", "min_on": "10m", "min_off": "5m"}),
        json!({"id": "dishwasher", "power": 750, "by": "18:00", "interruptible": false}),
        json!({"id": "washer", "power": 600, "by": "20:00", "interruptible": false}),
    ]
}

/// A run of an appliance.
struct Run {
    begin: Timestamp,
    end: Timestamp,
    watts: f64,
}

/// Adds the appliances to a record of `time,net,solar` with rows of so many seconds.
pub(crate) fn lived(record: &str, seconds: i64, time_zone: &TimeZone, seed: u64) -> String {
    let mut text = String::from("time,net,solar");
    for habit in &HABITS {
        write!(text, ",{}", habit.name).unwrap();
    }
    text.push('\n');
    let mut rows = record.lines().skip(1).peekable();
    let first: Timestamp = rows.peek().unwrap().split(',').next().unwrap().parse().unwrap();
    let first = first.to_zoned_datetime(time_zone.clone()).date().yesterday().unwrap();
    let last: Timestamp = record.lines().last().unwrap().split(',').next().unwrap().parse().unwrap();
    let last = last.to_zoned_datetime(time_zone.clone()).date();
    let runs: Vec<Vec<Run>> = HABITS.iter().map(|habit| runs(habit, first..last, time_zone, seed)).collect();
    let mut at = [0; HABITS.len()];
    for row in rows {
        let cells: Vec<&str> = row.split(',').collect();
        let [time, net, solar] = cells[..] else { panic!("{row}") };
        let Ok(net) = net.parse::<f64>() else {
            writeln!(text, "{row},,,,,").unwrap();
            continue;
        };
        let begin: Timestamp = time.parse().unwrap();
        let end = begin + seconds.seconds();
        let drawn: Vec<f64> = runs
            .iter()
            .zip(&mut at)
            .map(|(runs, at)| {
                *at += runs[*at..].iter().take_while(|run| run.end <= begin).count();
                runs[*at..]
                    .iter()
                    .take_while(|run| run.begin < end)
                    .map(|run| {
                        let overlap = run.end.min(end).duration_since(run.begin.max(begin)).as_secs_f64();
                        run.watts * overlap / end.duration_since(begin).as_secs_f64()
                    })
                    .sum()
            })
            .collect();
        write!(text, "{time},{},{solar}", net + drawn.iter().sum::<f64>()).unwrap();
        for drawn in drawn {
            write!(text, ",{drawn}").unwrap();
        }
        text.push('\n');
    }
    text
}

/// What an appliance does; on the last day of a record nothing, for what is due later nobody could be seen to do.
fn runs(habit: &Habit, days: Range<Date>, time_zone: &TimeZone, seed: u64) -> Vec<Run> {
    let mut runs = Vec::new();
    let dates = days.start.series(1.day()).take_while(|date| *date < days.end);
    for (date, day) in dates.zip(0..) {
        let [whether, when, how_much] = [0, 1, 2].map(|what| share(seed, habit.name, day * 3 + what));
        let weekend = matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
        if whether >= if weekend { habit.weekend } else { habit.days } || !habit.months.contains(&date.month()) {
            continue;
        }
        let between = |(from, to): (f64, f64), share: f64| from + (to - from) * share;
        let midnight = date.to_zoned_datetime(time_zone.clone()).unwrap().timestamp();
        let after = |hours: f64| midnight + jiff::SignedDuration::from_secs_f64(hours * 3600.0);
        let begin = between(habit.hours, when);
        let hours = between(habit.energy, how_much) / habit.watts;
        runs.push(Run { begin: after(begin), end: after(begin + hours), watts: habit.watts });
    }
    runs
}

/// From 0 up to 1, the same every time: SplitMix64 of what is asked.
fn share(seed: u64, name: &str, number: u64) -> f64 {
    let mix = |number: u64| {
        let z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    let named = name.bytes().fold(mix(seed), |mixed, byte| mix(mixed ^ u64::from(byte)));
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
    let share = (mix(named ^ mix(number)) >> 11) as f64 / (1_u64 << 53) as f64;
    share
}
