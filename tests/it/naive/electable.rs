//! Electable, and what is available beside R (docs/rules.md, *The cycle*).

use super::*;

impl Naive {
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
        // The window holds at least `confirm_records` records of the source in use, made since the start, the last
        // `no_data` or the last change of source. A deadline counts criteria as met, record or no record.
        let records = self.of_the_source_in_use();
        let confirmed = records.len() >= self.settings.confirm_records || t.deadline;
        // The smallest ratio over the newest that many.
        let ratio = records
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
            && r.iter()
                .filter(|a| !a.claim_doubted)
                .any(|a| a.adjustable && a.priority > t.priority && self.power_used_by(a) > a.power);
        let has_enough = !needs_all || ratio >= 1.0;

        (t.may_be_started() && !key_is_taken && confirmed && start_is_met && has_enough, ratio)
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
            if ignored && !other.claim_doubted && record.ran.contains(&other.id) {
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
                } else if other.claim_doubted {
                    // Nothing is held for what the meter doesn't show, but for a start.
                    if other.running { 0.0 } else { f64::max(other.power - used, 0.0) }
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
        let below_an_adjustable = r.iter().any(|a| a.adjustable && !a.claim_doubted && a.priority > t.priority);
        if (!t.adjustable && below_the_mean) || below_an_adjustable { self.settings.headroom } else { 0.0 }
    }

    /// Ran and used nothing through the whole, full window: a full tank, a full car.
    fn idle_all_the_time(&self, task: &NaiveTask) -> bool {
        self.window.len() == self.settings.window_size
            && self.window.iter().all(|record| record.ran.contains(&task.id) && usage(task, record) == 0.0)
    }
}
