//! The four stopping rules, in order (docs/rules.md, *The cycle*). At most one acts in a cycle.
//!
//! They find what to stop and why; they stop nothing.

use crate::core::meter::key::KeyId;
use crate::core::rules::availability::{Availability, Offer};
use crate::core::rules::cycle_view::CycleView;
use crate::core::rules::election::{Electable, electable};
use crate::units::{Share, Watts};

/// Rule 1, `conflicting_keys`: a stoppable task that shares a key with one that is kept before it, with that one and the
/// key.
pub(crate) fn conflicting_keys(view: &CycleView<'_>) -> Vec<(usize, usize, KeyId)> {
    let mut kept: Vec<bool> = (0..view.tasks.len()).map(|place| is_base_load(view, place)).collect();
    let mut stopped = Vec::new();
    for place in (0..view.tasks.len()).filter(|place| view.tasks[*place].takes_part()) {
        let holder = view.running_on_keys_of(place).find(|(holder, _)| kept[*holder]);
        match holder {
            Some((holder, key)) if view.tasks[place].stoppable => stopped.push((place, holder, key)),
            _ => kept[place] = true,
        }
    }
    stopped
}

/// A running task whose `keep` is not met.
#[derive(Debug, PartialEq)]
pub(crate) struct Failing {
    pub(crate) place: usize,
    pub(crate) ratio: Share,
    /// Why its `keep` failed, if it did.
    pub(crate) error: Option<String>,
}

/// Rule 2, `failing_criteria`: the running tasks whose `keep` is not met, the least important first.
pub(crate) fn failing_criteria(view: &CycleView<'_>, covered: &[Option<Share>]) -> impl Iterator<Item = Failing> {
    (0..view.tasks.len()).rev().filter(|place| view.tasks[*place].can_be_stopped()).filter_map(|place| {
        let ratio = covered[place]?;
        match view.keep_met(place, ratio) {
            Ok(true) => None,
            Ok(false) => Some(Failing { place, ratio, error: None }),
            Err(why) => Some(Failing { place, ratio, error: Some(why) }),
        }
    })
}

/// What rule 3 stops.
#[derive(Debug, PartialEq)]
pub(crate) struct Diminished {
    pub(crate) stopped: usize,
    /// The adjustable task that could use more.
    pub(crate) receiver: usize,
    /// What stopping all such lower tasks would leave for it.
    pub(crate) gain: Watts,
}

/// Rule 3, `diminishing_adjustable`: the least important plain task below an adjustable one that could use more.
pub(crate) fn diminishing_adjustable(view: &CycleView<'_>) -> Option<Diminished> {
    // Of all that could use more the most important has the highest priority: what is below any of them is below it.
    let receiver = (0..view.tasks.len()).find(|place| could_use_more(view, *place))?;
    let below = view.tasks[receiver].priority;
    let mut lower = (0..view.tasks.len()).filter(|place| {
        let task = &view.tasks[*place];
        task.can_make_room() && !task.adjustable && task.priority < below
    });
    let first = lower.next()?;
    let (mut gain, mut least) = (view.power_used_by(first) - view.net(0), first);
    for place in lower {
        gain += view.power_used_by(place);
        least = place;
    }
    (gain >= view.settings.headroom * 0.5).then_some(Diminished { stopped: least, receiver, gain })
}

/// What an adjustable task was seen to be able to use, after one more record (rule 3, "learned").
pub(crate) fn learned(view: &CycleView<'_>, place: usize) -> Option<Watts> {
    let task = &view.tasks[place];
    if !task.adjustable || !task.running || view.records() == 0 {
        return None;
    }
    let newest = 0..view.newest();
    if newest.clone().all(|record| view.ran(place, record)) && is_left_for(view, place) {
        return newest.map(|record| view.usage(place, record)).reduce(Watts::max);
    }
    task.learned.filter(|learned| view.power_used_by(place) <= *learned)
}

fn could_use_more(view: &CycleView<'_>, place: usize) -> bool {
    let task = &view.tasks[place];
    if !task.adjustable || !task.takes_part() || task.claim_doubted {
        return false;
    }
    let usage = view.power_used_by(place);
    let below_limit = |limit: Option<Watts>| limit.is_none_or(|limit| usage < limit * 0.95);
    usage >= task.power * 0.5
        && below_limit(task.task.max_power())
        && below_limit(task.learned)
        && !is_left_for(view, place)
}

/// Export, and what less important adjustable tasks could give up, reach the adjustable task without any help. An import
/// counts negative: it takes what they give up first.
fn is_left_for(view: &CycleView<'_>, place: usize) -> bool {
    let enough = view.settings.headroom * 0.5 + view.settings.reserve;
    (0..view.newest()).all(|record| view.excess_below(place, record) - view.net(record) >= enough)
}

/// What rule 4 stops, and what it starts in their place.
#[derive(Debug, PartialEq)]
pub(crate) struct Replacement {
    /// Those that share a key with it, then the others, each in ascending importance.
    pub(crate) stopped: Vec<usize>,
    pub(crate) started: usize,
    pub(crate) offer: Offer,
}

/// Rule 4, `lower_priority`: the most important stopped task that could run if less important ones made room. The availability
/// comes with the running tasks as R; when something is found, R has changed accordingly.
pub(crate) fn lower_priority(view: &CycleView<'_>, availability: &mut Availability<'_, '_>) -> Option<Replacement> {
    // Nobody can make room.
    if !view.tasks.iter().any(|task| task.can_be_stopped() && !task.deaf) {
        return None;
    }
    let relief = Relief::new(view, availability);
    (0..view.tasks.len())
        .filter(|place| view.tasks[*place].is_candidate() && !view.tasks[*place].blocked)
        .find_map(|candidate| make_room(view, availability, candidate, &relief))
}

fn make_room(
    view: &CycleView<'_>,
    availability: &mut Availability<'_, '_>,
    candidate: usize,
    relief: &Relief,
) -> Option<Replacement> {
    let holders: Vec<usize> = view.running_on_keys_of(candidate).map(|(holder, _)| holder).collect();
    let priority = view.tasks[candidate].priority;
    let may_stop = |place: usize| {
        let task = &view.tasks[place];
        // Who frees no power frees its key all the same.
        let frees_key = || task.can_be_stopped() && !task.deaf && holders.contains(&place);
        let lower = task.priority < priority;
        (lower && task.can_make_room()) || ((lower || place > candidate) && frees_key())
    };
    if !holders.iter().all(|holder| may_stop(*holder)) {
        return None;
    }
    if holders.is_empty() {
        let needed = view.least_start_ratio(candidate);
        let hopeless =
            needed.is_some_and(|needed| availability.best_offer(candidate, relief.below(candidate, view)) < needed);
        if hopeless || electable(view, availability, candidate).is_yes() {
            return None;
        }
    }
    let mut stopped: Vec<usize> = Vec::new();
    for place in (0..view.tasks.len()).rev().filter(|place| holders.contains(place)) {
        availability.remove(place);
        stopped.push(place);
    }
    let mut others = (0..view.tasks.len()).rev().filter(|place| may_stop(*place) && !holders.contains(place));
    let offer = loop {
        // Nobody is stopped for nothing: with no holder, the first one goes before the first question.
        if !stopped.is_empty()
            && let Electable::Yes(offer) = electable(view, availability, candidate)
        {
            break Some(offer);
        }
        let Some(place) = others.next() else { break None };
        availability.remove(place);
        stopped.push(place);
    };
    let Some(offer) = offer else {
        for place in stopped {
            availability.add(place);
        }
        return None;
    };
    let offer = spare(view, availability, candidate, &holders, &mut stopped).unwrap_or(offer);
    availability.add(candidate);
    Some(Replacement { stopped, started: candidate, offer })
}

/// Gives back every one, the most important first, without which the candidate stays electable. The last is never
/// spared. Returns the offer that is left, if it changed.
fn spare(
    view: &CycleView<'_>,
    availability: &mut Availability<'_, '_>,
    candidate: usize,
    holders: &[usize],
    stopped: &mut Vec<usize>,
) -> Option<Offer> {
    let mut last = None;
    let mut descending = stopped.clone();
    descending.sort_unstable();
    for place in descending.into_iter().filter(|place| !holders.contains(place)) {
        if stopped.len() == 1 {
            break;
        }
        availability.add(place);
        if let Electable::Yes(offer) = electable(view, availability, candidate) {
            stopped.retain(|other| *other != place);
            last = Some(offer);
        } else {
            availability.remove(place);
        }
    }
    last
}

/// What stopping every stoppable task below a priority would bring, in each of the newest records.
struct Relief {
    /// By priority level (1 to 4), then by record.
    below: [Vec<Watts>; 5],
}

impl Relief {
    fn new(view: &CycleView<'_>, availability: &Availability<'_, '_>) -> Self {
        let mut below: [Vec<Watts>; 5] = std::array::from_fn(|_| vec![Watts::ZERO; view.confirming()]);
        for place in
            (0..view.tasks.len()).filter(|place| view.tasks[*place].can_make_room() && availability.has(*place))
        {
            let above = usize::from(view.tasks[place].priority.level()) + 1;
            for (record, gain) in availability.relief(place).enumerate() {
                for sums in below.iter_mut().skip(above) {
                    sums[record] += gain;
                }
            }
        }
        Self { below }
    }

    fn below(&self, candidate: usize, view: &CycleView<'_>) -> &[Watts] {
        &self.below[usize::from(view.tasks[candidate].priority.level())]
    }
}

/// It runs, and is not the scheduler's to move.
fn is_base_load(view: &CycleView<'_>, place: usize) -> bool {
    view.tasks[place].running && !view.tasks[place].takes_part()
}
