//! One record, as the window keeps it.
//!
//! It knows which slots ran when it was made, and nothing else of tasks.

use crate::core::meter::key::KeyId;
use crate::core::meter::source::Source;
use crate::core::time::Instant;
use crate::units::{Quantity, Watts};

/// One record as the window keeps it: thresholds applied.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Record {
    /// Where its `net` came from.
    pub(crate) source: Source,
    pub(crate) made: Instant,
    pub(crate) net: Watts,
    /// Values by key. Beyond the end and where a key is absent: `None`.
    pub(crate) values: Vec<Option<Quantity>>,
    /// By slot: whether that task ran when the record was made.
    pub(crate) ran: Vec<bool>,
}

impl Record {
    pub(crate) fn empty(source: Source, made: Instant) -> Self {
        Self { source, made, net: Watts::ZERO, values: Vec::new(), ran: Vec::new() }
    }

    /// The power of a key, `net` or a task's; absent counts as 0.
    pub(crate) fn value(&self, key: KeyId) -> Watts {
        self.values.get(key.index()).copied().flatten().unwrap_or_default().watts()
    }

    /// What the owner of these keys consumed.
    pub(crate) fn usage(&self, keys: &[KeyId]) -> Watts {
        keys.iter().map(|key| self.value(*key)).sum()
    }

    pub(crate) fn ran(&self, slot: usize) -> bool {
        self.ran.get(slot).copied().unwrap_or(false)
    }
}
