//! What the chart shows: what flowed in each minute of a day, and when each appliance ran.
//!
//! Measures nothing itself: it keeps the differences of the home's ledger.

use std::time::Duration;

use jiff::Timestamp;

use crate::simulate::{Appliance, HomeLedger};
use crate::units::{KilowattHours, Watts};

const MINUTES: usize = 24 * 60;

/// What flowed in a part of the day.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Amounts {
    /// Made by the sun and used at home.
    pub(super) used: KilowattHours,
    /// Made by the sun and sold.
    pub(super) sold: KilowattHours,
    /// Taken from the grid.
    pub(super) bought: KilowattHours,
    /// Of each appliance: energy, the part of it that the sun paid for, and how long it ran.
    pub(super) energy: [KilowattHours; Appliance::ALL.len()],
    pub(super) from_sun: [KilowattHours; Appliance::ALL.len()],
    pub(super) on: [Duration; Appliance::ALL.len()],
}

impl Amounts {
    fn add(&mut self, other: &Self) {
        self.used += other.used;
        self.sold += other.sold;
        self.bought += other.bought;
        for at in 0..self.on.len() {
            self.energy[at] += other.energy[at];
            self.from_sun[at] += other.from_sun[at];
            self.on[at] += other.on[at];
        }
    }
}

/// One day of the demo, minute by minute.
#[derive(Debug)]
pub(super) struct DayHistory {
    begin: Timestamp,
    minutes: Vec<Amounts>,
    /// The ledger as it was at the last call of [`DayHistory::add`].
    last: HomeLedger,
    /// Minutes of it that have passed.
    passed: usize,
}

impl DayHistory {
    pub(super) fn new(begin: Timestamp) -> Self {
        Self { begin, minutes: vec![Amounts::default(); MINUTES], last: HomeLedger::default(), passed: 0 }
    }

    /// Begins a new day, unless it is the same one. What the ledger holds already belongs to the days before.
    pub(super) fn start(&mut self, begin: Timestamp) {
        if begin != self.begin {
            *self = Self { last: std::mem::take(&mut self.last), ..Self::new(begin) };
        }
    }

    /// Adds what the ledger holds more than at the last call to the minute of this time.
    pub(super) fn add(&mut self, now: Timestamp, ledger: &HomeLedger) {
        let minute = usize::try_from(now.duration_since(self.begin).as_secs() / 60).unwrap_or(0);
        let before = std::mem::replace(&mut self.last, ledger.clone());
        let uses = |f: &dyn Fn(usize) -> KilowattHours| std::array::from_fn(f);
        let amounts = Amounts {
            used: ledger.produced - ledger.exported - (before.produced - before.exported),
            sold: ledger.exported - before.exported,
            bought: ledger.imported - before.imported,
            energy: uses(&|at| ledger.uses[at].energy - before.uses[at].energy),
            from_sun: uses(&|at| ledger.uses[at].from_sun - before.uses[at].from_sun),
            on: std::array::from_fn(|at| ledger.uses[at].on.saturating_sub(before.uses[at].on)),
        };
        self.passed = self.passed.max(minute + 1).min(MINUTES);
        self.minutes[minute.min(MINUTES - 1)].add(&amounts);
    }

    pub(super) fn begin(&self) -> Timestamp {
        self.begin
    }

    /// Returns the day in so many equal parts, as far as it has come; the last one may be incomplete.
    pub(super) fn parts(&self, count: usize) -> Vec<DayPart> {
        let edge = |part: usize| part * MINUTES / count.max(1);
        (0..count)
            .map(|part| (edge(part), edge(part + 1).min(self.passed)))
            .take_while(|(from, to)| from < to)
            .map(|(from, to)| {
                let mut amounts = Amounts::default();
                self.minutes[from..to].iter().for_each(|minute| amounts.add(minute));
                DayPart { amounts, time: Duration::from_secs(60 * (to - from) as u64) }
            })
            .collect()
    }
}

/// A part of the day.
#[derive(Debug, Clone, Copy)]
pub(super) struct DayPart {
    pub(super) amounts: Amounts,
    pub(super) time: Duration,
}

impl DayPart {
    /// Returns the mean powers: sun used at home, sun sold, bought.
    pub(super) fn powers(&self) -> [Watts; 3] {
        [self.amounts.used, self.amounts.sold, self.amounts.bought].map(|energy| energy.over(self.time))
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use jiff::tz::TimeZone;

    use super::*;
    use crate::cli::demo::place::site;
    use crate::simulate::SimulatedHome;

    #[test]
    fn the_parts_of_a_day_are_the_whole_of_it_however_it_is_cut() {
        let begin: Timestamp = "2026-06-21T03:00:00Z".parse().unwrap();
        let mut home = SimulatedHome::new(7, site(), TimeZone::UTC, begin);
        let mut day = DayHistory::new(begin);
        home.switch(Appliance::Boiler, true);
        for step in 1..=15 * 60 * 2 {
            home.advance(begin + SignedDuration::from_secs(30 * step));
            day.add(home.now(), home.ledger());
        }
        let ledger = home.ledger();
        for count in [1, 7, 67, 1440] {
            let parts = day.parts(count);
            let sum =
                |f: fn(&Amounts) -> KilowattHours| parts.iter().map(|part| f(&part.amounts)).sum::<KilowattHours>();
            let check = |sum: KilowattHours, expect: KilowattHours| {
                assert!((sum - expect).0.abs() < 1e-9, "{sum:?} {expect:?}")
            };
            check(sum(|amounts| amounts.sold), ledger.exported);
            check(sum(|amounts| amounts.bought), ledger.imported);
            check(sum(|amounts| amounts.used), ledger.produced - ledger.exported);
            check(sum(|amounts| amounts.energy[0]), ledger.uses[0].energy);
        }
        assert_eq!(day.parts(24).len(), 16, "the sixteenth hour has begun");
    }
}
