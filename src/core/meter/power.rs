//! Power values on their way into the next record.
//!
//! Refuses what is too old or can't be true; says so, and takes the rest.

use jiff::Timestamp;

use crate::core::meter::intake::{Measurement, is_plausible};
use crate::core::{Expiry, Instant, Now, Refusal, Scheduler, Sensed, Source};
use crate::units::Watts;

impl Scheduler {
    /// Takes a record in, as [`Event::Power`](crate::core::Event::Power) does, from names that stay where they are:
    /// a replay has millions.
    ///
    /// # Errors
    /// What of it was refused, and why. The rest has its effect all the same.
    pub fn measure<'a>(
        &mut self,
        source: Source,
        values: impl IntoIterator<Item = (&'a str, Watts)>,
        measured: Option<Timestamp>,
        now: Now,
    ) -> Result<(), Refusal> {
        let taken = self.take_in(source, values, measured, now);
        self.follow(now.at);
        taken
    }

    pub(crate) fn take_in<'a>(
        &mut self,
        source: Source,
        values: impl IntoIterator<Item = (&'a str, Watts)>,
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
            refused = self.put(source, key, Measurement { value, measured, expiry, sensed: false }, now).and(refused);
        }
        self.watch_all_usage(now.at);
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

    /// Takes a sensor's value in.
    pub(crate) fn sense(&mut self, sensed: &Sensed, now: Now) -> Result<(), Refusal> {
        let Sensed { value, measured, expiry, .. } = *sensed;
        let taken = self.put(Source::Meter, &sensed.key, Measurement { value, measured, expiry, sensed: true }, now);
        self.watch_all_usage(now.at);
        taken
    }

    fn put(&mut self, source: Source, name: &str, measurement: Measurement, now: Now) -> Result<(), Refusal> {
        let Measurement { value, measured, .. } = measurement;
        if !is_plausible(value) {
            return Err(Refusal::Implausible { key: name.into(), value: value.0 });
        }
        let Some(key) = self.keys.intern(name) else { return Err(Refusal::TooManyKeys(name.into())) };
        match source {
            Source::Meter => self.meter.put(key, measurement),
            Source::Fallback => self.fallback.put(key, measurement),
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
