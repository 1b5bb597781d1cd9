//! An oracle for the scheduling rules: naive, slow and obvious. Every question is answered by copying whole records and
//! suppressing or minimising in the copies, in the order in which the specification tells it (sections 4, 6 and 7).
//!
//! Refuses to be fast, to share a line with the scheduler, and to know guards and criteria as more than plain facts
//! about a task.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

mod rules;
#[cfg(test)]
mod tests;

/// Who decides about a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Auto,
    On,
    Off,
}

/// A task as the rules see it in one cycle.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NaiveTask {
    pub(crate) id: String,
    pub(crate) priority: u8,
    pub(crate) power: f64,
    pub(crate) max_power: Option<f64>,
    /// Its circuits; `@<id>` alone when it has none.
    pub(crate) keys: Vec<String>,
    pub(crate) adjustable: bool,
    /// Starts when its ratio is at least this.
    pub(crate) start: f64,
    /// Runs on while its ratio is at least this.
    pub(crate) keep: f64,
    /// What it last reported.
    pub(crate) running: bool,
    pub(crate) runnable: bool,
    pub(crate) stoppable: bool,
    pub(crate) reachable: bool,
    /// Left its last starts unanswered.
    pub(crate) blocked: bool,
    pub(crate) mode: Mode,
    /// Stoppable but for its `min_on`.
    pub(crate) held_by_min_on: bool,
    /// The answer to its criteria, instead of the ratio.
    pub(crate) meets_criteria: Option<bool>,
    /// It has to run for its daily deadline: its criteria count as met.
    pub(crate) deadline: bool,
}

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

impl NaiveTask {
    /// A task that doesn't run, whose only key is its id.
    pub(crate) fn idle(id: &str, priority: u8, power: f64) -> Self {
        Self {
            id: id.to_owned(),
            priority,
            power,
            max_power: None,
            keys: vec![id.to_owned()],
            adjustable: false,
            start: 1.0,
            keep: 0.75,
            running: false,
            runnable: true,
            stoppable: true,
            reachable: true,
            blocked: false,
            mode: Mode::Auto,
            held_by_min_on: false,
            meets_criteria: None,
            deadline: false,
        }
    }

    /// The rules speak of the reachable tasks in mode auto.
    fn takes_part(&self) -> bool {
        self.reachable && self.mode == Mode::Auto
    }

    fn runs(&self) -> bool {
        self.takes_part() && self.running
    }

    /// Running and stoppable.
    fn may_be_stopped(&self) -> bool {
        self.runs() && self.stoppable && !self.held_by_min_on
    }

    /// Stopped and runnable, and it answered its last starts.
    fn may_be_started(&self) -> bool {
        self.takes_part() && !self.running && self.runnable && !self.blocked
    }

    /// Running, and not about to be stopped by its mode.
    fn keeps_its_keys(&self) -> bool {
        self.running && !self.obeys_off()
    }

    /// The rules may not move it, and it runs on.
    fn runs_beside_the_rules(&self) -> bool {
        self.keeps_its_keys() && !self.takes_part()
    }

    /// It is stopped by its mode.
    fn obeys_off(&self) -> bool {
        self.reachable && self.mode == Mode::Off && self.running && self.stoppable && !self.held_by_min_on
    }

    /// It is started by its mode.
    fn obeys_on(&self) -> bool {
        self.reachable && self.mode == Mode::On && !self.running && self.runnable
    }

    /// It runs in mode on, or is started by it. One that left its last starts unanswered is not reckoned with.
    fn is_on(&self) -> bool {
        self.mode == Mode::On && (self.running || (self.obeys_on() && !self.blocked))
    }

    fn criteria_met(&self, by_ratio: bool) -> bool {
        self.deadline || self.meets_criteria.unwrap_or(by_ratio)
    }

    fn shares_a_key_with(&self, other: &Self) -> bool {
        self.keys.iter().any(|key| other.keys.contains(key))
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
