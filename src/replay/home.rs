//! The recorded home without its tasks: the rest of the record, what each task has to do, and when it can.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::core::by_importance;
use crate::replay::appliance::{ApplianceKind, Period};
use crate::replay::calendar::{periods, windows};
use crate::replay::history::{History, ReplayTime};
use crate::replay::misfit::Misfit;
use crate::replay::plan::{Need, PlannedTask};
use crate::units::Watts;

/// A task, its circuits of the record, and what it has to do.
#[derive(Debug)]
pub(crate) struct RecordedTask {
    pub(crate) plan: PlannedTask,
    pub(crate) kind: ApplianceKind,
    /// Its columns.
    circuits: Vec<usize>,
    /// In ascending order; each lasts until the next begins.
    pub(crate) periods: Vec<Period>,
    /// When it is there, in ascending order; `None`: always.
    pub(crate) windows: Option<Vec<(ReplayTime, ReplayTime)>>,
}

/// A time of which not enough is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Gap {
    /// Its begin.
    pub from: ReplayTime,
    /// Its end.
    pub to: ReplayTime,
    /// The column that is empty; `None`: there are no rows.
    pub missing: Option<String>,
}

/// A recorded home without its tasks.
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

impl RecordedHome {
    /// Takes the tasks out of the record.
    ///
    /// # Errors
    /// When the tasks don't fit the record.
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

    /// Returns grid power without the tasks, and production. `None`: not all values of this row are known.
    #[must_use]
    pub fn row(&self, row: usize) -> Option<(Watts, Watts)> {
        let base = self.base.get(row).filter(|base| !base.is_nan())?;
        Some((Watts(*base), self.history.solar(row)?))
    }

    /// Returns what a task drew when it was recorded.
    pub(crate) fn recorded(&self, task: usize, row: usize) -> Watts {
        self.recorded_tasks[task].recorded(&self.history, row).unwrap_or_default()
    }

    /// Returns the tasks, the most important first.
    pub fn tasks(&self) -> impl ExactSizeIterator<Item = &PlannedTask> {
        self.recorded_tasks.iter().map(|recorded_task| &recorded_task.plan)
    }

    /// Returns what a task has to do: the begin of each period, and the watt-hours until the next.
    pub fn needs(&self, task: usize) -> impl Iterator<Item = (ReplayTime, f64)> {
        self.recorded_tasks[task].periods.iter().map(|period| (period.begin, period.need))
    }

    /// Returns the times of which not enough is known.
    #[must_use]
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// Returns the record.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Returns begin and end of the record.
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
            // Of a day that the record has less than half of, not enough is known to ask for the work of a whole day.
            let enough = time * 2 >= begin.until(next);
            self.periods[index].need = given.map_or(energy, |given| if enough { given } else { 0.0 });
        }
    }
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

impl Gap {
    /// Returns its length.
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
