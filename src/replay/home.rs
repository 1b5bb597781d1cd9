//! The recorded home without its tasks: what is left of the record, what each task has to do and when it can.
//!
//! Refuses to switch anything.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, ZonedDateTime};

use crate::core::by_importance;
use crate::replay::appliance::{ApplianceKind, Period};
use crate::replay::history::{History, ReplayTime};
use crate::replay::plan::{Model, Need, PlannedTask};
use crate::units::Watts;

/// A task, what of the record is its own, and its diary of duties.
#[derive(Debug)]
pub(crate) struct RecordedTask {
    pub(crate) plan: PlannedTask,
    pub(crate) kind: ApplianceKind,
    /// Its columns.
    circuits: Vec<usize>,
    /// In ascending order; each lasts until the next begins.
    pub(crate) periods: Vec<Period>,
    /// When it is there, in ascending order; none: always.
    pub(crate) windows: Option<Vec<(ReplayTime, ReplayTime)>>,
}

/// A time of which not enough is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Gap {
    /// Begin.
    pub from: ReplayTime,
    /// End.
    pub to: ReplayTime,
    /// The column that is empty; none if there are no rows at all.
    pub missing: Option<String>,
}

/// See the module.
#[derive(Debug)]
pub struct RecordedHome {
    pub(crate) history: Arc<History>,
    /// The most important first.
    pub(crate) recorded_tasks: Vec<RecordedTask>,
    /// By row: grid power without the tasks; `NAN` where not enough is known.
    base: Vec<f64>,
    /// Columns that no task owns.
    pub(crate) others: Vec<usize>,
    pub(crate) gaps: Vec<Gap>,
    pub(crate) time_zone: TimeZone,
}

/// Why tasks and record don't fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// There is nothing to do.
    #[error(
        "no task is to be replayed: describe one as [[replay.task]] in the configuration, with its id and power; the file has the circuits {0}"
    )]
    NoTask(String),
    /// A circuit is needed that isn't there.
    #[error(
        "replay.task `{task}`: there is no column `{key}`, and its need is what that drew: write need = \"8 kWh\" (or \"2h\"), or set keys to some of {found}"
    )]
    NoCircuit {
        /// Whose it is.
        task: String,
        /// Its key.
        key: String,
        /// The circuits that are there.
        found: String,
    },
    /// A circuit can't be taken out twice.
    #[error(
        "replay.task `{0}` and `{1}` have the key `{2}` both: a circuit is taken out of the record for one task only"
    )]
    Shared(String, String, String),
    /// Two of one name.
    #[error("replay.task `{0}` is there twice")]
    Twice(String),
}

impl RecordedHome {
    /// Takes the tasks out of the record.
    ///
    /// # Errors
    /// When they don't fit to it.
    pub fn new(history: Arc<History>, mut tasks: Vec<PlannedTask>, time_zone: TimeZone) -> Result<Self, Misfit> {
        let found = || history.circuits().collect::<Vec<_>>().join(", ");
        if tasks.is_empty() {
            return Err(Misfit::NoTask(found()));
        }
        tasks.sort_by(|a, b| by_importance((&a.id, &a.registration), (&b.id, &b.registration)));
        let mut owners: Vec<Option<&str>> = vec![None; history.circuits.len()];
        let mut circuits = Vec::new();
        for (index, task) in tasks.iter().enumerate() {
            if tasks[..index].iter().any(|other| other.id == task.id) {
                return Err(Misfit::Twice(task.id.to_string()));
            }
            let mut own = Vec::new();
            for key in &task.registration.keys {
                let Some(column) = history.circuits().position(|name| name == key) else {
                    if task.model.need == Need::Recorded {
                        let (task, key) = (task.id.to_string(), key.clone());
                        return Err(Misfit::NoCircuit { task, key, found: found() });
                    }
                    continue;
                };
                if let Some(owner) = owners[column].replace(task.id.as_str()) {
                    return Err(Misfit::Shared(owner.to_owned(), task.id.to_string(), key.clone()));
                }
                own.push(column);
            }
            circuits.push(own);
        }
        let others = (0..owners.len()).filter(|column| owners[*column].is_none()).collect();
        let recorded_tasks = tasks.into_iter().zip(circuits);
        let mut recorded_tasks: Vec<RecordedTask> =
            recorded_tasks.map(|(plan, circuits)| RecordedTask::new(plan, circuits, &history, &time_zone)).collect();
        let base: Vec<f64> = (0..history.rows()).map(|row| base(&history, &recorded_tasks, row)).collect();
        recorded_tasks.iter_mut().for_each(|recorded_task| recorded_task.find_needs(&history, &base));
        let gaps = gaps(&history, &recorded_tasks);
        Ok(Self { history, recorded_tasks, base, others, gaps, time_zone })
    }

    /// Grid power without the tasks, and production, where everything is known.
    #[must_use]
    pub fn row(&self, row: usize) -> Option<(Watts, Watts)> {
        let base = self.base.get(row).filter(|base| !base.is_nan())?;
        Some((Watts(*base), self.history.solar(row)?))
    }

    /// What a task drew when it was recorded.
    pub(crate) fn recorded(&self, task: usize, row: usize) -> Watts {
        self.recorded_tasks[task].recorded(&self.history, row).unwrap_or_default()
    }

    /// The tasks, the most important first.
    pub fn tasks(&self) -> impl ExactSizeIterator<Item = &PlannedTask> {
        self.recorded_tasks.iter().map(|recorded_task| &recorded_task.plan)
    }

    /// What a task has to do: the begin of each period, and watt-hours until the next.
    pub fn needs(&self, task: usize) -> impl Iterator<Item = (ReplayTime, f64)> {
        self.recorded_tasks[task].periods.iter().map(|period| (period.begin, period.need))
    }

    /// The times of which not enough is known.
    #[must_use]
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// The record.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Begin and end of the record.
    #[must_use]
    pub fn span(&self) -> (ReplayTime, ReplayTime) {
        (self.history.begin(0), self.history.end(self.history.rows() - 1))
    }
}

impl RecordedTask {
    fn new(plan: PlannedTask, circuits: Vec<usize>, history: &History, time_zone: &TimeZone) -> Self {
        let power = plan.registration.power;
        let most = plan.registration.max_power.filter(|_| plan.registration.auto_adjust).unwrap_or(power);
        let (begin, end) = (history.begin(0).timestamp(), history.end(history.rows() - 1).timestamp());
        let periods = periods(&plan.model, begin, end, time_zone);
        let available = !plan.model.available.is_empty();
        let windows = available.then(|| windows(&plan.model, begin, end, time_zone));
        Self { plan, kind: ApplianceKind { power, most }, circuits, periods, windows }
    }

    /// What its circuits drew beyond standby; nothing if one of them wasn't recorded.
    fn recorded(&self, history: &History, row: usize) -> Option<Watts> {
        let standby = self.plan.model.standby;
        self.circuits
            .iter()
            .map(|circuit| {
                history.circuit(*circuit, row).map(|drawn| if drawn > standby { drawn } else { Watts::ZERO })
            })
            .sum()
    }

    /// What each period asks for. Rows of which not enough is known count for nothing, here as everywhere.
    fn find_needs(&mut self, history: &History, base: &[f64]) {
        let mut known = vec![(Duration::ZERO, 0.0); self.periods.len()];
        let mut at = 0;
        for row in (0..history.rows()).filter(|row| !base[*row].is_nan()) {
            let (begin, end) = (history.begin(row), history.end(row));
            while self.periods.get(at + 1).is_some_and(|next| next.begin <= begin) {
                at += 1;
            }
            if let (Some((time, energy)), Some(drawn)) = (known.get_mut(at), self.recorded(history, row)) {
                *time += begin.until(end);
                *energy += drawn.0 * begin.until(end).as_secs_f64() / 3600.0;
            }
        }
        let given = match self.plan.model.need {
            Need::Recorded => None,
            Need::Energy(energy) => Some(energy),
            Need::Time(time) => Some(self.kind.power.0 * time.as_secs_f64() / 3600.0),
        };
        let day = Duration::from_secs(86_400);
        for (index, (time, energy)) in known.into_iter().enumerate() {
            let begin = self.periods[index].begin;
            let next = self.periods.get(index + 1).map_or(begin + day, |next| next.begin);
            // Nobody can do a day's work in what the record has of its first morning, or of a day with a gap.
            let enough = time * 2 >= begin.until(next);
            self.periods[index].need = given.map_or(energy, |given| if enough { given } else { 0.0 });
        }
    }
}

/// The periods that a record has a part of, and the one that begins as it ends, in ascending order.
fn periods(model: &Model, begin: Timestamp, end: Timestamp, time_zone: &TimeZone) -> Vec<Period> {
    let mut periods: Vec<Period> = days(begin, end, time_zone)
        .filter_map(|day| day.date().to_datetime(model.by).to_zoned_datetime(time_zone.clone()).ok())
        .map(|begin| ReplayTime::from(begin.timestamp()))
        .filter(|begin| *begin <= end.into())
        .map(|begin| Period { begin, need: 0.0 })
        .collect();
    // The first one has begun before the record.
    let first = periods.partition_point(|period| period.begin <= begin.into());
    periods.drain(..first.saturating_sub(1));
    periods
}

/// Every local day from the one before the begin.
fn days(begin: Timestamp, end: Timestamp, time_zone: &TimeZone) -> impl Iterator<Item = ZonedDateTime> {
    let first = begin.to_zoned_datetime(time_zone.clone());
    let first = first.checked_sub(1.day()).unwrap_or(first);
    let mut next = Some(first);
    std::iter::from_fn(move || {
        let day = next.take().filter(|day| day.timestamp() < end.saturating_add(24.hours()).unwrap_or(end))?;
        next = day.tomorrow().ok();
        Some(day)
    })
}

fn windows(model: &Model, begin: Timestamp, end: Timestamp, time_zone: &TimeZone) -> Vec<(ReplayTime, ReplayTime)> {
    let mut windows: Vec<(ReplayTime, ReplayTime)> = Vec::new();
    for day in days(begin, end, time_zone) {
        for window in model.available.iter().filter(|window| window.days.contains(&day.weekday())) {
            let date = if window.to > window.from { Some(day.date()) } else { day.date().tomorrow().ok() };
            let moment =
                |date: jiff::civil::Date, time| date.to_datetime(time).to_zoned_datetime(time_zone.clone()).ok();
            let (from, to) = (moment(day.date(), window.from), date.and_then(|date| moment(date, window.to)));
            windows.extend(from.zip(to).map(|(from, to)| (from.timestamp().into(), to.timestamp().into())));
        }
    }
    windows.sort_unstable();
    // Windows that meet are one: the appliance is not gone for a moment.
    windows.dedup_by(|next, before| {
        let meets = next.0 <= before.1;
        if meets {
            before.1 = before.1.max(next.1);
        }
        meets
    });
    windows
}

fn base(history: &History, recorded_tasks: &[RecordedTask], row: usize) -> f64 {
    let tasks: Option<Watts> = recorded_tasks.iter().map(|recorded_task| recorded_task.recorded(history, row)).sum();
    match (history.net(row), history.solar(row), tasks) {
        (Some(net), Some(_), Some(tasks)) => (net - tasks).0,
        _ => f64::NAN,
    }
}

fn gaps(history: &History, recorded_tasks: &[RecordedTask]) -> Vec<Gap> {
    let missing = |row: usize| {
        let circuits = recorded_tasks.iter().flat_map(|recorded_task| &recorded_task.circuits);
        let mut names = circuits.filter(|circuit| history.circuit(**circuit, row).is_none());
        match (history.net(row), history.solar(row)) {
            (None, _) => Some("net".to_owned()),
            (_, None) => Some("solar".to_owned()),
            _ => names.next().map(|circuit| history.circuits[*circuit].0.clone()),
        }
    };
    let mut gaps: Vec<Gap> = Vec::new();
    let mut add = |from: ReplayTime, to: ReplayTime, missing: Option<String>| match gaps.last_mut() {
        Some(last) if last.to == from && last.missing == missing => last.to = to,
        _ => gaps.push(Gap { from, to, missing }),
    };
    for row in 0..history.rows() {
        if let Some(name) = missing(row) {
            add(history.begin(row), history.end(row), Some(name));
        }
        if let Some(next) = history.times.get(row + 1).filter(|next| **next > history.end(row)) {
            add(history.end(row), *next, None);
        }
    }
    gaps
}

/// How long something lasts, for whoever counts.
impl Gap {
    /// Its length.
    #[must_use]
    pub fn length(&self) -> Duration {
        self.from.until(self.to)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::core::Criteria;
    use crate::replay::{Format, read};

    /// The needs by day of a boiler that drew 1 kW in every hour, of which these were recorded.
    fn check(need: &str, hours: impl Iterator<Item = i64>, net: impl Fn(i64) -> &'static str, expect: &[f64]) {
        let mut text = String::from("time,net,solar,boiler\n");
        hours.for_each(|hour| text.push_str(&format!("{},{},0,1000\n", hour * 3600, net(hour))));
        let history = Arc::new(read(text.as_bytes(), &Format::default()).unwrap());
        let table = json!({"id": "boiler", "power": 2000, "need": need});
        let task = PlannedTask::read(table.as_object().unwrap(), &[], &Criteria::default()).unwrap();
        let home = RecordedHome::new(history, vec![task], TimeZone::UTC).unwrap();
        assert_eq!(home.needs(0).map(|(_, need)| need).collect::<Vec<_>>(), expect, "{need}");
    }

    #[test]
    fn a_day_that_is_mostly_a_gap_asks_for_nothing_that_was_given() {
        let with_a_gap = || (13..96).filter(|hour| !(30..60).contains(hour));
        check("4 kWh", with_a_gap(), |_| "1500", &[0.0, 0.0, 4000.0, 4000.0, 0.0]);
        check("4 kWh", 12..96, |_| "1500", &[4000.0, 4000.0, 4000.0, 4000.0, 0.0]);
    }

    #[test]
    fn what_is_not_counted_is_no_need() {
        let silent = |hour| if hour % 24 < 6 { "" } else { "1500" };
        check("recorded", 0..48, silent, &[18_000.0, 18_000.0, 0.0]);
    }
}
