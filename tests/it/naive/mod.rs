//! An oracle for the scheduling rules: naive, slow and obvious. Every question is answered by copying whole records and
//! suppressing or minimising in the copies, in the order in which docs/rules.md tells it (*Sliding window*, *Importance*, *The cycle*).
//!
//! It is not fast, shares no line with the scheduler, and knows guards and criteria as plain facts about a task only.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

mod electable;
mod rules;
mod task;
#[cfg(test)]
mod tests;

pub(crate) use task::{Mode, NaiveTask};

/// Where a record comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum NaiveSource {
    #[default]
    Meter,
    Fallback,
}

/// One record, as stored in the window.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct NaiveRecord {
    pub(crate) source: NaiveSource,
    /// Values by key, `net` among them.
    pub(crate) values: BTreeMap<String, f64>,
    /// The ids of the tasks that ran when it was made.
    pub(crate) ran: BTreeSet<String>,
}

/// The numbers the rules depend on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NaiveSettings {
    pub(crate) window_size: usize,
    pub(crate) confirm_records: usize,
    pub(crate) headroom: f64,
    pub(crate) ignore_power_threshold: f64,
    pub(crate) reserve: f64,
}

/// What one cycle decided: ids, each with the rule that decided.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Decisions {
    pub(crate) stopped: Vec<(String, &'static str)>,
    pub(crate) started: Vec<(String, &'static str)>,
}

/// All that is kept between cycles.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Naive {
    pub(crate) settings: NaiveSettings,
    /// Newest last.
    pub(crate) window: Vec<NaiveRecord>,
    /// What an adjustable task was learned to be able to use, by id.
    pub(crate) learned: BTreeMap<String, f64>,
}

/// The window.
impl Naive {
    pub(crate) fn new(settings: NaiveSettings) -> Self {
        Self { settings, window: Vec::new(), learned: BTreeMap::new() }
    }

    /// Puts the raw values of a new record of the meter into the window; `tasks` are what they are when it is made.
    pub(crate) fn update(&mut self, raw: BTreeMap<String, f64>, tasks: &[NaiveTask]) {
        self.update_from(NaiveSource::Meter, raw, tasks);
    }

    /// `clear()`: the first record after `no_data` does it.
    pub(crate) fn clear(&mut self) {
        self.window.clear();
    }

    /// Puts the raw values of a new record into the window; `tasks` are what they are when it is made.
    pub(crate) fn update_from(&mut self, source: NaiveSource, raw: BTreeMap<String, f64>, tasks: &[NaiveTask]) {
        let mut values = raw;

        // A task without keys owns `@<id>`: while it runs, the usage its state reports, else its power; else 0.
        for task in tasks {
            let own_key = format!("@{}", task.id);
            if task.keys.contains(&own_key) {
                let reported = values.get(&own_key).copied();
                values.insert(own_key, if task.running { reported.unwrap_or(task.power) } else { 0.0 });
            }
        }

        // On a key that a task owns, a value below the threshold, or below half the power of its smallest owner if that
        // is less, counts as 0; so does a negative one. Other keys stay as they are.
        for (key, value) in &mut values {
            let owners: Vec<&NaiveTask> = tasks.iter().filter(|task| task.keys.contains(key)).collect();
            if !owners.is_empty() {
                let smallest = owners.iter().map(|owner| owner.power).fold(f64::INFINITY, f64::min);
                let limit = f64::min(self.settings.ignore_power_threshold, smallest / 2.0);
                if *value < limit || *value < 0.0 {
                    *value = 0.0;
                }
            }
        }

        // A record remembers which tasks ran when it was made.
        let ran = tasks.iter().filter(|task| task.running).map(|task| task.id.clone()).collect();

        // The window keeps the newest `window_size` records.
        self.window.push(NaiveRecord { source, values, ran });
        while self.window.len() > self.settings.window_size {
            self.window.remove(0);
        }
    }

    /// Its usage in the latest record.
    pub(crate) fn power_used_by(&self, task: &NaiveTask) -> f64 {
        self.window.last().map_or(0.0, |latest| usage(task, latest))
    }

    /// The share of `task`'s power that is there for it.
    pub(crate) fn available_for(&self, task: &NaiveTask, minimum: &[&NaiveTask], ignore: &[&NaiveTask]) -> f64 {
        // In a copy of the latest record …
        let Some(latest) = self.window.last() else { return 0.0 };
        let mut copy = latest.clone();
        // … suppress every task of `ignore` that ran when the record was made …
        for other in ignore {
            if latest.ran.contains(&other.id) {
                suppress(other, &mut copy);
            }
        }
        // … then minimise every task of `minimum`, in ascending importance.
        for other in ascending(minimum.to_vec()) {
            minimise(other, &mut copy);
        }
        // The answer is max(0, -net / power).
        f64::max(0.0, -net(&copy) / task.power)
    }

    /// The share of `task`'s usage, since it last used nothing, that local production paid for.
    pub(crate) fn covered_by_production(
        &self,
        task: &NaiveTask,
        minimise_those: &[&NaiveTask],
        ignore: &[&NaiveTask],
    ) -> f64 {
        // 1 if the task uses nothing in the latest record.
        if self.power_used_by(task) == 0.0 {
            return 1.0;
        }
        let mut covered = 0.0;
        let mut used = 0.0;
        for record in self.window.iter().rev() {
            // From the newest back to, and not including, the first in which its usage is 0.
            if usage(task, record) == 0.0 {
                break;
            }
            let mut copy = record.clone();
            // In a copy of each, suppress the tasks of `ignore` that ran when it was made …
            for other in ignore {
                if record.ran.contains(&other.id) {
                    suppress(other, &mut copy);
                }
            }
            // … and minimise those of `minimise` that use power there.
            let using: Vec<&NaiveTask> =
                minimise_those.iter().copied().filter(|other| usage(other, &copy) > 0.0).collect();
            for other in ascending(using) {
                minimise(other, &mut copy);
            }
            // The sum of min(u, max(0, u - net)) …
            let u = usage(task, &copy);
            covered += f64::min(u, f64::max(0.0, u - net(&copy)));
            used += u;
        }
        // … over the sum of u.
        if used == 0.0 { 1.0 } else { covered / used }
    }

    /// The newest `confirm_records` records; fewer while the window holds fewer.
    fn newest(&self) -> Vec<&NaiveRecord> {
        self.window.iter().rev().take(self.settings.confirm_records).collect()
    }

    /// Those of them that were made since the last change between meter and fallback.
    fn of_the_source_in_use(&self) -> Vec<&NaiveRecord> {
        let mut records = Vec::new();
        for record in self.newest() {
            if record.source != self.newest()[0].source {
                break;
            }
            records.push(record);
        }
        records
    }
}

/// What a task consumes according to a record: the sum of its keys; absent ones count as 0.
pub(crate) fn usage(task: &NaiveTask, record: &NaiveRecord) -> f64 {
    task.keys.iter().map(|key| record.values.get(key).copied().unwrap_or(0.0)).sum()
}

/// A is more important than B if its priority is higher; else if it adjusts itself and B does not; else if its power is
/// larger; else if its id sorts first.
pub(crate) fn more_important(a: &NaiveTask, b: &NaiveTask) -> bool {
    if a.priority != b.priority {
        a.priority > b.priority
    } else if a.adjustable != b.adjustable {
        a.adjustable
    } else if a.power != b.power {
        a.power > b.power
    } else {
        a.id < b.id
    }
}

/// Its usage is replaced by 0, and `net` moves by the difference.
fn suppress(task: &NaiveTask, copy: &mut NaiveRecord) {
    let before = usage(task, copy);
    for key in &task.keys {
        copy.values.insert(key.clone(), 0.0);
    }
    *copy.values.entry("net".to_owned()).or_default() += 0.0 - before;
}

/// Its usage is replaced by its power, split equally over its keys, and `net` moves by the difference.
fn minimise(task: &NaiveTask, copy: &mut NaiveRecord) {
    let before = usage(task, copy);
    for key in &task.keys {
        copy.values.insert(key.clone(), task.power / task.keys.len() as f64);
    }
    *copy.values.entry("net".to_owned()).or_default() += task.power - before;
}

fn net(record: &NaiveRecord) -> f64 {
    record.values.get("net").copied().unwrap_or(0.0)
}

/// Least important first.
fn ascending(mut tasks: Vec<&NaiveTask>) -> Vec<&NaiveTask> {
    tasks.sort_by(|a, b| {
        if more_important(b, a) {
            Ordering::Less
        } else if more_important(a, b) {
            Ordering::Greater
        } else {
            Ordering::Equal
        }
    });
    tasks
}

/// Most important first.
fn descending(tasks: Vec<&NaiveTask>) -> Vec<&NaiveTask> {
    let mut sorted = ascending(tasks);
    sorted.reverse();
    sorted
}

fn contains(tasks: &[&NaiveTask], one: &NaiveTask) -> bool {
    tasks.iter().any(|task| task.id == one.id)
}

fn without<'a>(tasks: &[&'a NaiveTask], less: &[&NaiveTask]) -> Vec<&'a NaiveTask> {
    tasks.iter().copied().filter(|task| !contains(less, task)).collect()
}
