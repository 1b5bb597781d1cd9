//! The four stopping rules, in order (SPEC section 7). At most one acts in a cycle.
//!
//! They find whom to stop and why; they move nothing.

use crate::core::meter::key::KeyId;
use crate::core::rules::availability::{Offer, Sheet};
use crate::core::rules::cycle_view::{Load, Scene};
use crate::core::rules::election::{Electable, electable};
use crate::units::{Share, Watts};

/// Rule 1, `conflicting_keys`: a stoppable task that shares a key with one that is kept before it, with that one and the
/// key.
pub(crate) fn conflicting_keys(scene: &Scene<'_>) -> Vec<(usize, usize, KeyId)> {
    let mut kept: Vec<usize> = (0..scene.loads.len()).filter(|load| is_base_load(scene, *load)).collect();
    let mut stopped = Vec::new();
    for load in (0..scene.loads.len()).filter(|load| scene.loads[*load].takes_part()) {
        let rival = scene.running_rivals(load).find(|(rival, _)| kept.contains(rival));
        match rival {
            Some((rival, key)) if scene.loads[load].stoppable => stopped.push((load, rival, key)),
            _ => kept.push(load),
        }
    }
    stopped
}

/// Rule 2, `failing_criteria`: the least important running task whose `keep` is not met, and why it failed if it did.
pub(crate) fn failing_criteria(scene: &Scene<'_>, covered: &[Option<Share>]) -> Option<(usize, Share, Option<String>)> {
    (0..scene.loads.len()).rev().filter(|load| scene.loads[*load].can_be_stopped()).find_map(|load| {
        let ratio = covered[load]?;
        match scene.keep_met(load, ratio) {
            Ok(true) => None,
            Ok(false) => Some((load, ratio, None)),
            Err(why) => Some((load, ratio, Some(why))),
        }
    })
}

/// What rule 3 stops.
#[derive(Debug, PartialEq)]
pub(crate) struct Diminished {
    pub(crate) stopped: usize,
    /// The adjustable task that could use more.
    pub(crate) hungry: usize,
    /// What stopping all such lower tasks would leave for it.
    pub(crate) gain: Watts,
}

/// Rule 3, `diminishing_adjustable`: the least important plain task below an adjustable one that could use more.
pub(crate) fn diminishing_adjustable(scene: &Scene<'_>) -> Option<Diminished> {
    // The most important hungry one has the highest priority: whoever is below any of them is below it.
    let hungry = (0..scene.loads.len()).find(|load| could_use_more(scene, *load))?;
    let below = scene.loads[hungry].priority;
    let mut lower = (0..scene.loads.len()).filter(|load| {
        let task = &scene.loads[*load];
        task.can_be_stopped() && !task.adjustable && task.priority < below
    });
    let first = lower.next()?;
    let (mut gain, mut least) = (scene.power_used_by(first) - scene.net(0), first);
    for load in lower {
        gain += scene.power_used_by(load);
        least = load;
    }
    (gain >= scene.settings.headroom * 0.5).then_some(Diminished { stopped: least, hungry, gain })
}

/// What an adjustable task was seen to be able to use, after one more record (rule 3, "learned").
pub(crate) fn learned(scene: &Scene<'_>, load: usize) -> Option<Watts> {
    let task = &scene.loads[load];
    if !task.adjustable || !task.running || scene.records() == 0 {
        return None;
    }
    let newest = 0..scene.newest();
    if newest.clone().all(|record| scene.ran(load, record)) && is_left_for(scene, load) {
        return newest.map(|record| scene.usage(load, record)).reduce(Watts::max);
    }
    task.learned.filter(|learned| scene.power_used_by(load) <= *learned)
}

fn could_use_more(scene: &Scene<'_>, load: usize) -> bool {
    let task = &scene.loads[load];
    if !task.adjustable || !task.takes_part() {
        return false;
    }
    let usage = scene.power_used_by(load);
    let below_limit = |limit: Option<Watts>| limit.is_none_or(|limit| usage < limit * 0.95);
    usage >= task.power * 0.5
        && below_limit(task.task.max_power())
        && below_limit(task.learned)
        && !is_left_for(scene, load)
}

/// Export, and what less important adjustable tasks could give up, reach the adjustable task without any help. An import
/// counts negative: it takes what they give up first.
fn is_left_for(scene: &Scene<'_>, load: usize) -> bool {
    let enough = scene.settings.headroom * 0.5 + scene.settings.reserve;
    (0..scene.newest()).all(|record| scene.excess_below(load, record) - scene.net(record) >= enough)
}

/// What rule 4 stops, and whom it starts in their place.
#[derive(Debug, PartialEq)]
pub(crate) struct Replacement {
    /// Those that share a key with it, then the others, each in ascending importance.
    pub(crate) stopped: Vec<usize>,
    pub(crate) started: usize,
    pub(crate) offer: Offer,
}

/// Rule 4, `lower_priority`: the most important stopped task that could run if less important ones made room. The sheet
/// comes with the running tasks as R; when something is found, R has changed accordingly.
pub(crate) fn lower_priority(scene: &Scene<'_>, sheet: &mut Sheet<'_, '_>) -> Option<Replacement> {
    // Nobody can make room.
    if !scene.loads.iter().any(Load::can_be_stopped) {
        return None;
    }
    let relief = Relief::new(scene, sheet);
    (0..scene.loads.len())
        .filter(|load| scene.loads[*load].is_candidate() && !scene.loads[*load].waits)
        .find_map(|candidate| make_room(scene, sheet, candidate, &relief))
}

fn make_room(scene: &Scene<'_>, sheet: &mut Sheet<'_, '_>, candidate: usize, relief: &Relief) -> Option<Replacement> {
    let rivals: Vec<usize> = scene.running_rivals(candidate).map(|(rival, _)| rival).collect();
    let priority = scene.loads[candidate].priority;
    let may_stop = |load: usize| {
        let task = &scene.loads[load];
        task.can_be_stopped() && (task.priority < priority || (load > candidate && rivals.contains(&load)))
    };
    if !rivals.iter().all(|rival| may_stop(*rival)) {
        return None;
    }
    if rivals.is_empty() {
        let needed = scene.loads[candidate].task.least_start_ratio();
        let hopeless =
            needed.is_some_and(|needed| sheet.best_offer(candidate, relief.below(candidate, scene)) < needed);
        if hopeless || electable(scene, sheet, candidate).is_yes() {
            return None;
        }
    }
    let mut stopped: Vec<usize> = Vec::new();
    for load in (0..scene.loads.len()).rev().filter(|load| rivals.contains(load)) {
        sheet.remove(load);
        stopped.push(load);
    }
    let mut others = (0..scene.loads.len()).rev().filter(|load| may_stop(*load) && !rivals.contains(load));
    let offer = loop {
        // Nobody is stopped for nothing: with no rival, the first one goes before the first question.
        if !stopped.is_empty()
            && let Electable::Yes(offer) = electable(scene, sheet, candidate)
        {
            break Some(offer);
        }
        let Some(load) = others.next() else { break None };
        sheet.remove(load);
        stopped.push(load);
    };
    let Some(offer) = offer else {
        for load in stopped {
            sheet.add(load);
        }
        return None;
    };
    let offer = spare(scene, sheet, candidate, &rivals, &mut stopped).unwrap_or(offer);
    sheet.add(candidate);
    Some(Replacement { stopped, started: candidate, offer })
}

/// Gives back every one, the most important first, without which the candidate stays electable. The last is never
/// spared. Returns the offer that is left, if it changed.
fn spare(
    scene: &Scene<'_>,
    sheet: &mut Sheet<'_, '_>,
    candidate: usize,
    rivals: &[usize],
    stopped: &mut Vec<usize>,
) -> Option<Offer> {
    let mut last = None;
    let mut descending = stopped.clone();
    descending.sort_unstable();
    for load in descending.into_iter().filter(|load| !rivals.contains(load)) {
        if stopped.len() == 1 {
            break;
        }
        sheet.add(load);
        if let Electable::Yes(offer) = electable(scene, sheet, candidate) {
            stopped.retain(|other| *other != load);
            last = Some(offer);
        } else {
            sheet.remove(load);
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
    fn new(scene: &Scene<'_>, sheet: &Sheet<'_, '_>) -> Self {
        let mut below: [Vec<Watts>; 5] = std::array::from_fn(|_| vec![Watts::ZERO; scene.confirming()]);
        for load in (0..scene.loads.len()).filter(|load| scene.loads[*load].can_be_stopped() && sheet.has(*load)) {
            let above = usize::from(scene.loads[load].priority.level()) + 1;
            for (record, gain) in sheet.relief(load).enumerate() {
                for sums in below.iter_mut().skip(above) {
                    sums[record] += gain;
                }
            }
        }
        Self { below }
    }

    fn below(&self, candidate: usize, scene: &Scene<'_>) -> &[Watts] {
        &self.below[usize::from(scene.loads[candidate].priority.level())]
    }
}

/// It runs, and is not the scheduler's to move.
fn is_base_load(scene: &Scene<'_>, load: usize) -> bool {
    scene.loads[load].running && !scene.loads[load].takes_part()
}
