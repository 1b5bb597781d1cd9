//! The whole time at a glance: a column for each day, a row for each hour.
//!
//! A picture has seven colours at most: each is one path, so that the file of a year stays small.

use std::fmt::Write as _;

use serde::Serialize;

use super::view::{LocalDay, View};
use crate::replay::diary::Means;
use crate::replay::scenario::Scenario;

/// Height of an hour, in units of the picture.
const HOUR_HEIGHT: usize = 6;

/// Width of the name of a month, with the space after it.
const LABEL: usize = 60;

/// Days of the shortest month.
const SHORTEST_MONTH: usize = 28;

/// Steps of colour to one side of nothing.
const STEPS: usize = 5;

/// One picture.
#[derive(Debug, Serialize)]
pub(super) struct Map {
    title: String,
    what: &'static str,
    width: usize,
    height: usize,
    cells: Vec<Cells>,
    months: Vec<MonthLabel>,
    columns: Vec<DayColumn>,
    key: Vec<Key>,
}

/// All cells of one colour.
#[derive(Debug, Serialize)]
struct Cells {
    class: String,
    path: String,
}

#[derive(Debug, Serialize)]
struct MonthLabel {
    x: usize,
    text: String,
}

/// A day, to be hovered and clicked.
#[derive(Debug, Serialize)]
struct DayColumn {
    x: usize,
    width: usize,
    id: String,
    title: String,
}

#[derive(Debug, Serialize)]
struct Key {
    class: String,
    text: String,
}

/// Where the surplus is left, and when the tasks ran in each scenario.
pub(super) fn maps(view: &View<'_>) -> Vec<Map> {
    let exchange = |means: Means<'_>| means.net();
    let tasks = |means: Means<'_>| means.net() - means.base;
    let mut maps = vec![map(view, view.chosen(), "What the grid sees", "exchange", exchange)];
    maps.extend(view.scenarios.iter().map(|scenario| map(view, scenario, "When the tasks ran", "tasks", tasks)));
    maps
}

fn map(view: &View<'_>, scenario: &Scenario, title: &str, what: &'static str, value: impl Fn(Means<'_>) -> f64) -> Map {
    let width = (1000 / view.days.len().max(1)).clamp(1, 40);
    let hours: Vec<Vec<Option<f64>>> = view.days.iter().map(|day| by_hour(view, scenario, day, &value)).collect();
    let known = || hours.iter().flatten().flatten().copied();
    let (most, least) = (largest(known()), largest(known().map(|value| -value)));
    let mut cells = Vec::new();
    for (sign, prefix, scale) in [(1.0, "up", most), (-1.0, "down", least)] {
        for step in 1..=STEPS {
            let class = format!("{what}-{prefix}{step}");
            let path = path(&hours, width, |value| step_of(value * sign, scale) == step);
            cells.push(Cells { class, path });
        }
    }
    cells.retain(|cells| !cells.path.is_empty());
    let unknown = cells_where(&hours, width, |value| value.is_none());
    if !unknown.is_empty() {
        cells.push(Cells { class: "unknown".into(), path: unknown });
    }
    let key = key(what, most, least, cells.iter().map(|cells| cells.class.as_str()));
    Map {
        title: format!("{title}: {}", scenario.name),
        what,
        width: width * view.days.len(),
        height: 24 * HOUR_HEIGHT,
        months: months(view, width),
        columns: columns(view, scenario, width),
        cells,
        key,
    }
}

/// The means of a day's hours by the clock: of one that comes twice, of both; one that never comes is not known.
fn by_hour(view: &View<'_>, scenario: &Scenario, day: &LocalDay, value: impl Fn(Means<'_>) -> f64) -> Vec<Option<f64>> {
    let mut hours = [(0.0, 0.0); 24];
    for slot in day.slots() {
        if let (Some(means), Some((sum, time))) = (scenario.diary.at(slot), hours.get_mut(view.hour(slot))) {
            *sum += value(means) * means.hours;
            *time += means.hours;
        }
    }
    hours.iter().map(|(sum, time)| (*time > 0.0).then(|| sum / time)).collect()
}

/// What all but one in a hundred stay below: one hot hour must not bleach the year.
fn largest(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.filter(|value| *value > 0.0).collect();
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() * 99 / 100).copied().unwrap_or(0.0).max(500.0)
}

/// 0 for as good as nothing, else 1 to [`STEPS`].
fn step_of(value: f64, scale: f64) -> usize {
    let part = value / scale;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 5")]
    if part < 0.02 { 0 } else { (part * STEPS as f64).ceil().clamp(1.0, STEPS as f64) as usize }
}

fn path(hours: &[Vec<Option<f64>>], width: usize, chosen: impl Fn(f64) -> bool) -> String {
    cells_where(hours, width, |value| value.is_some_and(&chosen))
}

/// Hours of a column that follow each other are one rectangle.
fn cells_where(hours: &[Vec<Option<f64>>], width: usize, chosen: impl Fn(Option<f64>) -> bool) -> String {
    let mut path = String::new();
    for (day, hours) in hours.iter().enumerate() {
        let mut hour = 0;
        while hour < hours.len() {
            let run = hours[hour..].iter().take_while(|value| chosen(**value)).count();
            if run > 0 {
                let (x, y, height) = (day * width, hour * HOUR_HEIGHT, run * HOUR_HEIGHT);
                let _ = write!(path, "M{x} {y}h{width}v{height}h-{width}z");
            }
            hour += run.max(1);
        }
    }
    path
}

fn months(view: &View<'_>, width: usize) -> Vec<MonthLabel> {
    let days = view.days.iter().enumerate();
    let first = days.filter(|(index, day)| *index == 0 || day.month != view.days[index - 1].month);
    let months: Vec<MonthLabel> =
        first.map(|(index, day)| MonthLabel { x: index * width, text: day.month.clone() }).collect();
    // Names must neither run into each other nor over the edge. The first month may be a day.
    let every = LABEL.div_ceil(SHORTEST_MONTH * width);
    let fits = |month: &MonthLabel| month.x == 0 || month.x + LABEL <= width * view.days.len();
    let mut named: Vec<MonthLabel> = months.into_iter().step_by(every).filter(fits).collect();
    if named.get(1).is_some_and(|second| second.x < LABEL) {
        named.remove(0);
    }
    named
}

fn columns(view: &View<'_>, scenario: &Scenario, width: usize) -> Vec<DayColumn> {
    let column = |(index, day): (usize, &LocalDay)| {
        let (mut import, mut export, mut tasks, mut solar) = (0.0, 0.0, 0.0, 0.0);
        for means in day.slots().filter_map(|slot| scenario.diary.at(slot)) {
            let kwh = |watts: f64| watts * means.hours / 1000.0;
            import += kwh(means.import);
            export += kwh(means.export());
            tasks += kwh(means.net() - means.base);
            solar += kwh(means.solar);
        }
        let title = format!(
            "{}\nsolar {solar:.1} kWh, tasks {tasks:.1} kWh\nfrom the grid {import:.1} kWh, to the grid {export:.1} kWh",
            day.name
        );
        DayColumn { x: index * width, width, id: day.id.clone(), title }
    };
    view.days.iter().enumerate().map(column).collect()
}

fn key<'c>(what: &str, most: f64, least: f64, classes: impl Iterator<Item = &'c str>) -> Vec<Key> {
    let mut key = Vec::new();
    let classes: Vec<&str> = classes.collect();
    for (prefix, scale, word) in
        [("down", least, "to the grid"), ("up", most, if what == "tasks" { "" } else { "from the grid" })]
    {
        for step in 1..=STEPS {
            let class = format!("{what}-{prefix}{step}");
            if !classes.contains(&class.as_str()) {
                continue;
            }
            #[expect(clippy::cast_precision_loss, reason = "1 to 5")]
            let upto = scale * step as f64 / STEPS as f64 / 1000.0;
            let text = if step == STEPS { format!("{upto:.1} kW and more {word}") } else { String::new() };
            key.push(Key { class, text: text.trim().to_owned() });
        }
    }
    key
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

    /// Hours from a begin on, each of which imported its number.
    fn lived(begin: &str, hours: i64) -> Vec<Scenario> {
        let begin = begin.parse::<jiff::Timestamp>().unwrap().as_second();
        let rows: String = (0..hours).map(|hour| format!("{},{hour},0\n", begin + hour * 3600)).collect();
        let history = Arc::new(read(format!("time,net,solar\n{rows}").as_bytes(), &Format::default()).unwrap());
        let table = json!({"id": "boiler", "power": 2000, "need": "0h"});
        let task = PlannedTask::read(table.as_object().unwrap(), &[], &Criteria::default()).unwrap();
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let home = Arc::new(RecordedHome::new(history, vec![task], berlin).unwrap());
        let (settings, cycle) = (Settings::default(), Duration::from_secs(3600));
        replay(&[Contender { name: "Sunward".into(), settings, cycle, home }])
    }

    /// Hours by the clock in Berlin whose mean is known, and what each imported.
    fn check(begin: &str, hours: i64, expect: &[(usize, f64)]) {
        let scenarios = lived(begin, hours);
        let view = View::new(&scenarios);
        let found = by_hour(&view, &scenarios[0], &view.days[0], |means| means.net());
        let found = found.into_iter().map(|mean| mean.map(|mean| (mean * 10.0).round() / 10.0));
        let found: Vec<(usize, f64)> = found.enumerate().filter_map(|(hour, mean)| Some((hour, mean?))).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn hours_are_those_of_the_clock_when_it_is_set() {
        // From midnight: two comes not at all, or twice.
        check("2026-03-28T23:00:00Z", 4, &[(0, 0.0), (1, 1.0), (3, 2.0), (4, 3.0)]);
        check("2026-10-24T22:00:00Z", 5, &[(0, 0.0), (1, 1.0), (2, 2.5), (3, 4.0)]);
    }

    #[test]
    fn names_of_months_do_not_touch() {
        for days in [1, 20, 40, 61, 200, 452, 700] {
            for begin in ["2015-10-09T22:00:00Z", "2015-10-30T23:00:00Z"] {
                let scenarios = lived(begin, days * 24);
                let view = View::new(&scenarios);
                let map = &maps(&view)[0];
                let names: Vec<_> = map.months.iter().map(|month| (month.x, month.text.as_str())).collect();
                assert!(
                    !names.is_empty() && names.windows(2).all(|two| two[1].0 - two[0].0 >= LABEL),
                    "{days}: {names:?}"
                );
                assert!(days < 60 || names.iter().all(|(x, _)| x + LABEL <= map.width), "{days}: {names:?}");
            }
        }
    }
}
