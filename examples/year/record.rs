//! The recorded home: one row an hour, out of the CSV as it comes from `zcat`.
//!
//! Refuses to interpret it; what the circuits' owners make of it is theirs.

use std::io::BufRead;

use anyhow::Context as _;

/// The circuits that belong to tasks, by their column.
pub(crate) const CIRCUITS: [&str; 4] = ["ev", "heat_pump", "dishwasher", "washing_machine"];

/// Columns that are told to the scheduler as they are.
const OTHERS: [&str; 3] = ["solar", "refrigerator", "freezer"];

/// One hour as it was: mean watts, which for an hour are watt-hours.
pub(crate) struct Hour {
    /// When it began.
    pub(crate) time: String,
    /// Grid power as recorded, its circuits included.
    pub(crate) net: f64,
    /// What each of [`CIRCUITS`] drew.
    pub(crate) circuits: [f64; 4],
    /// What no task owns, by key.
    pub(crate) others: Vec<(&'static str, f64)>,
}

impl Hour {
    /// What the grid would have seen without the circuits of the tasks.
    pub(crate) fn base(&self) -> f64 {
        self.net - self.circuits.iter().sum::<f64>()
    }

    /// `2016-05-03`.
    pub(crate) fn day(&self) -> &str {
        self.time.get(..10).unwrap_or_default()
    }
}

/// The hours of one year.
pub(crate) fn read(input: impl BufRead, year: &str) -> anyhow::Result<Vec<Hour>> {
    let mut lines = input.lines();
    let header = lines.next().context("the input is empty")??;
    let columns: Vec<&str> = header.split(',').collect();
    let column = |name: &str| {
        columns.iter().position(|column| *column == name).with_context(|| format!("the input has no column {name}"))
    };
    let (time, net) = (column("time")?, column("net")?);
    let circuits = CIRCUITS.map(column);
    let mut hours = Vec::new();
    for line in lines {
        let line = line?;
        let cells: Vec<&str> = line.split(',').collect();
        let value = |at: usize| cells.get(at).and_then(|cell| cell.parse::<f64>().ok());
        let Some(begin) = cells.get(time).filter(|begin| begin.starts_with(year)) else { continue };
        let mut drawn = [0.0; 4];
        for (circuit, at) in drawn.iter_mut().zip(&circuits) {
            *circuit = at.as_ref().ok().and_then(|at| value(*at)).unwrap_or_default();
        }
        let others = OTHERS.iter().filter_map(|name| Some((*name, value(column(name).ok()?)?))).collect();
        let net = value(net).with_context(|| format!("{begin}: no net"))?;
        hours.push(Hour { time: (*begin).to_owned(), net, circuits: drawn, others });
    }
    anyhow::ensure!(!hours.is_empty(), "the input has no hour of {year}");
    Ok(hours)
}
