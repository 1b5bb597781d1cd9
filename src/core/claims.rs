//! Whether the meter shows what tasks say that they use.
//!
//! A task without a key that anything measures counts as what it says itself. When it begins to use power, `net` has to
//! move by that much. Where `net`, less what is measured of other tasks, stands as still as if it had not begun, the others
//! don't count on it any more ([`Doubts::judge_claim`](crate::core::task::guards::doubts::Doubts::judge_claim)).

use std::time::Duration;

use crate::core::home::Home;
use crate::core::meter::key::KeyId;
use crate::core::meter::record::Record;
use crate::core::meter::source::Source;
use crate::core::time::Instant;
use crate::units::Watts;

/// The newest records, in all of which it has to show or not.
const JUDGED: usize = 2;

/// What is smaller goes under in what a home uses otherwise.
const SMALLEST: Watts = Watts(500.0);

/// A claim that is off by less was shown; without it, the meter would be off by more.
const SHOWN: f64 = 0.5;

/// The meter moved by less without any reason: it was not shown.
const NOT_SHOWN: f64 = 0.25;

impl Home {
    /// A record was added. `ran`: for how long tasks have run since the one before.
    pub(crate) fn judge_claims(&mut self, ran: Duration, now: Instant) {
        let judged = self.claims(now);
        for (slot, shown) in judged {
            self.registry.task_mut(slot).doubts.judge_claim(shown);
        }
        let Some(record) = self.window.latest() else { return };
        for task in self.registry.tasks_mut().iter_mut().filter(|task| task.is_registered() && task.running()) {
            let (usage, power) = (record.usage(&task.keys), task.power());
            task.doubts.watch(usage, power, ran);
        }
    }

    /// The tasks that began to use power before the newest records and whose use nothing measures: whether it shows.
    fn claims(&self, now: Instant) -> Vec<(usize, bool)> {
        if self.registry.unmeasured().is_empty() {
            return Vec::new();
        }
        let records: Vec<&Record> = self.window.newest_first().take(JUDGED + 1).collect();
        let [newest @ .., before] = records.as_slice() else { return Vec::new() };
        // Cycles that a user asks for come faster than any meter.
        let too_fast = now.since(before.made) < self.settings.cycle.mul_f64(1.5);
        if newest.len() < JUDGED || too_fast || records.iter().any(|record| record.source != Source::Meter) {
            return Vec::new();
        }
        let mut moves: Option<Vec<Move>> = None;
        let mut judged = Vec::new();
        for slot in self.registry.unmeasured() {
            let task = self.registry.task(*slot);
            if task.keys.iter().any(|key| self.is_measured(*key)) {
                continue;
            }
            let begun: Vec<Watts> =
                newest.iter().map(|record| record.usage(&task.keys) - before.usage(&task.keys)).collect();
            // An adjustable task follows the sun, and `net` stands still because it does.
            let adjusts = task.adjustable() && before.usage(&task.keys) >= task.power() * 0.5;
            if adjusts || begun.iter().any(|watts| *watts < SMALLEST) {
                continue;
            }
            let moves = moves.get_or_insert_with(|| newest.iter().map(|record| self.compare(before, record)).collect());
            let off = |with: f64, share: f64| {
                let mut pairs = moves.iter().zip(&begun);
                pairs.all(|(it, begun)| (it.seen - it.claimed + *begun * (1.0 - with)).abs() < *begun * share)
            };
            if off(0.0, NOT_SHOWN) {
                judged.push((*slot, false));
            } else if off(1.0, SHOWN) {
                judged.push((*slot, true));
            }
        }
        judged
    }

    /// How `net` and what tasks use moved from one record to another.
    fn compare(&self, before: &Record, after: &Record) -> Move {
        let moved = |key: KeyId| after.value(key) - before.value(key);
        let (mut seen, mut claimed) = (after.net - before.net, Watts::ZERO);
        for (key, _) in self.registry.owned_keys() {
            if self.is_measured(key) {
                seen -= moved(key);
            } else {
                claimed += moved(key);
            }
        }
        Move { seen, claimed }
    }

    fn is_measured(&self, key: KeyId) -> bool {
        self.meter.intake(Source::Meter).has_heard(key)
    }
}

/// What happened between two records.
struct Move {
    /// Of `net`, less what was measured of tasks.
    seen: Watts,
    /// What tasks say of themselves.
    claimed: Watts,
}
