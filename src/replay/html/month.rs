//! What was used in each month, and what of it came from the grid, in the record and with Sunward.
//!
//! Costs are in the table only.

use serde::Serialize;

use super::view::{LocalDay, View};
use crate::replay::scenario::Scenario;

const HEIGHT: f64 = 160.0;

/// A month with a bar for each scenario.
#[derive(Debug, Serialize)]
pub(super) struct Month {
    name: String,
    bars: Vec<MonthBar>,
}

/// Heights in units of the picture.
#[derive(Debug, Serialize)]
struct MonthBar {
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
        let bars = shown.iter().zip(sums).map(|(scenario, (sun, grid))| MonthBar {
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
fn sums<'d>(scenario: &Scenario, days: impl Iterator<Item = &'d LocalDay>) -> (f64, f64) {
    let means = days.flat_map(LocalDay::slots).filter_map(|slot| scenario.diary.at(slot));
    means.fold((0.0, 0.0), |(sun, grid), means| {
        let kwh = |watts: f64| watts.max(0.0) * means.hours / 1000.0;
        (sun + kwh(means.solar - means.export()), grid + kwh(means.import))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use jiff::tz::TimeZone;
    use serde_json::json;

    use super::*;
    use crate::core::{Criteria, Settings};
    use crate::replay::{Contender, Format, PlannedTask, RecordedHome, read, replay};

    #[test]
    fn the_months_are_the_table_by_month() {
        // Import and export take turns within a quarter of an hour, here and there a row is missing.
        let mut text = String::from("time,net,solar\n");
        for minute in (0..40 * 1440_i64).filter(|minute| minute % 97 > 5) {
            let net = if minute % 7 < 3 { 800 } else { -1500 };
            text.push_str(&format!("{},{net},2000\n", minute * 60));
        }
        let table = json!({"id": "boiler", "power": 1000, "need": "3h"});
        let task = PlannedTask::read(table.as_object().unwrap(), &[], &Criteria::default()).unwrap();
        let history = Arc::new(read(text.as_bytes(), &Format::default()).unwrap());
        let home = Arc::new(RecordedHome::new(history, vec![task], TimeZone::UTC).unwrap());
        let (settings, cycle) = (Settings::default(), Duration::from_secs(60));
        let scenarios = replay(&[Contender { name: "Sunward".into(), settings, cycle, home }]);
        for scenario in &scenarios {
            let (sun, grid) = sums(scenario, View::new(&scenarios).days.iter());
            let energy = scenario.totals().energy;
            let near = |kwh: f64, expect: f64| assert!((kwh - expect / 1000.0).abs() < 1e-6, "{kwh} {expect}");
            near(grid, energy.import);
            near(sun, energy.used - energy.import);
        }
        assert_eq!(months(&View::new(&scenarios)).len(), 2);
    }
}
