//! Who starts (SPEC section 7, "Electable" and "Election").

use crate::core::meter::key::KeyId;
use crate::core::rules::availability::{Offer, Sheet};
use crate::core::rules::cycle_view::Scene;
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
    Waits,
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

/// Whether a candidate is electable beside the tasks of the sheet and the base load.
pub(crate) fn electable(scene: &Scene<'_>, sheet: &Sheet<'_, '_>, load: usize) -> Electable {
    if let Some((with, key)) = holder_of_a_key(scene, sheet, load) {
        return Electable::SharesKey { with, key };
    }
    if scene.loads[load].waits {
        return Electable::Waits;
    }
    let offer = sheet.offer(load);
    match scene.start_met(load, offer.ratio) {
        Ok(true) if offer.must_be_whole && offer.ratio < Share::FULL => Electable::NotWhole(offer),
        // A deadline asks for no record.
        Ok(true) if scene.missing_records() > 0 && !scene.loads[load].task.deadline_due() => {
            Electable::Unconfirmed(offer, scene.missing_records())
        }
        Ok(true) => Electable::Yes(offer),
        Ok(false) => Electable::Short(offer),
        Err(why) => Electable::Failed(offer, why),
    }
}

/// A task of R, or of the base load, that runs on one of the candidate's keys.
fn holder_of_a_key(scene: &Scene<'_>, sheet: &Sheet<'_, '_>, load: usize) -> Option<(usize, KeyId)> {
    scene.keys(load).iter().find_map(|key| {
        let holds = |other: &usize| sheet.has(*other) || scene.loads[*other].keeps_keys();
        scene.others(*key, load).find(holds).map(|other| (other, *key))
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
pub(crate) fn elect(scene: &Scene<'_>, sheet: &mut Sheet<'_, '_>, excluded: &[usize]) -> Elected {
    let mut started = Vec::new();
    let mut waiting = Vec::with_capacity(scene.loads.len());
    loop {
        waiting.clear();
        let mut next = None;
        let may = |load: &usize| scene.loads[*load].is_candidate() && !excluded.contains(load) && !sheet.has(*load);
        for candidate in (0..scene.loads.len()).filter(may) {
            match electable(scene, sheet, candidate) {
                Electable::Yes(offer) => {
                    next = Some((candidate, offer));
                    break;
                }
                not => waiting.push((candidate, not)),
            }
        }
        let Some((candidate, offer)) = next else { return Elected { started, waiting } };
        sheet.add(candidate);
        started.push((candidate, offer));
    }
}
