//! A diagnosis as people read it, in 80 columns.

use std::fmt;
use std::time::Duration;

use humantime::format_duration;

use crate::core::{Instant, TaskId};
use crate::diagnosis::conclusion::Diagnosis;
use crate::diagnosis::observation::{Observation, ObservedTask, Series};
use crate::text::Escaped;
use crate::units::{Quantity, Watts};

/// What a terminal shows at least.
const COLUMNS: usize = 80;

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.observation.keys.is_empty() {
            writeln!(f, "No power value came.")?;
        } else {
            let rows = self.observation.keys.iter().map(|(key, series)| power(key, series, self.end));
            table(f, ["power, in watts", "heard", "every", "now", "age", "from"], rows.collect())?;
        }
        if !self.observation.tasks.is_empty() {
            writeln!(f)?;
            let rows = self.observation.tasks.iter().map(|(id, it)| task(id, it, &self.observation, self.end));
            table(f, ["task", "is", "told", "needs", "uses", "from"], rows.collect())?;
        }
        if self.problems.is_empty() {
            writeln!(f, "\nNothing that will hurt has shown.")?;
        } else {
            writeln!(f, "\nThis will hurt:")?;
            list(f, &self.problems)?;
        }
        if !self.notes.is_empty() {
            writeln!(f, "\nThis could not be told:")?;
            list(f, &self.notes)?;
        }
        Ok(())
    }
}

fn power(key: &str, series: &Series, end: Instant) -> [String; 6] {
    let (observation, now, age) = match (series.last(), series.retained) {
        (Some((_, value)), _) => (series.count.to_string(), number(value), seconds(end.since(series.measured()))),
        (None, Some(value)) => ("retained".into(), number(value), "unknown".into()),
        (None, None) => ("nothing".into(), none(), none()),
    };
    let every = series.interval().map_or_else(none, seconds);
    [Escaped(key).to_string(), observation, every, now, age, Escaped(&series.from).to_string()]
}

fn task(id: &TaskId, task: &ObservedTask, observation: &Observation, end: Instant) -> [String; 6] {
    let is = match (task.available, task.running) {
        (Some(false), _) => "offline",
        (None, _) if task.registration.as_ref().is_some_and(|it| it.awaits_availability) => "offline",
        (_, Some(true)) => "on",
        (_, Some(false)) => "off",
        _ => "unknown",
    };
    let told = match (task.last_told, task.running) {
        (Some(at), _) => format!("{} ago", seconds(end.since(at))),
        (None, Some(_)) => "retained".into(),
        (None, None) => "nothing".into(),
    };
    let uses = task.keys().iter().map(|key| Some(observation.live(key)?.last()?.1.watts())).sum::<Option<Watts>>();
    let uses = uses.filter(|_| !task.keys().is_empty()).map_or_else(none, watts);
    [id.to_string(), is.into(), told, task.power().map_or_else(none, watts), uses, Escaped(&task.from).to_string()]
}

/// Columns as wide as they need to be; what comes last has a line of its own where it doesn't fit.
fn table(f: &mut fmt::Formatter<'_>, head: [&str; 6], rows: Vec<[String; 6]>) -> fmt::Result {
    let rows: Vec<_> = std::iter::once(head.map(str::to_owned)).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: [usize; 5] = std::array::from_fn(width);
    for row in &rows {
        let [key, cells @ .., from] = row;
        let mut line = format!("{key:0$}", widths[0]);
        for (cell, width) in cells.iter().zip(&widths[1..]) {
            line.push_str(&format!("  {cell:>width$}"));
        }
        if line.chars().count() + 2 + from.chars().count() <= COLUMNS {
            writeln!(f, "{line}  {from}")?;
        } else {
            writeln!(f, "{line}\n    {from}")?;
        }
    }
    Ok(())
}

/// Sentences one below the other, broken between words.
fn list(f: &mut fmt::Formatter<'_>, sentences: &[String]) -> fmt::Result {
    for sentence in sentences {
        let mut line = String::from("-");
        for word in sentence.split_whitespace() {
            if line.chars().count() + 1 + word.chars().count() > COLUMNS && line.trim().chars().count() > 1 {
                writeln!(f, "{line}")?;
                line = String::from(" ");
            }
            line.push(' ');
            line.push_str(&Escaped(word).to_string());
        }
        writeln!(f, "{line}")?;
    }
    Ok(())
}

fn watts(power: Watts) -> String {
    number(power.into())
}

/// At most one digit behind the point: kilowatts in the wrong place must show.
fn number(Quantity(value): Quantity) -> String {
    let value = (value * 10.0).round() / 10.0 + 0.0;
    value.to_string()
}

/// Whole seconds; what is faster than that is as good as one.
fn seconds(time: Duration) -> String {
    format_duration(Duration::from_secs(time.as_secs_f64().round() as u64)).to_string().replace(' ', "")
}

fn none() -> String {
    "-".into()
}
