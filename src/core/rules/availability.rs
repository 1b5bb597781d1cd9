//! What is available for a stopped task beside a set R of running ones (SPEC section 4, `available_for`, with the
//! particulars of "electable" in section 7).
//!
//! For each of the newest records the sheet keeps what `net` would be if only R ran, with every task of R at the larger
//! of its usage and its `power`. Putting a task into R or taking one out moves these sums; a question about a candidate
//! only adds what the less important adjustable tasks of R can give it.

use crate::core::meter::key::KeyId;
use crate::core::rules::covered_share::tidy;
use crate::core::rules::cycle_view::Scene;
use crate::units::{Share, Watts};

/// The set R, and the sums over it.
pub(crate) struct Sheet<'s, 'a> {
    scene: &'s Scene<'a>,
    /// By load.
    seats: Vec<Seat>,
    /// What counts although it did not run yet.
    counting: Vec<usize>,
    /// The adjustable ones of R, the most important first.
    adjustable: Vec<usize>,
    /// The sum of priority levels in R, and their number.
    levels: u32,
    count: u32,
    /// By record.
    columns: Vec<Column>,
    /// By record, then by key: how many ignored tasks that own it ran when the record was made.
    ignored: Vec<u16>,
    keys: usize,
    /// By record, then by place in `adjustable`: what the tasks from there on can give; 0 at the end.
    given: Vec<Watts>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Seat {
    /// It is in R.
    taken: bool,
    /// It ran and used nothing through the whole window.
    idle: bool,
}

/// One of the newest records.
#[derive(Debug, Clone, Copy)]
struct Column {
    /// `net` if only R and the base load ran,
    net: Watts,
    /// but for what the base load in mode `on` will use that did not run yet.
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

impl<'s, 'a> Sheet<'s, 'a> {
    /// R = the running tasks that take part, less those of `stopped`. Those of `kept_in_net` (stopped by rule 3) are not
    /// ignored: their power is meant for somebody else.
    pub(crate) fn new(scene: &'s Scene<'a>, keys: usize, stopped: &[usize], kept_in_net: &[usize]) -> Self {
        let loads = scene.loads.len();
        let columns = (0..scene.confirming()).map(|record| Column { net: scene.net(record), coming: Watts::ZERO });
        let mut sheet = Self {
            scene,
            seats: vec![Seat::default(); loads],
            counting: (0..loads).filter(|load| scene.loads[*load].counts).collect(),
            adjustable: Vec::new(),
            levels: 0,
            count: 0,
            columns: columns.collect(),
            ignored: vec![0; scene.confirming() * keys],
            keys,
            given: Vec::new(),
        };
        let is_member = |index: usize| scene.loads[index].takes_part() && !stopped.contains(&index);
        for index in 0..loads {
            if !scene.loads[index].base && !is_member(index) && !kept_in_net.contains(&index) {
                sheet.ignore(index);
            }
        }
        for index in (0..loads).filter(|index| is_member(*index)) {
            sheet.seats[index].idle = scene.is_idle(index);
            sheet.seat(index);
        }
        sheet.sum_up_given();
        sheet
    }

    /// Whether a task is in R.
    pub(crate) fn has(&self, load: usize) -> bool {
        self.seats[load].taken
    }

    /// A task joins R.
    pub(crate) fn add(&mut self, load: usize) {
        self.unignore(load);
        self.seat(load);
        if self.moves_given(load) {
            self.sum_up_given();
        }
    }

    /// A task of R is stopped.
    pub(crate) fn remove(&mut self, load: usize) {
        self.unseat(load);
        self.ignore(load);
        if self.moves_given(load) {
            self.sum_up_given();
        }
    }

    /// What is there for a task that is not in R.
    pub(crate) fn offer(&self, load: usize) -> Offer {
        let held_back = self.held_back(load);
        let least = (0..self.columns.len())
            .map(|column| -(self.net(column) - self.given_to(load, column)))
            .fold(f64::INFINITY, |least, export| least.min(export.0));
        let export = if least.is_finite() { Watts(least) } else { Watts::ZERO };
        let ratio = tidy((export - held_back).max(Watts::ZERO) / self.scene.loads[load].power);
        Offer { ratio, held_back, must_be_whole: self.must_be_whole(load) }
    }

    /// No set of tasks, stopped out of those with `relief`, offers more than this.
    pub(crate) fn best_offer(&self, load: usize, relief: &[Watts]) -> Share {
        let least = (0..self.columns.len())
            .map(|column| relief[column] - (self.net(column) - self.given_to(load, column)))
            .fold(f64::INFINITY, |least, export| least.min(export.0));
        tidy(Watts(least).max(Watts::ZERO) / self.scene.loads[load].power)
    }

    /// What each of the newest records would gain at most for a more important task if a task of R were stopped. In a
    /// record in which it used power without running it is not ignored, and stopping it may even lose: then nothing is.
    pub(crate) fn relief(&self, load: usize) -> impl Iterator<Item = Watts> {
        (0..self.columns.len()).map(move |column| {
            let adjustable = self.scene.loads[load].adjustable;
            let given = if adjustable { self.excess(load, column) } else { Watts::ZERO };
            let ran = self.scene.ran(load, column);
            let left = if ran { Watts::ZERO } else { self.usage(load, column) };
            (self.level(load, column) - given - left).max(Watts::ZERO)
        })
    }

    fn net(&self, column: usize) -> Watts {
        self.columns[column].net + self.columns[column].coming
    }

    // Sums.

    fn seat(&mut self, load: usize) {
        for column in 0..self.columns.len() {
            let difference = self.level(load, column) - self.usage(load, column);
            self.columns[column].net += difference;
        }
        let task = &self.scene.loads[load];
        self.seats[load].taken = true;
        self.levels += u32::from(task.priority.level());
        self.count += 1;
        if task.adjustable {
            let place = self.adjustable.partition_point(|other| *other < load);
            self.adjustable.insert(place, load);
        }
    }

    fn unseat(&mut self, load: usize) {
        for column in 0..self.columns.len() {
            let difference = self.level(load, column) - self.usage(load, column);
            self.columns[column].net -= difference;
        }
        self.seats[load].taken = false;
        self.levels -= u32::from(self.scene.loads[load].priority.level());
        self.count -= 1;
        self.adjustable.retain(|other| *other != load);
    }

    /// Takes a task that doesn't run any more out of the records that were made while it ran.
    fn ignore(&mut self, load: usize) {
        for (record, column) in self.columns.iter_mut().enumerate() {
            if !self.scene.ran(load, record) {
                continue;
            }
            for key in self.scene.keys(load) {
                let ignored = &mut self.ignored[record * self.keys + key.index()];
                *ignored += 1;
                if *ignored == 1 {
                    column.net -= self.scene.value(*key, record);
                }
            }
        }
    }

    fn unignore(&mut self, load: usize) {
        for (record, column) in self.columns.iter_mut().enumerate() {
            if !self.scene.ran(load, record) {
                continue;
            }
            for key in self.scene.keys(load) {
                let ignored = &mut self.ignored[record * self.keys + key.index()];
                *ignored -= 1;
                if *ignored == 0 {
                    column.net += self.scene.value(*key, record);
                }
            }
        }
    }

    /// A task's usage, without what was another's on a key that they share.
    fn usage(&self, load: usize, column: usize) -> Watts {
        let counts = |key: &&KeyId| self.ignored[column * self.keys + key.index()] == 0;
        self.scene.keys(load).iter().filter(counts).map(|key| self.scene.value(*key, column)).sum()
    }

    /// What a task of R counts at.
    fn level(&self, load: usize, column: usize) -> Watts {
        if self.seats[load].idle { Watts::ZERO } else { self.usage(load, column).max(self.scene.loads[load].power) }
    }

    /// What an adjustable task of R uses above its `power`.
    fn excess(&self, load: usize, column: usize) -> Watts {
        if self.seats[load].idle {
            return Watts::ZERO;
        }
        (self.usage(load, column) - self.scene.loads[load].power).max(Watts::ZERO)
    }

    /// What the less important adjustable tasks of R give up for a task.
    fn given_to(&self, load: usize, column: usize) -> Watts {
        let place = self.adjustable.partition_point(|other| *other < load);
        self.given[column * (self.adjustable.len() + 1) + place]
    }

    /// Whether a task that joins or leaves R changes what adjustable tasks can give: as one of them, or on their key.
    fn moves_given(&self, load: usize) -> bool {
        let shares = |key: &KeyId| self.scene.others(*key, load).next().is_some();
        self.scene.loads[load].adjustable || self.scene.keys(load).iter().any(shares)
    }

    fn sum_up_given(&mut self) {
        let places = self.adjustable.len() + 1;
        self.given.clear();
        self.given.resize(self.columns.len() * places, Watts::ZERO);
        for column in 0..self.columns.len() {
            for (place, load) in self.adjustable.iter().enumerate().rev() {
                let from = column * places + place;
                self.given[from] = self.given[from + 1] + self.excess(*load, column);
            }
            self.columns[column].coming = self.coming(column);
        }
    }

    /// What tasks in mode `on` will use that did not run when the record was made.
    fn coming(&self, column: usize) -> Watts {
        let new = self.counting.iter().copied().filter(|load| !self.scene.ran(*load, column));
        new.map(|load| (self.scene.loads[load].power - self.usage(load, column)).max(Watts::ZERO)).sum()
    }

    fn held_back(&self, load: usize) -> Watts {
        let task = &self.scene.loads[load];
        let below_the_mean = u32::from(task.priority.level()) * self.count < self.levels;
        let below_an_adjustable = self.higher_adjustable(load).next().is_some();
        if (!task.adjustable && below_the_mean) || below_an_adjustable {
            self.scene.settings.headroom
        } else {
            Watts::ZERO
        }
    }

    fn must_be_whole(&self, load: usize) -> bool {
        let task = &self.scene.loads[load];
        let uses_more = |other: usize| self.scene.power_used_by(other) > self.scene.loads[other].power;
        !task.adjustable && self.higher_adjustable(load).any(uses_more)
    }

    /// The adjustable ones of R that have a higher priority than a task.
    fn higher_adjustable(&self, load: usize) -> impl Iterator<Item = usize> {
        let higher = move |other: &usize| self.scene.loads[*other].priority > self.scene.loads[load].priority;
        self.adjustable.iter().copied().take_while(higher)
    }
}
