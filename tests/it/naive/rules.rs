//! The cycle: the four stopping rules in their order, then the election (docs/rules.md, *The cycle*).

use super::*;

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
        for task in &losers {
            decisions.stopped.push((task.id.clone(), "conflicting_keys"));
        }
        // One whose stops have no effect is told, and the others go on as if it were not there.
        let mut acted = losers.iter().any(|task| !task.deaf);
        if !acted {
            for task in self.failing_criteria(tasks).into_iter().filter(|task| !contains(&losers, task)) {
                decisions.stopped.push((task.id.clone(), "failing_criteria"));
                if !task.deaf {
                    acted = true;
                    break;
                }
            }
        }
        if acted {
            // At most one rule acts.
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
    pub(super) fn learn(&mut self, tasks: &[NaiveTask]) {
        // Forgotten when it stops.
        let runs_on = |task: &&NaiveTask| task.keeps_its_keys() && task.adjustable;
        self.learned.retain(|id, _| tasks.iter().filter(runs_on).any(|task| &task.id == id));

        for task in tasks.iter().filter(runs_on) {
            let records = self.newest();
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

    /// Rule 2: the running, stoppable tasks whose `keep` is not met, the least important first.
    fn failing_criteria<'a>(&self, tasks: &'a [NaiveTask]) -> Vec<&'a NaiveTask> {
        ascending(tasks.iter().filter(|task| task.may_be_stopped()).collect())
            .into_iter()
            .filter(|task| !task.criteria_met(self.kept_ratio(task, tasks) >= task.keep))
            .collect()
    }

    /// The ratio of which rule 2 speaks.
    fn kept_ratio(&self, t: &NaiveTask, tasks: &[NaiveTask]) -> f64 {
        // minimise = the running adjustable tasks less important than t, and t itself if it is adjustable.
        let minimise_those: Vec<&NaiveTask> = tasks
            .iter()
            .filter(|other| {
                let less_important =
                    other.runs() && other.adjustable && more_important(t, other) && !other.claim_doubted;
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
                let less_important =
                    other.runs() && stoppable && !other.deaf && !other.adjustable && more_important(t, other);
                // What the meter doesn't show is nobody else's.
                (runs_no_more || less_important) && !other.claim_doubted
            })
            .collect();
        self.covered_by_production(t, &minimise_those, &ignore)
    }

    /// Rule 3: the least important task that is in the way of an adjustable one that could use more.
    fn diminishing_adjustable<'a>(&self, tasks: &'a [NaiveTask]) -> Option<&'a NaiveTask> {
        // The running adjustable tasks that could use more.
        let wanting: Vec<&NaiveTask> = tasks
            .iter()
            .filter(|a| a.runs() && a.adjustable && !a.claim_doubted && self.could_use_more(a, tasks))
            .collect();
        // The running, stoppable tasks that are not adjustable and whose priority is lower than that of some of them.
        let lower: Vec<&NaiveTask> = tasks
            .iter()
            .filter(|task| task.heeds_a_stop() && !task.claim_doubted && !task.adjustable)
            .filter(|task| wanting.iter().any(|a| task.priority < a.priority))
            .collect();
        // Only if stopping helps: the latest `-net` plus the usage of all such lower tasks is at least half of headroom.
        // An import counts negative: what is freed has to reach the adjustable task, not only to lessen an import.
        let used: f64 = lower.iter().map(|task| self.power_used_by(task)).sum();
        let helps = used - net(self.window.last()?) >= self.settings.headroom / 2.0;
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
        self.newest().iter().all(|record| {
            // … `-net` (an import counts negative) plus what running adjustable tasks less important than a use above their power …
            let above: f64 = tasks
                .iter()
                .filter(|other| other.runs() && other.adjustable && more_important(a, other) && !other.claim_doubted)
                .map(|other| f64::max(0.0, usage(other, record) - other.power))
                .sum();
            // … comes to at least half of headroom plus the reserve.
            above - net(record) >= self.settings.headroom / 2.0 + self.settings.reserve
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
                .filter(|task| task.heeds_a_stop())
                .filter(|task| {
                    (task.priority < t.priority && !task.claim_doubted)
                        || (contains(&k, task) && more_important(t, task))
                })
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
                .filter(|task| (task.running && (!was_stopped(task) || task.deaf)) || was_started(task))
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
