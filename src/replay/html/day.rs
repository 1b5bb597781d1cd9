//! One day: powers stacked, and under them a bar for each run of a task, with its reasons.
//!
//! Every day has the same scales, so that days can be compared.

use std::fmt::Write as _;

use serde::Serialize;

use super::view::{LocalDay, View};
use crate::replay::diary::{Run, SLOT};
use crate::replay::history::ReplayTime;
use crate::replay::scenario::Scenario;

/// Units of the picture per slot, and its height.
const SLOT_WIDTH: i64 = 10;
const HEIGHT: f64 = 220.0;

/// A day as the template shows it.
#[derive(Debug, Serialize)]
pub(super) struct DayPicture {
    id: String,
    name: String,
    width: i64,
    /// Solar, then the layers from the largest sum down to the base, each with the class of its colour.
    solar: String,
    layers: Vec<Layer>,
    hours: Vec<Tick>,
    powers: Vec<Tick>,
    lanes: Vec<Lane>,
    before: Option<String>,
    after: Option<String>,
}

#[derive(Debug, Serialize)]
struct Layer {
    class: String,
    path: String,
}

#[derive(Debug, Serialize)]
struct Tick {
    at: f64,
    text: String,
}

/// The runs of one task in one scenario.
#[derive(Debug, Serialize)]
struct Lane {
    task: String,
    scenario: String,
    class: String,
    /// It is Sunward's.
    chosen: bool,
    bars: Vec<RunBar>,
}

#[derive(Debug, Serialize)]
struct RunBar {
    x: f64,
    width: f64,
    title: String,
}

pub(super) fn days(view: &View<'_>) -> Vec<DayPicture> {
    let id = |day: Option<&LocalDay>| day.map(|day| day.id.clone());
    let runs: Vec<Runs<'_>> = view.scenarios.iter().map(by_task).collect();
    let mut pictures = Vec::with_capacity(view.days.len());
    for (index, day) in view.days.iter().enumerate() {
        let before = id(index.checked_sub(1).and_then(|before| view.days.get(before)));
        pictures.push(picture(view, day, &runs, (before, id(view.days.get(index + 1)))));
    }
    pictures
}

fn picture(
    view: &View<'_>,
    day: &LocalDay,
    runs: &[Runs<'_>],
    (before, after): (Option<String>, Option<String>),
) -> DayPicture {
    let chosen = view.chosen();
    let tasks = chosen.home().tasks().len();
    let scale = HEIGHT / view.most;
    // By layer: the tops, in whole units. The base first, then one task after the other.
    let mut tops: Vec<Vec<i64>> = vec![Vec::new(); tasks + 1];
    let mut solar = Vec::new();
    for slot in day.slots() {
        let means = chosen.diary.at(slot);
        let height = |watts: f64| unit((watts * scale).clamp(0.0, HEIGHT));
        let mut sum = means.map_or(0.0, |means| (means.solar + means.base).max(0.0));
        tops[0].push(height(sum));
        for (task, tops) in tops[1..].iter_mut().enumerate() {
            sum += means.map_or(0.0, |means| means.drawn(task));
            tops.push(height(sum));
        }
        solar.push(means.map_or(0, |means| height(means.solar)));
    }
    let class = |layer: usize| match layer.checked_sub(1) {
        None => "base".to_owned(),
        Some(task) => format!("t{}", view.colour(chosen, task)),
    };
    // A layer that never rises above the one below can't be seen.
    let seen = (0..tops.len()).rev().filter(|layer| *layer == 0 || tops[*layer] != tops[*layer - 1]);
    let layers = seen.map(|layer| Layer { class: class(layer), path: steps(&tops[layer]) }).collect();
    #[expect(clippy::cast_possible_wrap, reason = "at most a hundred slots")]
    let width = solar.len() as i64 * SLOT_WIDTH;
    DayPicture {
        id: day.id.clone(),
        name: day.name.clone(),
        width,
        solar: steps(&solar),
        layers,
        hours: hours(view, day),
        powers: powers(view),
        lanes: lanes(view, day, runs),
        before,
        after,
    }
}

/// The outline of a row of columns, down to the ground.
fn steps(tops: &[i64]) -> String {
    let ground = unit(HEIGHT);
    let mut path = format!("M0 {ground}");
    let (mut height, mut width) = (0, 0);
    let walk = |path: &mut String, width: &mut i64| {
        if *width > 0 {
            let _ = write!(path, "h{width}");
        }
        *width = 0;
    };
    for top in tops {
        if *top != height {
            walk(&mut path, &mut width);
            let _ = write!(path, "v{}", height - top);
            height = *top;
        }
        width += SLOT_WIDTH;
    }
    walk(&mut path, &mut width);
    let _ = write!(path, "V{ground}z");
    path
}

/// Whole units of a picture.
#[expect(clippy::cast_possible_truncation, reason = "a picture has a thousand units")]
fn unit(value: f64) -> i64 {
    value.round() as i64
}

fn hours(view: &View<'_>, day: &LocalDay) -> Vec<Tick> {
    let every = day.slots().enumerate().filter(|(slot, _)| slot % 12 == 0);
    every.map(|(_, slot)| Tick { at: x(day, slot), text: view.clock(slot) }).collect()
}

fn powers(view: &View<'_>) -> Vec<Tick> {
    let step =
        [500.0, 1000.0, 2000.0, 5000.0, 10_000.0, 50_000.0, 1e6].into_iter().find(|step| view.most / step <= 6.0);
    let step = step.unwrap_or(1e7);
    let lines = (0..=6).map(|line| f64::from(line) * step).take_while(|watts| *watts <= view.most);
    lines
        .map(|watts| Tick { at: HEIGHT - watts * HEIGHT / view.most, text: format!("{} kW", watts / 1000.0) })
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "a day in milliseconds")]
fn x(day: &LocalDay, moment: ReplayTime) -> f64 {
    let units = (moment.0.clamp(day.begin.0, day.end.0) - day.begin.0) as f64 * SLOT_WIDTH as f64 / SLOT as f64;
    (units * 10.0).round() / 10.0
}

/// The runs of one scenario by task, each task's in ascending order: it runs once at a time.
type Runs<'r> = Vec<Vec<&'r Run>>;

fn by_task(scenario: &Scenario) -> Runs<'_> {
    let mut runs = vec![Vec::new(); scenario.home().tasks().len()];
    scenario.diary.runs.iter().for_each(|run| runs[run.task].push(run));
    runs
}

/// By task, then by scenario; only tasks that ran that day at all.
fn lanes(view: &View<'_>, day: &LocalDay, runs: &[Runs<'_>]) -> Vec<Lane> {
    let mut lanes = Vec::new();
    for (index, (id, name)) in view.tasks.iter().enumerate() {
        let of_task = view.scenarios.iter().zip(runs).filter_map(|(scenario, runs)| {
            let task = scenario.home().tasks().position(|task| task.id.as_str() == id)?;
            let chosen = std::ptr::eq(scenario, view.chosen());
            let bars = of_day(&runs[task], day).map(|run| bar(view, day, scenario, name, run));
            let (task, scenario) = (name.clone(), scenario.name.clone());
            Some(Lane {
                task,
                scenario,
                class: format!("t{}", index % super::view::COLOURS),
                chosen,
                bars: bars.collect(),
            })
        });
        let of_task: Vec<Lane> = of_task.collect();
        if of_task.iter().any(|lane| !lane.bars.is_empty()) {
            lanes.extend(of_task);
        }
    }
    lanes
}

/// Those of a task that reach into a day.
fn of_day<'r>(runs: &'r [&'r Run], day: &'r LocalDay) -> impl Iterator<Item = &'r Run> {
    let first = runs.partition_point(|run| run.to <= day.begin);
    runs[first..].iter().copied().take_while(|run| run.from < day.end)
}

fn bar(view: &View<'_>, day: &LocalDay, scenario: &Scenario, name: &str, run: &Run) -> RunBar {
    let (from, to) = (x(day, run.from), x(day, run.to));
    let by_sun = if run.energy > 0.0 { 100.0 * run.covered / run.energy } else { 0.0 };
    let mut title = format!(
        "{name}, {}: {} to {}, {:.2} kWh, {by_sun:.0} % by sun",
        scenario.name,
        view.clock(run.from),
        view.clock(run.to),
        run.energy / 1000.0
    );
    if run.started != run.stopped {
        let _ = write!(title, "\nstarted: {}\nended: {}", run.started, run.stopped);
    }
    RunBar { x: from, width: ((to - from) * 10.0).round() / 10.0, title }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_seen_on_every_day_that_it_reaches_into() {
        const DAY: i64 = 86_400_000;
        let run = |from: i64, to: i64| Run {
            task: 0,
            from: ReplayTime(from),
            to: ReplayTime(to),
            energy: 0.0,
            covered: 0.0,
            started: String::new(),
            stopped: String::new(),
            seen: true,
        };
        let runs = [run(DAY / 2, 20 * DAY), run(20 * DAY, 20 * DAY + 5)];
        let runs: Vec<&Run> = runs.iter().collect();
        let seen = |day: i64| {
            let (begin, end) = (ReplayTime(day * DAY), ReplayTime((day + 1) * DAY));
            let day = LocalDay { id: String::new(), name: String::new(), month: String::new(), begin, end };
            of_day(&runs, &day).map(|run| run.from.0).collect::<Vec<_>>()
        };
        assert_eq!([seen(0), seen(15), seen(20), seen(21)], [vec![DAY / 2], vec![DAY / 2], vec![20 * DAY], vec![]]);
    }
}
