//! The report as one HTML file: no scripts, nothing from elsewhere, light and dark.
//!
//! Its numbers are those of the table. Texts are escaped by the template, paths are numbers.

mod day;
mod heat;
mod month;
mod view;

use minijinja::value::Serde;
use minijinja::{Environment, escape_formatter};
use serde::Serialize;

use crate::replay::doubts::doubts;
use crate::replay::scenario::Scenario;
use crate::replay::table::{Row, TaskRows, about, described, energy_rows, task_rows};
use crate::replay::totals::Prices;
use crate::text::Escaped;

/// Gaps that are listed.
const MOST_GAPS: usize = 20;

/// Writes the report.
///
/// # Errors
/// Only those of the template, which a test renders.
pub fn html(scenarios: &[Scenario], prices: &Prices) -> Result<String, minijinja::Error> {
    let mut jinja = Environment::new();
    jinja.set_formatter(|out, state, value| match value.as_str() {
        Some(text) => escape_formatter(out, state, &Escaped(text).to_string().into()),
        None => escape_formatter(out, state, value),
    });
    jinja.add_template("report.html", include_str!("report.html"))?;
    let Some(first) = scenarios.first() else { return Ok(String::new()) };
    let view = view::View::new(scenarios);
    let gaps = first.home().gaps();
    let page = Page {
        about: about(first.home()),
        doubts: doubts(scenarios),
        gaps: gaps.iter().take(MOST_GAPS).map(|gap| described(gap, first.home())).collect(),
        more_gaps: gaps.len().saturating_sub(MOST_GAPS),
        version: env!("CARGO_PKG_VERSION"),
        scenarios: view.bars(),
        rows: energy_rows(scenarios, prices),
        tasks: task_rows(scenarios),
        legend: view.legend(),
        months: month::months(&view),
        maps: heat::maps(&view),
        default_day: view.shown().map(|day| view.days[day].id.clone()),
        whole: view.is_whole(),
        days: day::days(&view),
    };
    jinja.get_template("report.html")?.render(Serde(&page))
}

/// What the template is given.
#[derive(Debug, Serialize)]
struct Page {
    about: String,
    doubts: Vec<String>,
    gaps: Vec<String>,
    more_gaps: usize,
    version: &'static str,
    scenarios: Vec<view::Bars>,
    rows: Vec<Row>,
    tasks: Vec<TaskRows>,
    legend: Vec<view::Legend>,
    months: Vec<month::Month>,
    maps: Vec<heat::Map>,
    /// The id of the day that is shown before one is chosen.
    default_day: Option<String>,
    /// `days` are all of them.
    whole: bool,
    days: Vec<day::DayPicture>,
}
