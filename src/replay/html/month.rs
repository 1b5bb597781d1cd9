//! What was used in each month, and what of it came from the grid, in the record and with Sunward.
//!
//! Refuses money: the table has it.

use serde::Serialize;

use super::view::{Day, View};
use crate::replay::Scenario;

const HEIGHT: f64 = 160.0;

/// A month with a bar for each scenario.
#[derive(Debug, Serialize)]
pub(super) struct Month {
    name: String,
    bars: Vec<Bar>,
}

/// Heights in units of the picture.
#[derive(Debug, Serialize)]
struct Bar {
    scenario: String,
    chosen: bool,
    sun: f64,
    grid: f64,
    title: String,
}

pub(super) fn months(view: &View<'_>) -> Vec<Month> {
    let mut names: Vec<&str> = view.days.iter().map(|day| day.month.as_str()).collect();
    names.dedup();
    let shown: Vec<&Scenario> =
        view.scenarios.iter().enumerate().filter(|(index, _)| *index != 1).map(|(_, scenario)| scenario).collect();
    let sums: Vec<Vec<(f64, f64)>> = names
        .iter()
        .map(|name| {
            shown.iter().map(|scenario| sums(scenario, view.days.iter().filter(|day| day.month == **name))).collect()
        })
        .collect();
    let most = sums.iter().flatten().map(|(sun, grid)| sun + grid).fold(1.0, f64::max);
    let rounded = |kwh: f64| (kwh * HEIGHT / most * 10.0).round() / 10.0;
    let month = |(name, sums): (&&str, &Vec<(f64, f64)>)| {
        let bars = shown.iter().zip(sums).map(|(scenario, (sun, grid))| Bar {
            scenario: scenario.name.clone(),
            chosen: std::ptr::eq(*scenario, view.chosen()),
            sun: rounded(*sun),
            grid: rounded(*grid),
            title: format!("{name}, {}: {sun:.0} kWh by sun, {grid:.0} kWh from the grid", scenario.name),
        });
        Month { name: (*name).to_owned(), bars: bars.collect() }
    };
    names.iter().zip(&sums).map(month).collect()
}

/// Used from the sun and from the grid, in kilowatt-hours.
fn sums<'d>(scenario: &Scenario, days: impl Iterator<Item = &'d Day>) -> (f64, f64) {
    let means = days.flat_map(Day::slots).filter_map(|slot| scenario.diary.at(slot));
    means.fold((0.0, 0.0), |(sun, grid), means| {
        let import = means.net().max(0.0);
        let used = (means.solar + means.net()).max(import);
        (sun + (used - import) / 4000.0, grid + import / 4000.0)
    })
}
