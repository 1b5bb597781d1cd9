//! How much of what the running tasks used was covered by production (docs/rules.md, *Sliding window*,
//! `covered_by_production`, with the sets of rule 2 in *The cycle*).
//!
//! The rule speaks of copies of records in which tasks are suppressed and minimised. Going through the tasks in ascending
//! importance, each such copy differs from the one before by a single task, so one copy of the window's `net` is kept
//! and moved along: the whole question costs one pass over the window per task.

use crate::core::meter::key::KeyId;
use crate::core::rules::cycle_task::CycleTask;
use crate::core::rules::cycle_view::CycleView;
use crate::units::{Share, Watts};

/// The covered share of each running task that takes part, by place.
pub(crate) fn covered_by_production(view: &CycleView<'_>, keys: usize) -> Vec<Option<Share>> {
    // At night nothing runs, and nothing is to be copied.
    if !view.tasks.iter().any(CycleTask::takes_part) {
        return vec![None; view.tasks.len()];
    }
    let mut copies = Copies::new(view, keys);
    for (place, task) in view.tasks.iter().enumerate() {
        if !task.running && !task.claim_doubted {
            copies.suppress(place);
        }
    }
    let mut covered = vec![None; view.tasks.len()];
    for (place, task) in view.tasks.iter().enumerate().rev() {
        if !task.takes_part() {
            continue;
        }
        // What nobody saw it use is nobody else's: it is minimised for itself alone.
        let before = task.claim_doubted.then(|| copies.net.clone());
        if task.adjustable {
            copies.minimise(place);
        }
        covered[place] = Some(copies.covered(place));
        if let Some(before) = before {
            copies.net = before;
        } else if !task.adjustable && task.stoppable_but_for_min_on && !task.deaf {
            copies.suppress(place);
        }
    }
    covered
}

/// The window's records with some tasks suppressed and some minimised.
struct Copies<'s, 'a> {
    view: &'s CycleView<'a>,
    net: Vec<Watts>,
    /// By record, then by key: a task that owned it was suppressed.
    suppressed: Vec<bool>,
    keys: usize,
}

impl<'s, 'a> Copies<'s, 'a> {
    fn new(view: &'s CycleView<'a>, keys: usize) -> Self {
        let records = view.records();
        Self {
            view,
            net: (0..records).map(|record| view.net(record)).collect(),
            suppressed: vec![false; records * keys],
            keys,
        }
    }

    /// Takes a task out of every record that was made while it ran.
    fn suppress(&mut self, place: usize) {
        for record in 0..self.net.len() {
            if !self.view.ran(place, record) {
                continue;
            }
            for key in self.view.keys(place) {
                let suppressed = &mut self.suppressed[record * self.keys + key.index()];
                if !std::mem::replace(suppressed, true) {
                    self.net[record] -= self.view.value(*key, record);
                }
            }
        }
    }

    /// Puts a task at its declared power in every record in which it uses any.
    fn minimise(&mut self, place: usize) {
        for record in 0..self.net.len() {
            let usage = self.usage(place, record);
            if usage > Watts::ZERO {
                self.net[record] += self.view.tasks[place].power - usage;
            }
        }
    }

    /// A task's usage in the copy of a record, before it is minimised.
    fn usage(&self, place: usize, record: usize) -> Watts {
        let counts = |key: &&KeyId| !self.suppressed[record * self.keys + key.index()];
        self.view.keys(place).iter().filter(counts).map(|key| self.view.value(*key, record)).sum()
    }

    /// The covered share of a task, back to the first record in which it used nothing.
    fn covered(&self, place: usize) -> Share {
        let Self { view, net, .. } = self;
        let (mut paid, mut used) = (Watts::ZERO, Watts::ZERO);
        for (record, net) in net.iter().enumerate() {
            if view.usage(place, record) <= Watts::ZERO {
                break;
            }
            let mut usage = self.usage(place, record);
            if view.tasks[place].adjustable && usage > Watts::ZERO {
                usage = view.tasks[place].power;
            }
            paid += usage.min((usage - *net).max(Watts::ZERO));
            used += usage;
        }
        if used > Watts::ZERO { tidy(paid / used) } else { Share::FULL }
    }
}

/// Rounds away what sums in another order differ by, so that exactly enough is enough.
pub(crate) fn tidy(share: Share) -> Share {
    Share((share.0 * 1e9).round() / 1e9)
}
