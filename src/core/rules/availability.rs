//! What is available for a stopped task beside a set R of running ones (docs/rules.md, *Sliding window*, `available_for`,
//! with the particulars of *electable* in *The cycle*).
//!
//! For each of the newest records it keeps what `net` would be if only R ran, with every task of R at the larger
//! of its usage and its `power`. Putting a task into R or taking one out moves these sums; a question about a candidate
//! only adds what the less important adjustable tasks of R can give it.

use crate::core::meter::key::KeyId;
use crate::core::rules::covered_share::tidy;
use crate::core::rules::cycle_view::CycleView;
use crate::units::{Share, Watts};

/// The levels of priority: 1 to 4.
const LEVELS: u32 = 4;

/// The set R, and the sums over it.
pub(crate) struct Availability<'s, 'a> {
    view: &'s CycleView<'a>,
    /// By place.
    members: Vec<Membership>,
    /// What counts although it did not run yet.
    counting: Vec<usize>,
    /// The adjustable ones of R, the most important first.
    adjustable: Vec<usize>,
    /// The sum of priority levels in R, and their number.
    levels: u32,
    count: u32,
    /// By record, the newest first.
    sums: Vec<RecordSums>,
    /// By record, then by key: how many ignored tasks that own it ran when the record was made.
    ignored: Vec<u16>,
    keys: usize,
    /// By record, then by index in `adjustable`: what the tasks from there on can give; 0 at the end.
    given: Vec<Watts>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Membership {
    /// It is in R.
    taken: bool,
    /// It ran and used nothing through the whole window.
    idle: bool,
}

/// One of the newest records.
#[derive(Debug, Clone, Copy)]
struct RecordSums {
    /// `net` if only R and the base load ran.
    net: Watts,
    /// What comes on top of that: tasks in mode `on` that did not run yet when the record was made.
    coming: Watts,
}

/// What a candidate would get.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Offer {
    /// The smallest ratio over the newest records, after what is held back.
    pub(crate) ratio: Share,
    /// What was held back for others.
    pub(crate) held_back: Watts,
    /// Beside a more important adjustable task that uses more than its `power`: the ratio has to be 1 at least.
    pub(crate) must_be_whole: bool,
}

impl<'s, 'a> Availability<'s, 'a> {
    /// R = the running tasks that take part, less those of `stopped`. Those of `kept_in_net` (stopped by rule 3) are not
    /// ignored: their power is meant for somebody else.
    pub(crate) fn new(view: &'s CycleView<'a>, keys: usize, stopped: &[usize], kept_in_net: &[usize]) -> Self {
        let tasks = view.tasks.len();
        let sums = (0..view.confirming()).map(|record| RecordSums { net: view.net(record), coming: Watts::ZERO });
        let mut availability = Self {
            view,
            members: vec![Membership::default(); tasks],
            counting: (0..tasks).filter(|place| view.tasks[*place].counts_at_power).collect(),
            adjustable: Vec::new(),
            levels: 0,
            count: 0,
            sums: sums.collect(),
            ignored: vec![0; view.confirming() * keys],
            keys,
            given: Vec::new(),
        };
        let is_member = |place: usize| view.tasks[place].takes_part() && !stopped.contains(&place);
        for place in 0..tasks {
            if !view.tasks[place].outside_rules && !is_member(place) && !kept_in_net.contains(&place) {
                availability.ignore(place);
            }
        }
        for place in (0..tasks).filter(|place| is_member(*place)) {
            availability.members[place].idle = view.is_idle(place);
            availability.join(place);
        }
        availability.sum_up_given();
        availability
    }

    /// Whether a task is in R.
    pub(crate) fn has(&self, place: usize) -> bool {
        self.members[place].taken
    }

    /// A task joins R.
    pub(crate) fn add(&mut self, place: usize) {
        self.unignore(place);
        self.join(place);
        if self.moves_given(place) {
            self.sum_up_given();
        }
    }

    /// A task joins R. Returns whether some other may be offered more than before: mostly there is less for everybody.
    pub(crate) fn add_and_compare(&mut self, place: usize) -> bool {
        let nets: Vec<Watts> = (0..self.sums.len()).map(|record| self.net(record)).collect();
        let (levels, count) = (self.levels, self.count);
        self.add(place);
        let excess = |record: usize| self.excess(place, record) > Watts::ZERO;
        let gives = self.shares_keys(place) || (self.view.tasks[place].adjustable && (0..self.sums.len()).any(excess));
        // The headroom is held back from fewer, once the mean of the priorities falls.
        let held_back = |level: &u32, levels: u32, count: u32| level * count < levels;
        let frees =
            (1..=LEVELS).any(|level| held_back(&level, levels, count) && !held_back(&level, self.levels, self.count));
        gives || frees || nets.into_iter().enumerate().any(|(record, net)| self.net(record) < net)
    }

    /// A task of R is stopped.
    pub(crate) fn remove(&mut self, place: usize) {
        self.leave(place);
        self.ignore(place);
        if self.moves_given(place) {
            self.sum_up_given();
        }
    }

    /// What is there for a task that is not in R.
    pub(crate) fn offer(&self, place: usize) -> Offer {
        let held_back = self.held_back(place);
        let least = (0..self.sums.len())
            .map(|record| -(self.net(record) - self.given_to(place, record)))
            .fold(f64::INFINITY, |least, export| least.min(export.0));
        let export = if least.is_finite() { Watts(least) } else { Watts::ZERO };
        let ratio = tidy((export - held_back).max(Watts::ZERO) / self.view.tasks[place].power);
        Offer { ratio, held_back, must_be_whole: self.must_be_whole(place) }
    }

    /// No set of tasks, stopped out of those with `relief`, offers more than this.
    pub(crate) fn best_offer(&self, place: usize, relief: &[Watts]) -> Share {
        let least = (0..self.sums.len())
            .map(|record| relief[record] - (self.net(record) - self.given_to(place, record)))
            .fold(f64::INFINITY, |least, export| least.min(export.0));
        tidy(Watts(least).max(Watts::ZERO) / self.view.tasks[place].power)
    }

    /// What each of the newest records would gain at most for a more important task if a task of R were stopped. In a
    /// record in which it used power without running it is not ignored, and stopping it may even lose: then nothing is.
    pub(crate) fn relief(&self, place: usize) -> impl Iterator<Item = Watts> {
        (0..self.sums.len()).map(move |record| {
            let adjustable = self.view.tasks[place].adjustable;
            let given = if adjustable { self.excess(place, record) } else { Watts::ZERO };
            let ran = self.view.ran(place, record);
            let left = if ran { Watts::ZERO } else { self.usage(place, record) };
            (self.level(place, record) - given - left).max(Watts::ZERO)
        })
    }

    fn net(&self, record: usize) -> Watts {
        self.sums[record].net + self.sums[record].coming
    }

    // Sums.

    fn join(&mut self, place: usize) {
        for record in 0..self.sums.len() {
            let difference = self.level(place, record) - self.usage(place, record);
            self.sums[record].net += difference;
        }
        let task = &self.view.tasks[place];
        self.members[place].taken = true;
        self.levels += u32::from(task.priority.level());
        self.count += 1;
        if task.adjustable && !task.claim_doubted {
            let index = self.adjustable.partition_point(|other| *other < place);
            self.adjustable.insert(index, place);
        }
    }

    fn leave(&mut self, place: usize) {
        for record in 0..self.sums.len() {
            let difference = self.level(place, record) - self.usage(place, record);
            self.sums[record].net -= difference;
        }
        self.members[place].taken = false;
        self.levels -= u32::from(self.view.tasks[place].priority.level());
        self.count -= 1;
        self.adjustable.retain(|other| *other != place);
    }

    /// Takes a task that doesn't run any more out of the records that were made while it ran.
    fn ignore(&mut self, place: usize) {
        if self.view.tasks[place].claim_doubted {
            return;
        }
        for (record, sums) in self.sums.iter_mut().enumerate() {
            if !self.view.ran(place, record) {
                continue;
            }
            for key in self.view.keys(place) {
                let ignored = &mut self.ignored[record * self.keys + key.index()];
                *ignored += 1;
                if *ignored == 1 {
                    sums.net -= self.view.value(*key, record);
                }
            }
        }
    }

    fn unignore(&mut self, place: usize) {
        if self.view.tasks[place].claim_doubted {
            return;
        }
        for (record, sums) in self.sums.iter_mut().enumerate() {
            if !self.view.ran(place, record) {
                continue;
            }
            for key in self.view.keys(place) {
                let ignored = &mut self.ignored[record * self.keys + key.index()];
                *ignored -= 1;
                if *ignored == 0 {
                    sums.net += self.view.value(*key, record);
                }
            }
        }
    }

    /// A task's usage, without what was another's on a key that they share.
    fn usage(&self, place: usize, record: usize) -> Watts {
        let counts = |key: &&KeyId| self.ignored[record * self.keys + key.index()] == 0;
        self.view.keys(place).iter().filter(counts).map(|key| self.view.value(*key, record)).sum()
    }

    /// What a task of R counts at.
    fn level(&self, place: usize, record: usize) -> Watts {
        let held = self.view.tasks[place].held_power;
        if self.members[place].idle { Watts::ZERO } else { self.usage(place, record).max(held) }
    }

    /// What an adjustable task of R uses above its `power`.
    fn excess(&self, place: usize, record: usize) -> Watts {
        if self.members[place].idle || self.view.tasks[place].claim_doubted {
            return Watts::ZERO;
        }
        (self.usage(place, record) - self.view.tasks[place].power).max(Watts::ZERO)
    }

    /// What the less important adjustable tasks of R give up for a task.
    fn given_to(&self, place: usize, record: usize) -> Watts {
        let index = self.adjustable.partition_point(|other| *other < place);
        self.given[record * (self.adjustable.len() + 1) + index]
    }

    /// Whether a task that joins or leaves R changes what adjustable tasks can give: as one of them, or on their key.
    fn moves_given(&self, place: usize) -> bool {
        self.view.tasks[place].adjustable || self.shares_keys(place)
    }

    fn shares_keys(&self, place: usize) -> bool {
        self.view.keys(place).iter().any(|key| self.view.others(*key, place).next().is_some())
    }

    fn sum_up_given(&mut self) {
        let width = self.adjustable.len() + 1;
        self.given.clear();
        self.given.resize(self.sums.len() * width, Watts::ZERO);
        for record in 0..self.sums.len() {
            for (index, place) in self.adjustable.iter().enumerate().rev() {
                let from = record * width + index;
                self.given[from] = self.given[from + 1] + self.excess(*place, record);
            }
            self.sums[record].coming = self.coming(record);
        }
    }

    /// What tasks in mode `on` will use that did not run when the record was made.
    fn coming(&self, record: usize) -> Watts {
        let new = self.counting.iter().copied().filter(|place| !self.view.ran(*place, record));
        new.map(|place| (self.view.tasks[place].power - self.usage(place, record)).max(Watts::ZERO)).sum()
    }

    fn held_back(&self, place: usize) -> Watts {
        let task = &self.view.tasks[place];
        let below_the_mean = u32::from(task.priority.level()) * self.count < self.levels;
        let below_an_adjustable = self.higher_adjustable(place).next().is_some();
        if (!task.adjustable && below_the_mean) || below_an_adjustable {
            self.view.settings.headroom
        } else {
            Watts::ZERO
        }
    }

    fn must_be_whole(&self, place: usize) -> bool {
        let task = &self.view.tasks[place];
        let uses_more = |other: usize| self.view.power_used_by(other) > self.view.tasks[other].power;
        !task.adjustable && self.higher_adjustable(place).any(uses_more)
    }

    /// The adjustable ones of R that have a higher priority than a task.
    fn higher_adjustable(&self, place: usize) -> impl Iterator<Item = usize> {
        let higher = move |other: &usize| self.view.tasks[*other].priority > self.view.tasks[place].priority;
        self.adjustable.iter().copied().take_while(higher)
    }
}
