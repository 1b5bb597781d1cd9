//! The sliding window: the newest records, one per cycle (SPEC section 4).
//!
//! Knows which slots ran when a record was made, nothing else of tasks. The questions that suppress and minimise tasks
//! are answered by [`super::coverage`] and [`super::sheet`], from sums instead of copies.

use std::collections::VecDeque;

use crate::core::input::Source;
use crate::core::meter::key::KeyId;
use crate::units::Watts;

/// One record as the window keeps it: thresholds applied.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Record {
    /// Where its `net` came from.
    pub(crate) source: Source,
    pub(crate) net: Watts,
    /// Values by key. Beyond the end and where a key is absent: `None`.
    pub(crate) values: Vec<Option<Watts>>,
    /// By slot: whether that task ran when the record was made.
    pub(crate) ran: Vec<bool>,
}

impl Record {
    fn empty(source: Source) -> Self {
        Self { source, net: Watts::ZERO, values: Vec::new(), ran: Vec::new() }
    }

    /// A key's value; absent counts as 0.
    pub(crate) fn value(&self, key: KeyId) -> Watts {
        self.values.get(key.index()).copied().flatten().unwrap_or_default()
    }

    /// What the owner of these keys consumed.
    pub(crate) fn usage(&self, keys: &[KeyId]) -> Watts {
        keys.iter().map(|key| self.value(*key)).sum()
    }

    pub(crate) fn ran(&self, slot: usize) -> bool {
        self.ran.get(slot).copied().unwrap_or(false)
    }
}

/// The newest records, at most `size` of them.
#[derive(Debug)]
pub(crate) struct Window {
    /// Newest first.
    records: VecDeque<Record>,
    size: usize,
}

impl Window {
    pub(crate) fn new(size: usize) -> Self {
        Self { records: VecDeque::with_capacity(size), size: size.max(1) }
    }

    /// Puts the newest record in.
    pub(crate) fn push(&mut self, record: Record) {
        self.records.push_front(record);
    }

    /// Makes room for the next record: the oldest leaves when there are too many, and its memory is used again.
    pub(crate) fn make_room(&mut self, source: Source) -> Record {
        let oldest = if self.is_full() { self.records.pop_back() } else { None };
        let mut record = oldest.unwrap_or_else(|| Record::empty(source));
        (record.source, record.net) = (source, Watts::ZERO);
        record.values.clear();
        record.ran.clear();
        record
    }

    /// From the newest to the oldest.
    pub(crate) fn newest_first(&self) -> impl ExactSizeIterator<Item = &Record> {
        self.records.iter()
    }

    pub(crate) fn latest(&self) -> Option<&Record> {
        self.records.front()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.records.len() >= self.size
    }

    pub(crate) fn clear(&mut self) {
        self.records.clear();
    }

    /// A slot was given to another task: nothing that ran there speaks of it.
    pub(crate) fn forget_slot(&mut self, slot: usize) {
        for ran in self.records.iter_mut().filter_map(|record| record.ran.get_mut(slot)) {
            *ran = false;
        }
    }
}
