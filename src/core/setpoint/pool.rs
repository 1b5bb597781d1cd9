//! What all regulated tasks may use together.
//!
//! A charger reports its usage at once, the meter's `net` may be ten seconds old. Taking `usage - net` for what is there
//! counts every move of a set-point twice, and swings for ever. So each new `net` is answered with a range instead of a
//! number: every usage of the last seconds is a plausible partner of it. What lies within the range stays; what lies
//! outside moves to the nearer end. While the usage is steady the range is a point, and is followed at once; after a move
//! it is wide until the meter must have seen the move.

use std::collections::VecDeque;
use std::time::Duration;

use crate::core::setpoint::range::{Range, Spare};
use crate::core::setpoint::setpoint::LATENESS;
use crate::core::time::Instant;
use crate::units::Watts;

/// A meter averages over its own interval; nobody can wait longer than this for one.
const LONGEST_INTERVAL: Duration = Duration::from_secs(60);

/// A move of so much is more than noise, and made at once.
const LARGE: Watts = Watts(300.0);

/// A smaller one needs values of so long, and so many, that agree.
const CONFIRMED_FOR: Duration = Duration::from_secs(30);
const CONFIRMING: usize = 3;

/// Seconds of usage, and values of `net`, that are remembered at most.
const MOST: usize = 300;

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

impl Pool {
    /// No task is regulated any more.
    pub(crate) fn clear(&mut self) {
        self.usage.clear();
        self.offers.clear();
    }

    /// Another task is regulated from now on: what it used before doesn't matter, it counts as what it uses now.
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
        let total = offer.approach(in_force, spare);
        if (total - in_force).abs() >= LARGE {
            return total;
        }
        self.offers.iter().fold(offer, |all, (_, offer)| all.hull(*offer)).approach(in_force, spare)
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
