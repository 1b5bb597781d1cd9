//! An oracle for the scheduling rules: naive, slow and obvious. Every question is answered by copying whole records and
//! suppressing or minimising in the copies, in the order in which the specification tells it (sections 4, 6 and 7).
//!
//! Refuses to be fast, to share a line with the scheduler, and to know guards and criteria as more than plain facts
//! about a task.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

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

/// One record, as stored in the window.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct NaiveRecord {
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

    /// Puts the raw values of a new record into the window; `tasks` are what they are when it is made.
    pub(crate) fn update(&mut self, raw: BTreeMap<String, f64>, tasks: &[NaiveTask]) {
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
        self.window.push(NaiveRecord { values, ran });
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
    fn confirming(&self) -> Vec<&NaiveRecord> {
        self.window.iter().rev().take(self.settings.confirm_records.max(1)).collect()
    }
}

/// The cycle.
impl Naive {
    /// One unpaused cycle, after `update` with its record.
    pub(crate) fn cycle(&mut self, tasks: &[NaiveTask]) -> Decisions {
        // Without a record the cycle is skipped.
        if self.window.is_empty() {
            return Decisions::default();
        }
        self.learn(tasks);

        // Tasks in mode on or off obey the mode.
        let mut decisions = Decisions::default();
        for task in descending(tasks.iter().collect()) {
            if task.obeys_off() {
                decisions.stopped.push((task.id.clone(), "mode"));
            }
            if task.obeys_on() {
                decisions.started.push((task.id.clone(), "mode"));
            }
        }

        // At most one stopping rule acts, the first that finds something.
        let mut stopped_by_rule_3 = Vec::new();
        let losers = conflicting_keys(tasks);
        if !losers.is_empty() {
            for task in losers {
                decisions.stopped.push((task.id.clone(), "conflicting_keys"));
            }
        } else if let Some(task) = self.failing_criteria(tasks) {
            decisions.stopped.push((task.id.clone(), "failing_criteria"));
        } else if let Some(task) = self.diminishing_adjustable(tasks) {
            decisions.stopped.push((task.id.clone(), "diminishing_adjustable"));
            stopped_by_rule_3.push(task);
        } else if let Some((stopped, started)) = self.lower_priority(tasks) {
            for task in stopped {
                decisions.stopped.push((task.id.clone(), "lower_priority"));
            }
            decisions.started.push((started.id.clone(), "lower_priority"));
        }

        self.election(tasks, &stopped_by_rule_3, &mut decisions);
        decisions
    }

    /// Learned: what an adjustable task uses at most although something is left for it.
    fn learn(&mut self, tasks: &[NaiveTask]) {
        // Forgotten when it stops.
        let runs_on = |task: &&NaiveTask| task.keeps_its_keys() && task.adjustable;
        self.learned.retain(|id, _| tasks.iter().filter(runs_on).any(|task| &task.id == id));

        for task in tasks.iter().filter(runs_on) {
            let records = self.confirming();
            let ran_in_all = records.iter().all(|record| record.ran.contains(&task.id));
            if ran_in_all && self.something_is_left_for(task, tasks) {
                // Whenever something was left for it while it ran in all of those records: its largest usage in them.
                let largest = records.iter().map(|record| usage(task, record)).fold(0.0, f64::max);
                self.learned.insert(task.id.clone(), largest);
            } else if self.learned.get(&task.id).is_some_and(|learned| self.power_used_by(task) > *learned) {
                // Forgotten when it uses more.
                self.learned.remove(&task.id);
            }
        }
    }

    /// Rule 2: the least important running, stoppable task whose `keep` is not met.
    fn failing_criteria<'a>(&self, tasks: &'a [NaiveTask]) -> Option<&'a NaiveTask> {
        ascending(tasks.iter().filter(|task| task.may_be_stopped()).collect())
            .into_iter()
            .find(|task| !task.criteria_met(self.kept_ratio(task, tasks) >= task.keep))
    }

    /// The ratio of which rule 2 speaks.
    fn kept_ratio(&self, t: &NaiveTask, tasks: &[NaiveTask]) -> f64 {
        // minimise = the running adjustable tasks less important than t, and t itself if it is adjustable.
        let minimise_those: Vec<&NaiveTask> = tasks
            .iter()
            .filter(|other| {
                let less_important = other.runs() && other.adjustable && more_important(t, other);
                let t_itself = other.id == t.id && t.adjustable;
                less_important || t_itself
            })
            .collect();
        // ignore = the tasks that don't run any more, and the running, stoppable, not adjustable tasks less important
        // than t; one that only its `min_on` holds counts as stoppable here.
        let ignore: Vec<&NaiveTask> = tasks
            .iter()
            .filter(|other| {
                let runs_no_more = !other.keeps_its_keys();
                let stoppable = other.stoppable || other.held_by_min_on;
                let less_important = other.runs() && stoppable && !other.adjustable && more_important(t, other);
                runs_no_more || less_important
            })
            .collect();
        self.covered_by_production(t, &minimise_those, &ignore)
    }

    /// Rule 3: the least important task that is in the way of an adjustable one that could use more.
    fn diminishing_adjustable<'a>(&self, tasks: &'a [NaiveTask]) -> Option<&'a NaiveTask> {
        // The running adjustable tasks that could use more.
        let wanting: Vec<&NaiveTask> =
            tasks.iter().filter(|a| a.runs() && a.adjustable && self.could_use_more(a, tasks)).collect();
        // The running, stoppable tasks that are not adjustable and whose priority is lower than that of some of them.
        let lower: Vec<&NaiveTask> = tasks
            .iter()
            .filter(|task| task.may_be_stopped() && !task.adjustable)
            .filter(|task| wanting.iter().any(|a| task.priority < a.priority))
            .collect();
        // Only if stopping helps: the latest export plus the usage of all such lower tasks is at least half of
        // headroom.
        let used: f64 = lower.iter().map(|task| self.power_used_by(task)).sum();
        let helps = export(self.window.last()?) + used >= self.settings.headroom / 2.0;
        // The least important of them.
        ascending(lower).into_iter().next().filter(|_| helps)
    }

    fn could_use_more(&self, a: &NaiveTask, tasks: &[NaiveTask]) -> bool {
        // What it can: its `max_power`, and what it was learned to be able.
        let declared = a.max_power.unwrap_or(f64::INFINITY);
        let learned = self.learned.get(&a.id).copied().unwrap_or(f64::INFINITY);
        let can = f64::min(declared, learned);
        // It uses at least half its power and less than 95 % of what it can, and nothing is left for it.
        let used = self.power_used_by(a);
        used >= a.power / 2.0 && used < 0.95 * can && !self.something_is_left_for(a, tasks)
    }

    fn something_is_left_for(&self, a: &NaiveTask, tasks: &[NaiveTask]) -> bool {
        // In each of the newest `confirm_records` records …
        self.confirming().iter().all(|record| {
            // … export plus what running adjustable tasks less important than a use above their power …
            let above: f64 = tasks
                .iter()
                .filter(|other| other.runs() && other.adjustable && more_important(a, other))
                .map(|other| f64::max(0.0, usage(other, record) - other.power))
                .sum();
            // … comes to at least half of headroom plus the reserve.
            export(record) + above >= self.settings.headroom / 2.0 + self.settings.reserve
        })
    }

    /// Rule 4: a stopped task takes the place of less important ones; who is stopped, and who starts.
    fn lower_priority<'a>(&self, tasks: &'a [NaiveTask]) -> Option<(Vec<&'a NaiveTask>, &'a NaiveTask)> {
        // For each stopped task T in descending importance.
        descending(tasks.iter().filter(|t| t.may_be_started()).collect())
            .into_iter()
            .find_map(|t| self.place_for(t, tasks).map(|stopped| (stopped, t)))
    }

    /// The tasks to stop so that T can start in their place.
    fn place_for<'a>(&self, t: &NaiveTask, tasks: &'a [NaiveTask]) -> Option<Vec<&'a NaiveTask>> {
        let running: Vec<&NaiveTask> = tasks.iter().filter(|task| task.runs()).collect();
        let electable_without = |stopped: &[&NaiveTask]| self.electable(t, &without(&running, stopped), &[], tasks).0;

        // K = running tasks that share a key with T.
        let k: Vec<&NaiveTask> =
            ascending(tasks.iter().filter(|task| task.keeps_its_keys() && task.shares_a_key_with(t)).collect());
        // C = running, stoppable tasks of lower priority than T, and those of K that are less important than T and
        // stoppable. Least important first.
        let c: Vec<&NaiveTask> = ascending(
            tasks
                .iter()
                .filter(|task| task.may_be_stopped())
                .filter(|task| task.priority < t.priority || (contains(&k, task) && more_important(t, task)))
                .collect(),
        );
        // Skip T if K is not within C.
        if k.iter().any(|task| !contains(&c, task)) {
            return None;
        }
        // If T is electable beside the running tasks, nothing prevents it: next T.
        if electable_without(&[]) {
            return None;
        }
        // Else let S = K, and unless T is electable beside the running tasks without S, add tasks of C, least important
        // first, until it is.
        let mut s = k.clone();
        for task in without(&c, &k) {
            if electable_without(&s) {
                break;
            }
            s.push(task);
        }
        // If not found: next T.
        if !electable_without(&s) {
            return None;
        }
        // Then spare each member outside K, most important first, if T stays electable without stopping it. S never
        // becomes empty.
        for member in descending(without(&s, &k)) {
            let fewer = without(&s, &[member]);
            if !fewer.is_empty() && electable_without(&fewer) {
                s = fewer;
            }
        }
        Some(s)
    }

    /// Who starts.
    fn election(&self, tasks: &[NaiveTask], stopped_by_rule_3: &[&NaiveTask], decisions: &mut Decisions) {
        loop {
            let was_stopped = |task: &NaiveTask| decisions.stopped.iter().any(|(id, _)| *id == task.id);
            let was_started = |task: &NaiveTask| decisions.started.iter().any(|(id, _)| *id == task.id);
            // R = the tasks reported running, less those just stopped, plus those just started.
            let r: Vec<&NaiveTask> = tasks
                .iter()
                .filter(|task| task.takes_part())
                .filter(|task| (task.running && !was_stopped(task)) || was_started(task))
                .collect();
            // The most important electable task that was not stopped in this cycle is started and joins R; again, until
            // there is none.
            let next = descending(tasks.iter().collect())
                .into_iter()
                .filter(|t| !was_stopped(t) && !was_started(t))
                .find(|t| self.electable(t, &r, stopped_by_rule_3, tasks).0);
            match next {
                Some(t) => decisions.started.push((t.id.clone(), if t.deadline { "daily" } else { "elected" })),
                None => return,
            }
        }
    }

    /// Whether the stopped task T could start beside the running tasks R, and its ratio there. `stopped_by_rule_3` is
    /// what that rule stopped in this cycle.
    pub(crate) fn electable(
        &self,
        t: &NaiveTask,
        r: &[&NaiveTask],
        stopped_by_rule_3: &[&NaiveTask],
        tasks: &[NaiveTask],
    ) -> (bool, f64) {
        if self.window.is_empty() {
            return (false, 0.0);
        }
        // The smallest ratio over the newest `confirm_records` records.
        let ratio = self
            .confirming()
            .into_iter()
            .map(|record| self.ratio_beside(t, r, stopped_by_rule_3, tasks, record))
            .fold(f64::INFINITY, f64::min);

        // It shares no key with a task of R, nor with one in mode on or last seen running and unreachable.
        let key_is_taken = tasks
            .iter()
            .filter(|other| contains(r, other) || other.mode == Mode::On || other.runs_beside_the_rules())
            .any(|other| other.shares_a_key_with(t));
        // Its `start` is met.
        let start_is_met = t.criteria_met(ratio >= t.start);
        // A T that is not adjustable needs a ratio of at least 1, whatever its criterion, beside a running adjustable
        // task of higher priority that uses more than its power.
        let needs_all = !t.adjustable
            && r.iter().any(|a| a.adjustable && a.priority > t.priority && self.power_used_by(a) > a.power);
        let has_enough = !needs_all || ratio >= 1.0;

        (t.may_be_started() && !key_is_taken && start_is_met && has_enough, ratio)
    }

    /// `available_for(T, minimum = R, ignore = every task not in R)` in one record, with an election's particulars.
    fn ratio_beside(
        &self,
        t: &NaiveTask,
        r: &[&NaiveTask],
        stopped_by_rule_3: &[&NaiveTask],
        tasks: &[NaiveTask],
        record: &NaiveRecord,
    ) -> f64 {
        let mut copy = record.clone();

        // Ignore every task not in R that ran when the record was made. Unreachable tasks and those in mode on are base
        // load, never ignored; nor is what rule 3 stopped: that power is meant for the adjustable task.
        for other in tasks {
            let base_load = !other.reachable || other.mode == Mode::On || other.runs_beside_the_rules();
            let ignored = !contains(r, other) && !base_load && !contains(stopped_by_rule_3, other);
            if ignored && record.ran.contains(&other.id) {
                suppress(other, &mut copy);
            }
        }

        // Each counts for itself: of two that share a key, both would draw.
        let mut net = net(&copy);
        for other in tasks {
            let used = usage(other, &copy);
            if contains(r, other) {
                net += if self.idle_all_the_time(other) {
                    // One that ran and used nothing through the whole, full window counts at 0.
                    0.0
                } else if other.adjustable && more_important(t, other) {
                    // Only adjustable tasks of R less important than T are minimised.
                    other.power - used
                } else {
                    // Every other task of R counts at the larger of its usage and its power.
                    f64::max(other.power - used, 0.0)
                };
            } else if other.is_on() && !record.ran.contains(&other.id) {
                // One in mode on that was only just started counts at its power.
                net += f64::max(other.power - used, 0.0);
            }
        }

        f64::max(0.0, (-net - self.held_back(t, r)) / t.power)
    }

    /// The watts held back from T beside R.
    fn held_back(&self, t: &NaiveTask, r: &[&NaiveTask]) -> f64 {
        // If T is not adjustable and its priority is below the mean priority of R …
        let sum: f64 = r.iter().map(|task| f64::from(task.priority)).sum();
        let below_the_mean = !r.is_empty() && f64::from(t.priority) < sum / r.len() as f64;
        // … or if some adjustable task of R has a higher priority than T.
        let below_an_adjustable = r.iter().any(|a| a.adjustable && a.priority > t.priority);
        if (!t.adjustable && below_the_mean) || below_an_adjustable { self.settings.headroom } else { 0.0 }
    }

    /// Ran and used nothing through the whole, full window: a full tank, a full car.
    fn idle_all_the_time(&self, task: &NaiveTask) -> bool {
        self.window.len() == self.settings.window_size
            && self.window.iter().all(|record| record.ran.contains(&task.id) && usage(task, record) == 0.0)
    }
}

/// Rule 1: the running, stoppable tasks that share a key with one that is kept.
fn conflicting_keys(tasks: &[NaiveTask]) -> Vec<&NaiveTask> {
    // Running tasks are kept one by one, those in mode on and the unreachable ones first, then the most important
    // first. What obeys mode off is stopped by that.
    let running = || tasks.iter().filter(|task| task.keeps_its_keys());
    let mut order = descending(running().filter(|task| !task.takes_part()).collect());
    order.extend(descending(running().filter(|task| task.takes_part()).collect()));

    // A stoppable one that shares a key with a kept one is stopped.
    let mut kept: Vec<&NaiveTask> = Vec::new();
    let mut losers = Vec::new();
    for task in order {
        if task.may_be_stopped() && kept.iter().any(|other| other.shares_a_key_with(task)) {
            losers.push(task);
        } else {
            kept.push(task);
        }
    }
    losers
}

impl NaiveTask {
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

/// What goes to the grid: 0 while power comes from there.
fn export(record: &NaiveRecord) -> f64 {
    f64::max(0.0, -net(record))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> NaiveSettings {
        NaiveSettings {
            window_size: 3,
            confirm_records: 2,
            headroom: 200.0,
            ignore_power_threshold: 100.0,
            reserve: 0.0,
        }
    }

    /// A task that doesn't run, whose only key is its id.
    fn idle(id: &str, priority: u8, power: f64) -> NaiveTask {
        NaiveTask {
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

    fn runs(id: &str, priority: u8, power: f64) -> NaiveTask {
        NaiveTask { running: true, ..idle(id, priority, power) }
    }

    fn adjusts(task: NaiveTask) -> NaiveTask {
        NaiveTask { adjustable: true, ..task }
    }

    fn with_keys(keys: &[&str], task: NaiveTask) -> NaiveTask {
        NaiveTask { keys: keys.iter().map(|key| (*key).to_owned()).collect(), ..task }
    }

    fn values(record: &[(&str, f64)]) -> BTreeMap<String, f64> {
        record.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect()
    }

    /// A window of these records, oldest first, made while the tasks were as they are.
    fn window(tasks: &[NaiveTask], records: &[&[(&str, f64)]]) -> Naive {
        let mut naive = Naive::new(settings());
        for record in records {
            naive.update(values(record), tasks);
        }
        naive
    }

    /// One cycle, told as `stop pump failing_criteria`, `start boiler elected`.
    fn told(naive: &mut Naive, tasks: &[NaiveTask]) -> Vec<String> {
        let decisions = naive.cycle(tasks);
        let stops = decisions.stopped.iter().map(|(id, rule)| format!("stop {id} {rule}"));
        let starts = decisions.started.iter().map(|(id, rule)| format!("start {id} {rule}"));
        stops.chain(starts).collect()
    }

    fn check(tasks: &[NaiveTask], records: &[&[(&str, f64)]], expected: &[&str]) {
        assert_eq!(told(&mut window(tasks, records), tasks), expected, "{records:?}");
    }

    #[test]
    fn values_below_the_threshold_or_half_the_smallest_owner_count_as_zero() {
        // boiler: min(100, 1000 / 2) = 100. fan: min(100, 60 / 2) = 30, shared with the larger boiler's key `fan`.
        let tasks = [with_keys(&["boiler", "fan"], runs("boiler", 1, 1000.0)), runs("fan", 1, 60.0)];
        let stored = |key: &str, value: f64| window(&tasks, &[&[("net", 0.0), (key, value)]]).window[0].values[key];
        assert_eq!((stored("boiler", 99.0), stored("boiler", 100.0)), (0.0, 100.0));
        assert_eq!((stored("fan", 29.0), stored("fan", 30.0)), (0.0, 30.0));
        assert_eq!((stored("boiler", -500.0), stored("house", -5.0), stored("net", -5.0)), (0.0, -5.0, -5.0));
    }

    #[test]
    fn the_window_keeps_the_newest_and_a_task_without_keys_counts_at_its_report_or_power() {
        let lamp = with_keys(&["@lamp"], runs("lamp", 1, 300.0));
        let tasks = [lamp.clone()];
        let mut naive = window(&tasks, &[&[("net", 1.0)], &[("net", 2.0)], &[("net", 3.0)], &[("net", 4.0)]]);
        assert_eq!(naive.window.iter().map(net).collect::<Vec<_>>(), [2.0, 3.0, 4.0]);
        assert_eq!(naive.power_used_by(&lamp), 300.0);
        naive.update(values(&[("net", 0.0), ("@lamp", 250.0)]), &tasks);
        assert_eq!(naive.power_used_by(&lamp), 250.0);
        naive.update(values(&[("net", 0.0), ("@lamp", 250.0)]), &[NaiveTask { running: false, ..lamp.clone() }]);
        assert_eq!(naive.power_used_by(&lamp), 0.0);
    }

    #[test]
    fn what_is_available_is_export_after_suppressing_and_minimising() {
        let tasks = [runs("boiler", 1, 1000.0), with_keys(&["l1", "l2"], adjusts(runs("ev", 2, 1400.0)))];
        let naive = window(&tasks, &[&[("net", -500.0), ("boiler", 900.0), ("l1", 1500.0), ("l2", 500.0)]]);
        // -500 - 900 (boiler suppressed) + (1400 - 2000) (ev minimised) = -2000, of 1000.
        assert_eq!(naive.available_for(&idle("heater", 1, 1000.0), &[&tasks[1]], &[&tasks[0]]), 2.0);
        // -500 + 1400 = 900: nothing.
        assert_eq!(naive.available_for(&idle("heater", 1, 1000.0), &[&idle("other", 1, 1400.0)], &[]), 0.0);
    }

    #[test]
    fn yesterdays_export_does_not_pay_for_todays_import() {
        let tasks = [runs("boiler", 1, 1000.0)];
        let naive = window(
            &tasks,
            &[&[("net", -3000.0)], &[("net", -900.0), ("boiler", 1000.0)], &[("net", 750.0), ("boiler", 1000.0)]],
        );
        // min(1000, 1000 + 900) + min(1000, 1000 - 750) = 1000 + 250, of 2000. The first record ends the walk.
        assert_eq!(naive.covered_by_production(&tasks[0], &[], &[]), 0.625);
        // It uses nothing now.
        assert_eq!(naive.covered_by_production(&idle("other", 1, 500.0), &[], &[]), 1.0);
    }

    #[test]
    fn of_two_tasks_on_one_key_the_less_important_is_stopped() {
        let one = |id: &str, priority: u8| with_keys(&["tank"], runs(id, priority, 1000.0));
        let record: &[(&str, f64)] = &[("net", 0.0), ("tank", 1000.0)];
        check(&[one("a", 1), one("b", 2)], &[record], &["stop a conflicting_keys"]);
        // One that can't be heard, or is in mode on, comes before the more important.
        let away = NaiveTask { reachable: false, ..one("a", 1) };
        check(&[away, one("b", 2)], &[record], &["stop b conflicting_keys"]);
        let on = NaiveTask { mode: Mode::On, ..one("a", 1) };
        check(&[on, one("b", 2)], &[record], &["stop b conflicting_keys"]);
        // Neither can be stopped: nothing.
        let held = |id: &str| NaiveTask { stoppable: false, held_by_min_on: true, ..one(id, 1) };
        check(&[held("a"), held("b")], &[record], &[]);
    }

    #[test]
    fn a_task_whose_keep_is_not_met_is_stopped() {
        let tasks = [runs("boiler", 1, 1000.0)];
        // (1000 - 250) / 1000 = 0.75; (1000 - 251) / 1000 = 0.749.
        check(&tasks, &[&[("net", 250.0), ("boiler", 1000.0)]], &[]);
        check(&tasks, &[&[("net", 251.0), ("boiler", 1000.0)]], &["stop boiler failing_criteria"]);
        // The state's own answer stands instead of the ratio.
        let says = |meets: bool| [NaiveTask { meets_criteria: Some(meets), ..tasks[0].clone() }];
        check(&says(true), &[&[("net", 251.0), ("boiler", 1000.0)]], &[]);
        check(&says(false), &[&[("net", -250.0), ("boiler", 1000.0)]], &["stop boiler failing_criteria"]);
    }

    #[test]
    fn the_less_important_is_stopped_first_and_only_one_in_a_cycle() {
        let boiler = runs("boiler", 2, 1000.0);
        let pump = runs("pump", 1, 500.0);
        // pump: 500 - 1400 < 0: ratio 0. boiler: net without pump 900, (1000 - 900) / 1000 = 0.1, but that's for later.
        let record: &[(&str, f64)] = &[("net", 1400.0), ("boiler", 1000.0), ("pump", 500.0)];
        check(&[boiler.clone(), pump.clone()], &[record], &["stop pump failing_criteria"]);
        // pump is held by its min_on: not stopped, yet ignored for boiler: 400 - 500 < 0, so boiler is covered.
        let record: &[(&str, f64)] = &[("net", 400.0), ("boiler", 1000.0), ("pump", 500.0)];
        let held = NaiveTask { stoppable: false, held_by_min_on: true, ..pump.clone() };
        check(&[boiler.clone(), held], &[record], &[]);
        // pump is not stoppable at all: (1000 - 400) / 1000 = 0.6 for boiler.
        let fixed = NaiveTask { stoppable: false, ..pump };
        check(&[boiler, fixed], &[record], &["stop boiler failing_criteria"]);
    }

    #[test]
    fn an_adjustable_task_is_judged_by_its_minimum() {
        let ev = adjusts(runs("ev", 1, 1400.0));
        // Minimised, net is 1950 - (3000 - 1400) = 350: (1400 - 350) / 1400 = 0.75. One watt more fails.
        check(std::slice::from_ref(&ev), &[&[("net", 1950.0), ("ev", 3000.0)]], &[]);
        check(&[ev], &[&[("net", 1951.0), ("ev", 3000.0)]], &["stop ev failing_criteria"]);
    }

    #[test]
    fn a_task_in_the_way_of_an_adjustable_one_is_stopped_and_its_power_left_to_that() {
        let ev = NaiveTask { max_power: Some(7400.0), ..adjusts(runs("ev", 3, 1400.0)) };
        let washer = runs("washer", 1, 800.0);
        // Nothing is exported, ev uses 2000 of 7400 and more than 700, and stopping gives 0 + 800 >= 100.
        // toaster beside ev: net stays 0, as washer is not ignored. Ignored, it would have 800 - 200 >= 500.
        let tasks = [ev.clone(), washer.clone(), idle("toaster", 1, 500.0)];
        let record: &[(&str, f64)] = &[("net", 0.0), ("ev", 2000.0), ("washer", 800.0)];
        check(&tasks, &[record], &["stop washer diminishing_adjustable"]);
        // 100 W are left for ev in both records, half of headroom; 99 W are not.
        let left = |net: f64| -> [(&str, f64); 3] { [("net", -net), ("ev", 2000.0), ("washer", 800.0)] };
        check(&tasks, &[&left(100.0), &left(100.0)], &[]);
        check(&tasks, &[&left(100.0), &left(99.0)], &["stop washer diminishing_adjustable"]);
        // ev uses less than half its power: it is not the washer that holds it up.
        check(&[ev, washer], &[&[("net", 0.0), ("ev", 699.0), ("washer", 800.0)]], &[]);
    }

    #[test]
    fn a_car_that_was_learned_to_be_nearly_full_holds_nobody_up() {
        let tasks = [adjusts(runs("ev", 3, 1400.0)), runs("washer", 1, 800.0)];
        let record = |net: f64, ev: f64| values(&[("net", net), ("ev", ev), ("washer", 800.0)]);
        let mut naive = window(&tasks, &[]);
        naive.update(record(-100.0, 3000.0), &tasks);
        assert_eq!(told(&mut naive, &tasks), [""; 0]);
        assert_eq!(naive.learned, values(&[("ev", 3000.0)]));
        // Nothing is left any more, but 2850 is not less than 95 % of 3000; 2849 is.
        naive.update(record(0.0, 2850.0), &tasks);
        assert_eq!(told(&mut naive.clone(), &tasks), [""; 0]);
        naive.update(record(0.0, 2849.0), &tasks);
        assert_eq!(told(&mut naive.clone(), &tasks), ["stop washer diminishing_adjustable"]);
        // It uses more than was learned, or stops: forgotten.
        naive.update(record(0.0, 3001.0), &tasks);
        assert_eq!(told(&mut naive.clone(), &tasks), ["stop washer diminishing_adjustable"]);
        naive.learn(&tasks);
        assert_eq!(naive.learned, BTreeMap::new());
        naive.learned = values(&[("ev", 3000.0)]);
        naive.learn(&[NaiveTask { running: false, ..tasks[0].clone() }]);
        assert_eq!(naive.learned, BTreeMap::new());
    }

    #[test]
    fn a_more_important_task_takes_the_place_of_as_few_as_it_needs() {
        let tasks = [idle("boiler", 3, 1000.0), runs("lamp", 1, 600.0), runs("pump", 1, 500.0)];
        let net = |net: f64| -> [(&str, f64); 3] { [("net", net), ("lamp", 600.0), ("pump", 500.0)] };
        // Beside both 200; without pump 200 + 500 = 700; without lamp too 1300. Sparing lamp leaves 700, pump 800.
        let both = ["stop pump lower_priority", "stop lamp lower_priority", "start boiler lower_priority"];
        check(&tasks, &[&net(-200.0)], &both);
        // Without pump 900, without lamp too 1500. Sparing lamp leaves 900; sparing pump 1000: enough.
        check(&tasks, &[&net(-400.0)], &["stop lamp lower_priority", "start boiler lower_priority"]);
        // Without pump 1000: enough.
        check(&tasks, &[&net(-500.0)], &["stop pump lower_priority", "start boiler lower_priority"]);
        // Nothing prevents it.
        check(&tasks, &[&net(-1000.0)], &["start boiler elected"]);
        // 1100 + -101 is not enough: nobody is stopped in vain (both are kept: (500 - 101) / 500 = 0.798).
        check(&tasks, &[&net(101.0)], &[]);
    }

    #[test]
    fn who_shares_a_key_is_replaced_by_the_more_important_only() {
        let quick = with_keys(&["tank"], idle("quick", 2, 2000.0));
        let slow = with_keys(&["tank"], runs("slow", 2, 1000.0));
        let record: &[(&str, f64)] = &[("net", -1000.0), ("tank", 1000.0)];
        // Without slow 1000 + 1000 are there for quick, which is more important by its power alone.
        check(&[quick.clone(), slow.clone()], &[record], &["stop slow lower_priority", "start quick lower_priority"]);
        // Enough is there, but K can't be stopped.
        check(&[quick.clone(), NaiveTask { stoppable: false, ..slow.clone() }], &[record], &[]);
        check(&[quick.clone(), NaiveTask { reachable: false, ..slow.clone() }], &[record], &[]);
        check(&[quick, NaiveTask { mode: Mode::On, ..slow.clone() }], &[record], &[]);
        // The other way round slow is the less important.
        let small = with_keys(&["tank"], idle("small", 2, 500.0));
        check(&[small, slow], &[record], &[]);
    }

    #[test]
    fn the_most_important_is_elected_first_and_the_next_keeps_the_headroom() {
        let tasks = [idle("boiler", 2, 1000.0), idle("pump", 1, 500.0)];
        // boiler 1700 of 1000. Then pump: 1700 - 1000 - 200 (1 < mean 2) = 500 of 500. One watt less is not enough.
        check(&tasks, &[&[("net", -1700.0)]], &["start boiler elected", "start pump elected"]);
        check(&tasks, &[&[("net", -1699.0)]], &["start boiler elected"]);
        // Of the same priority, pump keeps no headroom.
        let equals = [idle("boiler", 1, 1000.0), idle("pump", 1, 500.0)];
        check(&equals, &[&[("net", -1500.0)]], &["start boiler elected", "start pump elected"]);
        // Both newest records must have enough, older ones need not.
        check(&tasks[..1], &[&[("net", -1000.0)], &[("net", -999.0)]], &[]);
        check(&tasks[..1], &[&[("net", 0.0)], &[("net", -1000.0)], &[("net", -1000.0)]], &["start boiler elected"]);
        // Nobody elects what left its starts unanswered.
        check(&[NaiveTask { blocked: true, ..tasks[0].clone() }], &[&[("net", -2000.0)]], &[]);
    }

    #[test]
    fn a_running_task_counts_at_its_power_unless_it_was_idle_through_the_full_window() {
        let tasks = [runs("heater", 1, 2000.0), idle("pump", 1, 500.0)];
        let sun: &[(&str, f64)] = &[("net", -600.0)];
        // heater uses nothing but may take 2000 again; after three of three records it counts at 0.
        check(&tasks, &[sun, sun], &[]);
        check(&tasks, &[sun, sun, sun], &["start pump elected"]);
    }

    #[test]
    fn a_less_important_adjustable_task_gives_what_is_above_its_minimum() {
        let boiler = idle("boiler", 2, 1500.0);
        let record: &[(&str, f64)] = &[("net", 0.0), ("ev", 2900.0)];
        // Minimised, ev gives 2900 - 1400 = 1500.
        check(&[boiler.clone(), adjusts(runs("ev", 1, 1400.0))], &[record], &["start boiler elected"]);
        // A more important one gives nothing.
        check(&[boiler, adjusts(runs("ev", 3, 1400.0))], &[record], &[]);
    }

    #[test]
    fn beside_a_higher_adjustable_task_above_its_power_a_plain_one_must_be_covered_whole() {
        let pump = NaiveTask { start: 0.5, ..idle("pump", 1, 500.0) };
        let tasks = [pump, adjusts(runs("ev", 2, 1400.0))];
        // 699 - 200 (headroom) = 499 of 500, more than the half it asks for.
        check(&tasks, &[&[("net", -699.0), ("ev", 1401.0)]], &[]);
        check(&tasks, &[&[("net", -700.0), ("ev", 1401.0)]], &["start pump elected"]);
        check(&tasks, &[&[("net", -699.0), ("ev", 1400.0)]], &["start pump elected"]);
    }

    #[test]
    fn tasks_in_mode_on_and_unreachable_ones_are_base_load() {
        let pump = idle("pump", 1, 500.0);
        let on = NaiveTask { mode: Mode::On, ..runs("fan", 4, 300.0) };
        // Made before fan ran: 799 - 300 = 499 of 500; 800 - 300 = 500. It is not in R: no headroom.
        let before = [pump.clone(), NaiveTask { running: false, ..on.clone() }];
        let now = [pump.clone(), on];
        assert_eq!(told(&mut window(&before, &[&[("net", -799.0)]]), &now), [""; 0]);
        assert_eq!(told(&mut window(&before, &[&[("net", -800.0)]]), &now), ["start pump elected"]);
        // One that ran when the record was made and doesn't any more gives its power back, if it can be heard.
        let gone = NaiveTask { runnable: false, ..idle("fan", 4, 300.0) };
        let then = [pump.clone(), runs("fan", 4, 300.0)];
        let record: &[(&str, f64)] = &[("net", -200.0), ("fan", 300.0)];
        assert_eq!(told(&mut window(&then, &[record]), &[pump.clone(), gone.clone()]), ["start pump elected"]);
        let away = NaiveTask { reachable: false, ..gone };
        assert_eq!(told(&mut window(&then, &[record]), &[pump, away]), [""; 0]);
    }
}
