//! Keys that are calculated from others: `net = "house - solar"`.
//!
//! After a change of one input the others get a moment to follow, so that values of the same instant are combined. Where an
//! input is missing or has expired, the derived key has no value either.

use std::collections::{BTreeMap, HashMap};

use super::derived_key::{DerivedKey, KnownValue};
use super::key::name_problem;
use crate::core::{Instant, Sensed};
use crate::wire::PayloadError;

/// All of `[power.derived]`, and the newest values of their inputs.
#[derive(Default)]
pub(super) struct DerivedKeys {
    /// The number of each key, for `values`.
    names: HashMap<String, usize>,
    values: Vec<Option<KnownValue>>,
    /// Each after its inputs.
    keys: Vec<DerivedKey>,
}

impl DerivedKeys {
    /// Reads the keys and their expressions.
    ///
    /// # Errors
    /// The first key that is wrong, and why.
    pub(super) fn new(written: &BTreeMap<String, String>) -> Result<Self, PayloadError> {
        let mut derived = Self::default();
        for (key, source) in written {
            let problem = |problem: String| PayloadError::field(key, problem);
            if let Some(why) = name_problem(key) {
                return Err(problem(format!("`{key}` {why}")));
            }
            let new = DerivedKey::new(key, source, |name| derived.number(name)).map_err(problem)?;
            derived.keys.push(new);
        }
        derived.sort()?;
        Ok(derived)
    }

    /// Returns the number of a key, a new one if it has none.
    fn number(&mut self, name: &str) -> usize {
        let next = self.names.len();
        let id = *self.names.entry(name.to_owned()).or_insert(next);
        if id == next {
            self.values.push(None);
        }
        id
    }

    /// Puts each key after its inputs.
    fn sort(&mut self) -> Result<(), PayloadError> {
        let mut sorted: Vec<DerivedKey> = Vec::new();
        let mut left = std::mem::take(&mut self.keys);
        while !left.is_empty() {
            let is_blocked = |key: &DerivedKey| left.iter().any(|other| key.depends_on(other));
            match left.iter().position(|key| !is_blocked(key)) {
                Some(ready) => sorted.push(left.remove(ready)),
                None => return Err(circle(&left)),
            }
        }
        self.keys = sorted;
        Ok(())
    }

    /// Returns whether this key is a derived one.
    pub(super) fn is_derived(&self, key: &str) -> bool {
        self.keys.iter().any(|derived| derived.key() == key)
    }

    /// Returns whether this key is measured and some derived key needs it.
    pub(super) fn is_input(&self, key: &str) -> bool {
        self.names.contains_key(key) && !self.is_derived(key)
    }

    /// Notes a value. `is_new`: it was measured just now, so the keys that depend on it have to be calculated again.
    pub(super) fn note(&mut self, value: &Sensed, is_new: bool, now: Instant) {
        let Some(id) = self.names.get(&value.key).copied() else { return };
        self.values[id] = Some(KnownValue::new(value));
        if is_new {
            self.note_change(id, now);
        }
    }

    fn note_change(&mut self, input: usize, since: Instant) {
        self.keys.iter_mut().for_each(|derived| derived.note_change(input, since));
    }

    /// Returns when [`DerivedKeys::calculate_due`] has something to do although no value came.
    pub(super) fn next_wakeup(&self) -> Option<Instant> {
        self.keys.iter().filter_map(DerivedKey::due).min()
    }

    /// Calculates the keys that have waited long enough, and those of which every input has changed.
    pub(super) fn calculate_due(&mut self, now: Instant) -> Vec<Result<Sensed, PayloadError>> {
        let mut results = Vec::new();
        for at in 0..self.keys.len() {
            let derived = &mut self.keys[at];
            let Some(since) = derived.take_due(now) else { continue };
            let (id, outcome) = (derived.id(), derived.calculate(&self.values, now));
            if let Some(Ok(value)) = &outcome {
                self.values[id] = Some(KnownValue::new(value));
                // The keys that depend on this one have waited as long as it has.
                self.note_change(id, since);
            }
            results.extend(outcome);
        }
        results
    }

    /// Returns why keys have no value now, a sentence each.
    pub(super) fn missing(&self) -> impl Iterator<Item = String> {
        self.keys.iter().filter_map(DerivedKey::missing)
    }
}

/// Returns the error for keys that depend on each other.
fn circle(left: &[DerivedKey]) -> PayloadError {
    let next = |key: &DerivedKey| left.iter().position(|other| key.depends_on(other));
    let mut path = vec![0];
    loop {
        // Each of those left depends on another of them.
        let at = next(&left[path[path.len() - 1]]).unwrap_or(0);
        if let Some(start) = path.iter().position(|passed| *passed == at) {
            let path = &path[start..];
            let names: Vec<&str> = path.iter().chain(&path[..1]).map(|key| left[*key].key()).collect();
            let problem = match path {
                [_] => "is made of itself".into(),
                _ => format!("is made of itself: {}", names.join(" ← ")),
            };
            return PayloadError::field(names[0], problem);
        }
        path.push(at);
    }
}
