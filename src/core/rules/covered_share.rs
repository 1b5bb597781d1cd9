//! How much of what the running tasks used was covered by production (SPEC section 4, `covered_by_production`, with the
//! sets of section 7, rule 2).
//!
//! SPEC says it with copies of records in which tasks are suppressed and minimised. Going through the tasks in ascending
//! importance, each such copy differs from the one before by a single task, so one copy of the window's `net` is kept
//! and moved along: the whole question costs one pass over the window per task.

use crate::core::meter::key::KeyId;
use crate::core::rules::cycle_view::{Load, Scene};
use crate::units::{Share, Watts};

/// The covered share of each running task that takes part, by load.
pub(crate) fn covered_by_production(scene: &Scene<'_>, keys: usize) -> Vec<Option<Share>> {
    // At night nothing runs, and nothing is to be copied.
    if !scene.loads.iter().any(Load::takes_part) {
        return vec![None; scene.loads.len()];
    }
    let mut copies = Copies::new(scene, keys);
    for (index, load) in scene.loads.iter().enumerate() {
        if !load.running {
            copies.suppress(index);
        }
    }
    let mut covered = vec![None; scene.loads.len()];
    for index in (0..scene.loads.len()).rev() {
        let load = &scene.loads[index];
        if !load.takes_part() {
            continue;
        }
        if load.adjustable {
            copies.minimise(index);
        }
        covered[index] = Some(copies.covered(index));
        if !load.adjustable && load.yields {
            copies.suppress(index);
        }
    }
    covered
}

/// The window's records with some tasks suppressed and some minimised.
struct Copies<'s, 'a> {
    scene: &'s Scene<'a>,
    net: Vec<Watts>,
    /// By record, then by key: a task that owned it was suppressed.
    suppressed: Vec<bool>,
    keys: usize,
}

impl<'s, 'a> Copies<'s, 'a> {
    fn new(scene: &'s Scene<'a>, keys: usize) -> Self {
        let records = scene.records();
        Self {
            scene,
            net: (0..records).map(|record| scene.net(record)).collect(),
            suppressed: vec![false; records * keys],
            keys,
        }
    }

    /// Takes a task out of every record that was made while it ran.
    fn suppress(&mut self, load: usize) {
        for record in 0..self.net.len() {
            if !self.scene.ran(load, record) {
                continue;
            }
            for key in self.scene.keys(load) {
                let suppressed = &mut self.suppressed[record * self.keys + key.index()];
                if !std::mem::replace(suppressed, true) {
                    self.net[record] -= self.scene.value(*key, record);
                }
            }
        }
    }

    /// Puts a task at its declared power in every record in which it uses any.
    fn minimise(&mut self, load: usize) {
        for record in 0..self.net.len() {
            let usage = self.usage(load, record);
            if usage > Watts::ZERO {
                self.net[record] += self.scene.loads[load].power - usage;
            }
        }
    }

    /// A task's usage in the copy of a record, before it is minimised.
    fn usage(&self, load: usize, record: usize) -> Watts {
        let counts = |key: &&KeyId| !self.suppressed[record * self.keys + key.index()];
        self.scene.keys(load).iter().filter(counts).map(|key| self.scene.value(*key, record)).sum()
    }

    /// The covered share of a task, back to the first record in which it used nothing.
    fn covered(&self, load: usize) -> Share {
        let Self { scene, net, .. } = self;
        let (mut paid, mut used) = (Watts::ZERO, Watts::ZERO);
        for (record, net) in net.iter().enumerate() {
            if scene.usage(load, record) <= Watts::ZERO {
                break;
            }
            let mut usage = self.usage(load, record);
            if scene.loads[load].adjustable && usage > Watts::ZERO {
                usage = scene.loads[load].power;
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
