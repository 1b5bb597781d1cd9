//! The sliding window: the newest records, one per cycle (docs/rules.md, *Sliding window*).

use std::collections::VecDeque;

use crate::core::meter::key::Keys;
use crate::core::meter::record::Record;
use crate::core::meter::source::Source;
use crate::core::time::Instant;
use crate::units::{Quantity, Watts};

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

    /// Another size: the newest records stay.
    pub(crate) fn resize(&mut self, size: usize) {
        self.size = size.max(1);
        self.records.truncate(self.size);
    }

    /// Puts the newest record in.
    pub(crate) fn push(&mut self, record: Record) {
        self.records.push_front(record);
    }

    /// Makes room for the next record: the oldest leaves when there are too many, and its memory is used again.
    pub(crate) fn recycle_oldest(&mut self, source: Source, now: Instant) -> Record {
        let oldest = if self.is_full() { self.records.pop_back() } else { None };
        let mut record = oldest.unwrap_or_else(|| Record::empty(source, now));
        (record.source, record.made, record.net) = (source, now, Watts::ZERO);
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

    /// The newest record by key; empty while there is none.
    pub(crate) fn latest_by_key<'a>(&'a self, keys: &'a Keys) -> impl Iterator<Item = (&'a str, Quantity)> {
        let values = self.latest().into_iter().flat_map(|record| keys.iter().zip(&record.values));
        values.filter_map(|(key, value)| Some((keys.name(key), (*value)?)))
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
