//! What every picture of a report starts from: the days, the scale, the colours.

use jiff::ToSpan as _;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::replay::diary::{Means, SLOT};
use crate::replay::history::ReplayTime;
use crate::replay::scenario::Scenario;

/// Days that are drawn at most, beginning with the first.
const MOST_DAYS: usize = 800;

/// How many colours there are for tasks.
pub(super) const COLOURS: usize = 8;

/// A local day.
#[derive(Debug, Clone)]
pub(super) struct LocalDay {
    /// `d2016-05-31`.
    pub(super) id: String,
    /// `Tuesday, 31 May 2016`.
    pub(super) name: String,
    /// `May 2016`.
    pub(super) month: String,
    pub(super) begin: ReplayTime,
    pub(super) end: ReplayTime,
}

impl LocalDay {
    /// The begins of its slots.
    pub(super) fn slots(&self) -> impl Iterator<Item = ReplayTime> + use<> {
        let (begin, end) = (self.begin.0, self.end.0);
        (0..).map(move |slot| ReplayTime(begin + slot * SLOT)).take_while(move |slot| slot.0 < end)
    }
}

/// What every picture of a report starts from.
pub(super) struct View<'a> {
    pub(super) scenarios: &'a [Scenario],
    pub(super) days: Vec<LocalDay>,
    pub(super) time_zone: TimeZone,
    /// The largest power of a quarter of an hour, in watts.
    pub(super) most: f64,
    /// Names of the tasks of the first scenario, in the order of their colours.
    pub(super) tasks: Vec<(String, String)>,
}

/// One scenario as two bars: where what its tasks and the whole home used came from, in percent of the largest.
#[derive(Debug, Serialize)]
pub(super) struct Bars {
    name: String,
    sun: f64,
    grid: f64,
    tasks_sun: f64,
    tasks_grid: f64,
    sufficiency: String,
    covered: String,
}

/// A colour and what it stands for.
#[derive(Debug, Serialize)]
pub(super) struct Legend {
    class: String,
    name: String,
}

impl<'a> View<'a> {
    pub(super) fn new(scenarios: &'a [Scenario]) -> Self {
        let home = scenarios[0].home();
        let time_zone = home.time_zone.clone();
        let tasks = home.tasks().map(|task| (task.id.to_string(), task.registration.name.clone())).collect();
        let mut view = Self { scenarios, days: days(home.span(), &time_zone), time_zone, most: 1000.0, tasks };
        let used = |means: Means<'_>| means.solar.max(means.solar + means.net());
        let powers = scenarios.iter().flat_map(|scenario| {
            view.days.iter().flat_map(LocalDay::slots).filter_map(|slot| scenario.diary.at(slot)).map(used)
        });
        view.most = powers.fold(view.most, f64::max);
        view
    }

    /// The last scenario that is Sunward, as configured: what the pictures are about.
    pub(super) fn chosen(&self) -> &'a Scenario {
        &self.scenarios[2.min(self.scenarios.len() - 1)]
    }

    /// Which colour a task of a scenario has.
    pub(super) fn colour(&self, scenario: &Scenario, task: usize) -> usize {
        let id = scenario.home().tasks().nth(task).map(|task| task.id.as_str());
        self.tasks.iter().position(|(known, _)| Some(known.as_str()) == id).unwrap_or(task) % COLOURS
    }

    pub(super) fn bars(&self) -> Vec<Bars> {
        let most = self.scenarios.iter().map(|scenario| scenario.totals().energy.used).fold(1.0, f64::max);
        let bars = |scenario: &Scenario| {
            let (energy, tasks) = (scenario.totals().energy, scenario.totals().together());
            let percent = |share: Option<crate::units::Share>| {
                share.map_or_else(|| "–".into(), |share| format!("{:.1} %", share.0 * 100.0))
            };
            Bars {
                name: scenario.name.clone(),
                sun: 100.0 * (energy.used - energy.import) / most,
                grid: 100.0 * energy.import / most,
                tasks_sun: 100.0 * tasks.covered / tasks.energy.max(1.0),
                tasks_grid: 100.0 * (tasks.energy - tasks.covered) / tasks.energy.max(1.0),
                sufficiency: percent(energy.self_sufficiency()),
                covered: percent(tasks.share_covered()),
            }
        };
        self.scenarios.iter().map(bars).collect()
    }

    pub(super) fn legend(&self) -> Vec<Legend> {
        let tasks = self.tasks.iter().enumerate();
        let tasks =
            tasks.map(|(index, (_, name))| Legend { class: format!("t{}", index % COLOURS), name: name.clone() });
        let sun = Legend { class: "sun".into(), name: "solar".into() };
        let base = Legend { class: "base".into(), name: "the rest of the home".into() };
        [sun, base].into_iter().chain(tasks).collect()
    }

    /// All of the time is drawn.
    pub(super) fn is_whole(&self) -> bool {
        let (_, end) = self.scenarios[0].home().span();
        self.days.last().is_some_and(|day| end <= day.end)
    }

    /// The day that shows most: on which the tasks got most more sun than when it was recorded.
    pub(super) fn shown(&self) -> Option<usize> {
        let (recorded, chosen) = (&self.scenarios[0], self.chosen());
        let gain = |day: &LocalDay| -> f64 {
            let by_sun = |scenario: &Scenario, slot| {
                let means = scenario.diary.at(slot)?;
                let tasks = means.net() - means.base;
                Some(tasks.min((-means.base).max(0.0)))
            };
            let gains = day.slots().filter_map(|slot| Some(by_sun(chosen, slot)? - by_sun(recorded, slot)?));
            gains.sum()
        };
        let gains = self.days.iter().map(gain).enumerate();
        gains.max_by(|a, b| a.1.total_cmp(&b.1)).map(|(day, _)| day)
    }

    /// Hour and minute at home.
    pub(super) fn clock(&self, moment: ReplayTime) -> String {
        self.local(moment).strftime("%H:%M").to_string()
    }

    /// The hour at home.
    pub(super) fn hour(&self, moment: ReplayTime) -> usize {
        usize::try_from(self.local(moment).hour()).unwrap_or_default()
    }

    fn local(&self, moment: ReplayTime) -> DateTime {
        self.time_zone.to_datetime(moment.timestamp())
    }
}

fn days((begin, end): (ReplayTime, ReplayTime), time_zone: &TimeZone) -> Vec<LocalDay> {
    let mut days = Vec::new();
    let first = begin.timestamp().to_zoned_datetime(time_zone.clone()).start_of_day();
    let mut next = first.ok();
    while let Some(day) = next.take().filter(|day| ReplayTime::from(day.timestamp()) < end && days.len() < MOST_DAYS) {
        let Some(after) = day.checked_add(1.day()).ok().and_then(|after| after.start_of_day().ok()) else { break };
        days.push(LocalDay {
            id: day.strftime("d%Y-%m-%d").to_string(),
            name: day.strftime("%A, %-d %B %Y").to_string(),
            month: day.strftime("%b %Y").to_string(),
            begin: day.timestamp().into(),
            end: after.timestamp().into(),
        });
        next = Some(after);
    }
    days
}
