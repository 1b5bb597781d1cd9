//! What adjustable tasks may use (SPEC section 11): the arithmetic of set-points.
//!
//! A charger tells its usage at once, the meter's `net` may be ten seconds old. Whoever takes `usage - net` for what is
//! there counts every move of his own twice, and swings for ever. So each new `net` is answered with a range instead of a
//! number: every usage of the last seconds is a plausible partner of it. What lies within the range stays; what lies
//! outside moves to the nearer end. While the usage is steady the range is a point, and is followed at once; after a move
//! it is wide until the meter must have seen the move.
//!
//! Refuses to know who the tasks are and whether they should be regulated at all.

use std::collections::VecDeque;
use std::time::Duration;

use crate::core::Instant;
use crate::core::meter::intake::Measured;
use crate::units::Watts;

/// A meter may be so late, together with the charger that follows a set-point: ten seconds and five.
const LATENESS: Duration = Duration::from_secs(15);

/// A meter averages over its own interval; nobody can wait longer than this for one.
const LONGEST_INTERVAL: Duration = Duration::from_secs(60);

/// A move of so much is more than noise, and made at once.
const LARGE: Watts = Watts(300.0);

/// A smaller one needs values of so long, and so many, that agree.
const CONFIRMED_FOR: Duration = Duration::from_secs(30);
const CONFIRMING: usize = 3;

/// Seconds of usage, and values of `net`, that are remembered at most.
const MOST: usize = 300;

/// From the least to the most that something may be.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Range {
    least: Watts,
    most: Watts,
}

impl Range {
    pub(crate) fn exactly(value: Watts) -> Self {
        Self { least: value, most: value }
    }

    fn hull(self, other: Self) -> Self {
        Self { least: self.least.min(other.least), most: self.most.max(other.most) }
    }

    /// The value where it lies within, or not further outside than `spare` allows; else the nearer end of the range.
    fn settle(self, value: Watts, spare: Spare) -> Watts {
        let enough = (self.least - spare.below..=self.most + spare.above).contains(&value);
        if enough { value } else { value.max(self.least).min(self.most) }
    }

    fn minus(self, value: Watts) -> Self {
        Self { least: self.least - value, most: self.most - value }
    }
}

impl std::ops::AddAssign for Range {
    fn add_assign(&mut self, other: Self) {
        self.least += other.least;
        self.most += other.most;
    }
}

/// What all regulated tasks may use together.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    /// Oldest first, one for each second in which the usage changed.
    usage: VecDeque<Second>,
    /// What each of the last values of `net` left to be used.
    offers: VecDeque<(Instant, Range)>,
}

#[derive(Debug)]
struct Second {
    number: u64,
    /// Every usage that there was in it.
    seen: Range,
    last: Range,
}

/// A value of `net`, less the export that is not to be used.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Net {
    pub(crate) value: Watts,
    pub(crate) measured: Instant,
    /// Since the one before.
    pub(crate) interval: Option<Duration>,
}

/// What may be left as it is, because chargers count in steps and no measurement tells what they make of their set-points.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spare {
    below: Watts,
    above: Watts,
}

impl std::ops::AddAssign for Spare {
    fn add_assign(&mut self, other: Self) {
        self.below += other.below;
        self.above += other.above;
    }
}

impl Pool {
    /// Nobody is regulated any more.
    pub(crate) fn clear(&mut self) {
        self.usage.clear();
        self.offers.clear();
    }

    /// Somebody is regulated from now on: what he used before doesn't matter, it counts as what he uses now.
    pub(crate) fn join(&mut self, usage: Range) {
        for second in &mut self.usage {
            second.seen += usage;
            second.last += usage;
        }
        for (_, offer) in &mut self.offers {
            *offer += usage;
        }
    }

    /// What the regulated tasks use from now on, together.
    pub(crate) fn note_usage(&mut self, usage: Range, now: Instant) {
        let number = second(now);
        match self.usage.back_mut() {
            Some(newest) if newest.number >= number => {
                newest.seen = newest.seen.hull(usage);
                newest.last = usage;
            }
            Some(newest) if newest.last == usage => {}
            newest => {
                let before = newest.map_or(usage, |newest| newest.last);
                self.usage.push_back(Second { number, seen: before.hull(usage), last: usage });
                self.usage.drain(..self.usage.len().saturating_sub(MOST));
            }
        }
    }

    /// What all of them may use after a new value of `net`, if `in_force` is the sum of what they were told before.
    pub(crate) fn total(&mut self, net: Net, in_force: Watts, spare: Spare, now: Instant) -> Watts {
        let interval = net.interval.unwrap_or_default().min(LONGEST_INTERVAL);
        let offer = self.partners(net.measured - LATENESS - interval).minus(net.value);
        self.offers.push_back((now, offer));
        while self.offers.len() > MOST
            || self.offers.len() > CONFIRMING
                && self.offers.front().is_some_and(|(at, _)| now.since(*at) > CONFIRMED_FOR)
        {
            self.offers.pop_front();
        }
        let total = offer.settle(in_force, spare);
        if (total - in_force).abs() >= LARGE {
            return total;
        }
        self.offers.iter().fold(offer, |all, (_, offer)| all.hull(*offer)).settle(in_force, spare)
    }

    /// Every usage since `from`.
    fn partners(&self, from: Instant) -> Range {
        let from = second(from);
        let mut within: Option<Range> = None;
        for second in self.usage.iter().rev() {
            // The last usage before still counted at `from`.
            let inside = second.number >= from;
            let seen = if inside { second.seen } else { second.last };
            within = Some(within.map_or(seen, |within| within.hull(seen)));
            if !inside {
                break;
            }
        }
        within.unwrap_or_default()
    }
}

fn second(at: Instant) -> u64 {
    at.since(Instant::START).as_secs()
}

/// One of those who share.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sharer {
    /// It can't use less while it runs.
    pub(crate) least: Watts,
    pub(crate) most: Watts,
    /// What it can be seen to take of it.
    pub(crate) takes: Watts,
}

/// Divides what is there among tasks in descending importance. Everybody has his least; then the first takes what he can
/// take, then the next. What nobody takes is offered to the first again: he might.
pub(crate) fn share(total: Watts, sharers: &[Sharer]) -> Vec<Watts> {
    let mut shares: Vec<Watts> = sharers.iter().map(|sharer| sharer.least).collect();
    let mut rest = (total - shares.iter().copied().sum()).max(Watts::ZERO);
    let mut give = |limit: &dyn Fn(&Sharer) -> Watts| {
        for (share, sharer) in shares.iter_mut().zip(sharers) {
            let more = (limit(sharer).min(sharer.most) - *share).max(Watts::ZERO).min(rest);
            *share += more;
            rest -= more;
        }
    };
    give(&|sharer| sharer.takes);
    give(&|sharer| sharer.most);
    shares
}

/// What is known of a running task's usage.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Usage {
    Measured(Measured),
    /// Its keys have no value that speaks of now.
    NotYet,
    /// It has no keys, and its state says nothing.
    Never,
}

/// What one task was told, and what it makes of it.
#[derive(Debug, Default)]
pub(crate) struct Setpoint {
    in_force: Option<Watts>,
    sent: Option<Instant>,
    wanted: Option<Watts>,
    /// Since when it uses less than it may.
    short_since: Option<Instant>,
    limit: Option<Watts>,
    /// Its usage is among what the pool knows.
    counted: bool,
}

impl Setpoint {
    /// As an earlier run left it.
    pub(crate) fn restore(&mut self, in_force: Watts) {
        self.in_force = Some(in_force);
        self.wanted = None;
    }

    pub(crate) fn in_force(&self) -> Option<Watts> {
        self.in_force
    }

    /// Nothing was sent yet, nor is to be.
    pub(crate) fn is_untold(&self) -> bool {
        self.in_force.is_none() && self.wanted.is_none()
    }

    /// To be sent when its time has come, unless it is in force already.
    pub(crate) fn want(&mut self, watts: Watts) {
        self.wanted = Some(watts).filter(|_| self.in_force != Some(watts));
    }

    /// To be sent if it is at least a step away from what is in force.
    pub(crate) fn move_to(&mut self, watts: Watts, step: Watts) {
        self.want(watts);
        if self.in_force.is_some_and(|in_force| (watts - in_force).abs() < step) {
            self.wanted = None;
        }
    }

    /// What is in force stays.
    pub(crate) fn keep(&mut self) {
        self.wanted = None;
    }

    /// When there is something to send.
    pub(crate) fn due(&self, interval: Duration) -> Option<Instant> {
        self.wanted.map(|_| self.sent.map_or(Instant::START, |sent| sent + interval))
    }

    /// Hands out what is to be sent now.
    pub(crate) fn send(&mut self, now: Instant) -> Option<Watts> {
        let wanted = self.wanted.take()?;
        self.in_force = Some(wanted);
        self.sent = Some(now);
        Some(wanted)
    }

    /// What a task that runs may be using: what was measured last, and what it was told while no measurement can speak of
    /// that yet.
    pub(crate) fn usage(&self, usage: Usage, least: Watts, charger_step: Watts) -> (Range, Spare) {
        let told = self.in_force.unwrap_or(least);
        let half = charger_step * 0.5;
        let one_below = Spare { below: charger_step, above: Watts::ZERO };
        match usage {
            Usage::Measured(measured) if self.sent.is_none_or(|sent| measured.at >= sent + LATENESS) => {
                (Range::exactly(measured.value), Spare::default())
            }
            Usage::Measured(measured) => (Range::exactly(measured.value).hull(Range::exactly(told)), one_below),
            Usage::NotYet => (Range::exactly(told), one_below),
            // On average it makes half a step less of what it was told.
            Usage::Never => (Range::exactly(told - half), Spare { below: half, above: half }),
        }
    }

    /// Whether it is new among those whose usage counts; from now on it is or isn't one of them.
    pub(crate) fn count(&mut self, counted: bool) -> bool {
        !std::mem::replace(&mut self.counted, counted) && counted
    }

    /// Notices that a task doesn't take what it may (its battery is nearly full, its cable is thin), and that it does
    /// again.
    pub(crate) fn watch(&mut self, usage: Usage, charger_step: Watts, now: Instant) {
        let least = if self.limit.is_some() { charger_step * 0.5 } else { charger_step };
        let short = match (usage, self.in_force) {
            (Usage::Measured(measured), Some(told)) if told - measured.value >= least => Some(measured),
            _ => None,
        };
        let Some(measured) = short else {
            self.short_since = None;
            self.limit = None;
            return;
        };
        let since = *self.short_since.get_or_insert(now);
        let limit = measured.value + charger_step;
        let unlike = |known: Watts| (known - limit).abs() > charger_step * 0.5;
        if measured.at >= since + LATENESS && self.limit.is_none_or(unlike) {
            self.limit = Some(limit);
        }
    }

    /// What it takes at most, as far as that shows: one step of its charger more than it uses.
    pub(crate) fn limit(&self) -> Option<Watts> {
        self.limit
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sharer() -> impl Strategy<Value = Sharer> {
        (0.0..5000.0, 0.0..8000.0, 0.0..9000.0).prop_map(|(least, more, takes)| Sharer {
            least: Watts(least),
            most: Watts(least + more),
            takes: Watts(takes),
        })
    }

    proptest! {
        #[test]
        fn nobody_gets_more_than_is_there_and_nothing_is_left_that_somebody_could_get(
            total in -5000.0..40_000.0,
            sharers in proptest::collection::vec(sharer(), 1..5),
        ) {
            let shares = share(Watts(total), &sharers);
            let sum = |of: &dyn Fn(&Sharer) -> Watts| sharers.iter().map(of).sum::<Watts>().0;
            let (least, most) = (sum(&|sharer| sharer.least), sum(&|sharer| sharer.most));
            let given = shares.iter().copied().sum::<Watts>().0;
            prop_assert!((given - total.max(least).min(most)).abs() < 1e-6, "{given} of {total}");
            for (share, sharer) in shares.iter().zip(&sharers) {
                prop_assert!(*share >= sharer.least && share.0 <= sharer.most.0 + 1e-6);
            }
            // Whoever is not full comes before those who got more than their least.
            let hungry = sharers.iter().zip(&shares).position(|(sharer, share)| share.0 + 1e-6 < sharer.most.min(sharer.takes).0);
            for (share, sharer) in shares.iter().zip(&sharers).skip(hungry.map_or(usize::MAX, |first| first + 1)) {
                prop_assert!((*share - sharer.least).abs().0 < 1e-6);
            }
        }
    }
}
