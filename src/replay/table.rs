//! The report as a table for a terminal.
//!
//! It has no colours, and a hundred columns at most.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

use crate::replay::doubts::doubts;
use crate::replay::home::{Gap, RecordedHome};
use crate::replay::scenario::Scenario;
use crate::replay::totals::{Prices, TaskTotals};
use crate::units::{Share, plural};

/// Gaps that are listed; the others are counted.
const MOST_GAPS: usize = 5;

/// Writes what each scenario came to, side by side.
///
/// # Errors
/// Only those of the writer.
pub fn table(scenarios: &[Scenario], prices: &Prices, mut out: impl Write) -> io::Result<()> {
    let Some(first) = scenarios.first() else { return Ok(()) };
    writeln!(out, "{}", about(first.home()))?;
    for gap in first.home().gaps().iter().take(MOST_GAPS) {
        writeln!(out, "  {}", described(gap, first.home()))?;
    }
    if let Some(more) = first.home().gaps().len().checked_sub(MOST_GAPS).filter(|more| *more > 0) {
        writeln!(out, "  and {more} more")?;
    }
    for doubt in doubts(scenarios) {
        writeln!(out, "  {doubt}")?;
    }
    writeln!(out)?;
    for row in energy_rows(scenarios, prices) {
        write!(out, "{:<18}", row.name)?;
        for value in row.values {
            write!(out, "  {value:>14}")?;
        }
        writeln!(out)?;
    }
    writeln!(out)?;
    let columns = ["energy", "by sun", "on time", "starts", "needed", "missed", "left"];
    write!(out, "{:<18}  {:<14}", "task", "")?;
    for column in columns {
        write!(out, "  {column:>9}")?;
    }
    writeln!(out)?;
    for task in task_rows(scenarios) {
        for (index, (scenario, values)) in task.rows.into_iter().enumerate() {
            write!(out, "{:<18}  {scenario:<14}", if index == 0 { task.name.as_str() } else { "" })?;
            for value in values {
                write!(out, "  {value:>9}")?;
            }
            writeln!(out)?;
        }
    }
    writeln!(out, "{COLUMNS}")
}

/// What the last columns of tasks mean.
const COLUMNS: &str =
    "needed: days on which there was something to do; missed: of them, not done in time; left: never done";

/// One quantity in every scenario.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) values: Vec<String>,
}

/// One task in every scenario that has it.
#[derive(Debug, Serialize)]
pub(crate) struct TaskRows {
    pub(crate) name: String,
    pub(crate) rows: Vec<(String, [String; 7])>,
}

/// What was replayed, in one sentence.
pub(crate) fn about(home: &RecordedHome) -> String {
    let (begin, end) = home.span();
    let day = |moment: crate::replay::history::ReplayTime| {
        moment.timestamp().to_zoned_datetime(home.time_zone.clone()).date().to_string()
    };
    let mut text = format!("{} to {}, a row every {}", day(begin), day(end), spoken(home.history().interval()));
    let gaps = home.gaps();
    if !gaps.is_empty() {
        let total: Duration = gaps.iter().map(Gap::length).sum();
        let _ = write!(text, "; {}, {} that are not counted", plural(gaps.len(), "gap"), spoken(total));
    }
    if home.history().resets() > 0 {
        let _ = write!(text, "; counters went back {}", plural(home.history().resets(), "time"));
    }
    text
}

pub(crate) fn described(gap: &Gap, home: &RecordedHome) -> String {
    let time = |moment: crate::replay::history::ReplayTime| {
        moment.timestamp().to_zoned_datetime(home.time_zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
    };
    let what = gap.missing.as_ref().map_or_else(|| "no rows".to_owned(), |name| format!("no `{name}`"));
    format!("gap from {} to {}: {what}", time(gap.from), time(gap.to))
}

pub(crate) fn energy_rows(scenarios: &[Scenario], prices: &Prices) -> Vec<Row> {
    type Quantity<'a> = (&'static str, Box<dyn Fn(&Scenario) -> Option<String> + 'a>);
    let quantities: [Quantity<'_>; 9] = [
        ("", Box::new(|scenario| Some(scenario.name.clone()))),
        ("solar", Box::new(|scenario| Some(kwh(scenario.totals().energy.solar)))),
        ("used", Box::new(|scenario| Some(kwh(scenario.totals().energy.used)))),
        ("from the grid", Box::new(|scenario| Some(kwh(scenario.totals().energy.import)))),
        ("to the grid", Box::new(|scenario| Some(kwh(scenario.totals().energy.export)))),
        ("self-consumption", Box::new(|scenario| Some(percent(scenario.totals().energy.self_consumption())))),
        ("self-sufficiency", Box::new(|scenario| Some(percent(scenario.totals().energy.self_sufficiency())))),
        ("cost", Box::new(|scenario| prices.cost(&scenario.totals().energy).map(|cost| format!("{cost:.2}")))),
        ("CO2", Box::new(|scenario| prices.co2(&scenario.totals().energy).map(|co2| format!("{co2:.0} kg")))),
    ];
    let row = |(name, value): Quantity<'_>| {
        let values: Option<Vec<String>> = scenarios.iter().map(value).collect();
        values.map(|values| Row { name, values })
    };
    quantities.into_iter().filter_map(row).collect()
}

pub(crate) fn task_rows(scenarios: &[Scenario]) -> Vec<TaskRows> {
    let Some(first) = scenarios.first() else { return Vec::new() };
    let mut tasks: Vec<TaskRows> = Vec::new();
    for task in first.home().tasks() {
        let rows = scenarios.iter().filter_map(|scenario| {
            let totals = scenario.task_totals(task.id.as_str())?;
            Some((scenario.name.clone(), values(totals)))
        });
        tasks.push(TaskRows { name: task.registration.name.clone(), rows: rows.collect() });
    }
    if tasks.len() > 1 {
        let rows = scenarios.iter().map(|scenario| (scenario.name.clone(), values(&scenario.totals().together())));
        tasks.push(TaskRows { name: "together".into(), rows: rows.collect() });
    }
    tasks
}

fn values(task: &TaskTotals) -> [String; 7] {
    [
        kwh(task.energy),
        percent(task.share_covered()),
        hours(task.on),
        task.starts.to_string(),
        task.needed.to_string(),
        task.missed.to_string(),
        kwh(task.left),
    ]
}

fn kwh(watt_hours: f64) -> String {
    format!("{:.*} kWh", usize::from(watt_hours.abs() < 99_500.0), watt_hours / 1000.0)
}

fn percent(share: Option<Share>) -> String {
    share.map_or_else(|| "-".into(), |Share(share)| format!("{:.1} %", share * 100.0))
}

fn hours(time: Duration) -> String {
    format!("{:.0} h", time.as_secs_f64() / 3600.0)
}

/// To the second, in the two largest units.
pub(crate) fn spoken(time: Duration) -> String {
    let text = humantime::format_duration(Duration::from_secs(time.as_secs())).to_string();
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}
