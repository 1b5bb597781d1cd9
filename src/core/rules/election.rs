//! What starts (docs/rules.md, *The cycle*, electable and election).

use std::collections::VecDeque;

use crate::core::meter::key::KeyId;
use crate::core::rules::availability::{Availability, Offer};
use crate::core::rules::cycle_view::CycleView;
use crate::units::Share;

/// Whether a stopped task may be started beside R, and if not, why.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Electable {
    Yes(Offer),
    /// A running task holds one of its keys.
    SharesKey {
        with: usize,
        key: KeyId,
    },
    /// It left its last starts unanswered.
    Blocked,
    /// Its `start` is not met.
    Short(Offer),
    /// Its `start` is met, but beside a more important adjustable task the sun must pay for all of it.
    NotWhole(Offer),
    /// Its `start` is met, but so many records are missing that have to confirm it.
    Unconfirmed(Offer, usize),
    /// Its `start` failed.
    Failed(Offer, String),
}

impl Electable {
    pub(crate) fn is_yes(&self) -> bool {
        matches!(self, Self::Yes(_))
    }
}

/// Whether a candidate is electable beside the tasks of R and the base load.
pub(crate) fn electable(view: &CycleView<'_>, availability: &Availability<'_, '_>, place: usize) -> Electable {
    if let Some((with, key)) = holder_of_a_key(view, availability, place) {
        return Electable::SharesKey { with, key };
    }
    if view.tasks[place].blocked {
        return Electable::Blocked;
    }
    let offer = availability.offer(place);
    match view.start_met(place, offer.ratio) {
        Ok(true) if offer.must_be_whole && offer.ratio < Share::FULL => Electable::NotWhole(offer),
        // A deadline asks for no record.
        Ok(true) if view.missing_records() > 0 && !view.tasks[place].task.deadline_due() => {
            Electable::Unconfirmed(offer, view.missing_records())
        }
        Ok(true) => Electable::Yes(offer),
        Ok(false) => Electable::Short(offer),
        Err(why) => Electable::Failed(offer, why),
    }
}

/// A task of R, or of the base load, that runs on one of the candidate's keys.
fn holder_of_a_key(view: &CycleView<'_>, availability: &Availability<'_, '_>, place: usize) -> Option<(usize, KeyId)> {
    view.keys(place).iter().find_map(|key| {
        let holds = |other: &usize| availability.has(*other) || view.tasks[*other].keeps_keys();
        view.others(*key, place).find(holds).map(|other| (other, *key))
    })
}

/// What an election came to.
pub(crate) struct Elected {
    /// In the order of their election.
    pub(crate) started: Vec<(usize, Offer)>,
    /// Of every candidate that was not started: why.
    pub(crate) waiting: Vec<(usize, Electable)>,
}

/// Starts the most important electable candidate, and again, until there is none.
///
/// What was passed over before the last start was not electable then. It is asked again only where that may have changed.
pub(crate) fn elect(view: &CycleView<'_>, availability: &mut Availability<'_, '_>, excluded: &[usize]) -> Elected {
    let may =
        |place: &usize| view.tasks[*place].is_candidate() && !excluded.contains(place) && !availability.has(*place);
    let mut candidates: Vec<usize> = (0..view.tasks.len()).filter(may).collect();
    let mut started = Vec::new();
    // Those passed over since the last start, and why.
    let mut waiting = Vec::with_capacity(candidates.len());
    let mut again = VecDeque::new();
    let mut reached = 0;
    loop {
        let next = again.pop_front();
        reached += usize::from(next.is_none());
        let Some(candidate) = next.or_else(|| candidates.get(reached - 1).copied()) else { break };
        match electable(view, availability, candidate) {
            Electable::Yes(offer) => {
                started.push((candidate, offer));
                if availability.add_and_compare(candidate) {
                    waiting.clear();
                    let all = candidates.iter().take(reached).copied();
                    again = all.filter(|place| !availability.has(*place)).collect();
                } else {
                    let passed = waiting.drain(..).rev().filter(|(place, not)| !stays(view, *place, not));
                    passed.for_each(|(place, _)| again.push_front(place));
                }
            }
            not => waiting.push((candidate, not)),
        }
    }
    if !started.is_empty() {
        candidates.retain(|place| !availability.has(*place));
        waiting = candidates.into_iter().map(|place| (place, electable(view, availability, place))).collect();
    }
    debug_assert!(waiting.iter().all(|(_, not)| !not.is_yes()), "somebody was passed over");
    Elected { started, waiting }
}

/// Whether a candidate that is not electable stays so when there is less for it.
fn stays(view: &CycleView<'_>, place: usize, not: &Electable) -> bool {
    match not {
        Electable::Short(offer) => {
            let least = view.least_start_ratio(place);
            view.tasks[place].task.answers_itself() || least.is_some_and(|least| offer.ratio < least)
        }
        Electable::Failed(..) | Electable::Yes(_) => false,
        Electable::SharesKey { .. } | Electable::Blocked | Electable::NotWhole(_) | Electable::Unconfirmed(..) => true,
    }
}
