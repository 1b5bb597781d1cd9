//! What a meter publishes.

use std::collections::BTreeMap;

/// A power record: watts by key. It needs `net`, positive while importing; the other keys are up to the home.
pub type PowerRecord = BTreeMap<String, f64>;
