//! Power values on their way into the next record.
//!
//! Refuses what is too old or can't be true; says so, and takes the rest.

use std::sync::Arc;

use jiff::Timestamp;

use crate::scheduler::record::is_plausible;
use crate::scheduler::{Expiry, Instant, Now, Refusal, Scheduler, Sensed, Source};
use crate::units::Watts;

impl Scheduler {
    pub(super) fn take_in(
        &mut self,
        source: Source,
        values: Vec<(Arc<str>, Watts)>,
        measured: Option<Timestamp>,
        now: Now,
    ) -> Result<(), Refusal> {
        let age = now.age(measured);
        if age > self.settings.max_record_gap {
            return Err(Refusal::Old { age, limit: self.settings.max_record_gap });
        }
        let (measured, expiry) = (now.at - age, Expiry::After(self.settings.expire_after));
        let mut refused = Ok(());
        for (key, value) in values {
            refused = self.put(source, Sensed { key, value, measured, expiry }, false, now).and(refused);
        }
        refused
    }

    /// The meter has been silent for too long, and the fallback has said nothing since the last cycle.
    #[must_use]
    pub fn lacks_record(&self, now: Now) -> bool {
        now.at.since(self.last_meter.at) > self.settings.max_record_gap && !self.fallback.is_fresh(self.net)
    }

    /// Nothing has come for too long, from either.
    #[must_use]
    pub fn is_data_missing(&self, now: Now) -> bool {
        now.at.since(self.last_record) > self.settings.max_record_gap
    }

    /// What all tasks use, as a record of the fallback would have it: for an estimate of what `net` is.
    pub fn expected_use(&mut self, now: Now) -> Watts {
        self.refresh_owners();
        self.owners.iter().map(|(key, owners)| self.owned(key, owners, Source::Fallback, now)).sum()
    }

    /// Takes one value in. `sensed`: it came by itself and not in a record.
    pub(super) fn put(&mut self, source: Source, value: Sensed, sensed: bool, now: Now) -> Result<(), Refusal> {
        let Sensed { key: name, value, measured, expiry } = value;
        if !is_plausible(value) {
            return Err(Refusal::Implausible { key: name, value: value.0 });
        }
        let Some(key) = self.keys.intern(&name) else { return Err(Refusal::TooManyKeys(name)) };
        match source {
            Source::Meter => self.meter.put(key, value, measured, expiry, sensed),
            Source::Fallback => self.fallback.put(key, value, measured, expiry, sensed),
        }
        if key == self.net {
            self.note_record(source, measured, now);
            self.new_net = Some((source, value, measured));
        }
        Ok(())
    }

    /// A value of `net` arrived: data isn't missing any more.
    fn note_record(&mut self, source: Source, measured: Instant, now: Now) {
        self.last_record = self.last_record.max(measured);
        if source == Source::Meter {
            self.last_meter = Now { at: self.last_meter.at.max(measured), wall: now.wall };
        }
        if std::mem::take(&mut self.no_data) {
            self.window.clear();
            self.accounted = None;
            if !self.paused {
                self.since = now.wall;
            }
        }
    }
}
