//! The meter, and the estimator that stands in for it: their latest values, and whether data is missing.

use std::time::Duration;

use jiff::Timestamp;

use crate::core::meter::intake::{Intake, Measured, Measurement, is_plausible};
use crate::core::meter::key::{KeyId, Keys, NET};
use crate::core::meter::source::Source;
use crate::core::refusal::Refusal;
use crate::core::time::{Instant, Now};
use crate::units::Watts;

/// A value of `net` that the set-points have not followed yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewNet {
    pub(crate) source: Source,
    pub(crate) value: Watts,
    pub(crate) measured: Instant,
}

/// All that was measured.
#[derive(Debug)]
pub(crate) struct Meter {
    pub(crate) keys: Keys,
    net: KeyId,
    meter: Intake,
    fallback: Intake,
    /// When the last `net` of either source was measured, or since when it would have been heard.
    last_net: Instant,
    /// When the last `net` of the meter was measured, or the start.
    last_meter_measured: Instant,
    /// When it arrived, or the start.
    last_meter_arrived: Timestamp,
    /// When the newest `net` of either source came, on both clocks: that a computer slept may show on one of them only.
    newest_net: Option<Now>,
    no_data: bool,
    /// What comes may not be heard: nobody can say that nothing came.
    unheard: bool,
    /// Since the newest `net` something may have come that was not heard.
    may_lack: bool,
    new_net: Option<NewNet>,
}

impl Meter {
    pub(crate) fn new(now: Now) -> Self {
        let mut keys = Keys::default();
        // The first of an empty table always finds room.
        let net = keys.intern(NET).unwrap_or_else(|| unreachable!("the table of keys is empty"));
        Self {
            keys,
            net,
            meter: Intake::default(),
            fallback: Intake::default(),
            last_net: now.at,
            last_meter_measured: now.at,
            last_meter_arrived: now.wall,
            newest_net: None,
            no_data: false,
            unheard: false,
            may_lack: false,
            new_net: None,
        }
    }

    /// Missing data counts from here.
    pub(crate) fn begin(&mut self, now: Now) {
        self.last_net = self.last_net.max(now.at);
        (self.last_meter_measured, self.last_meter_arrived) = (now.at, now.wall);
    }

    /// From now on what comes may not be heard.
    pub(crate) fn set_unheard(&mut self) {
        self.unheard = true;
    }

    /// It is heard again. `anew`: missing data counts from here.
    pub(crate) fn set_heard(&mut self, anew: bool, now: Now) {
        self.unheard = false;
        if anew {
            self.may_lack = true;
            self.begin(now);
        }
    }

    /// What comes is heard, as far as anybody knows.
    pub(crate) fn is_heard(&self) -> bool {
        !self.unheard
    }

    /// Whether a value of `net` that comes now is the first after an outage of longer than `gap`, by either clock.
    pub(crate) fn is_interrupted(&self, gap: Duration, now: Now) -> bool {
        self.may_lack
            && self.newest_net.is_some_and(|newest| now.at.since(newest.at).max(now.age(Some(newest.wall))) > gap)
    }

    /// Takes a value in.
    pub(crate) fn put(
        &mut self,
        source: Source,
        name: &str,
        measurement: Measurement,
        now: Now,
    ) -> Result<(), Refusal> {
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
            self.last_net = self.last_net.max(measured);
            if source == Source::Meter {
                self.last_meter_measured = self.last_meter_measured.max(measured);
                self.last_meter_arrived = now.wall;
            }
            self.newest_net = Some(now);
            self.may_lack = false;
            self.no_data = false;
            self.new_net = Some(NewNet { source, value: value.watts(), measured });
        }
        Ok(())
    }

    /// The key of grid power.
    pub(crate) fn net(&self) -> KeyId {
        self.net
    }

    /// The value of `net` that set-points have to follow, once.
    pub(crate) fn take_new_net(&mut self) -> Option<NewNet> {
        self.new_net.take()
    }

    /// Nothing has come for longer than `gap`, and that was noticed.
    pub(crate) fn no_data(&self) -> bool {
        self.no_data
    }

    /// Notices that data is missing. Returns whether that is new.
    pub(crate) fn notice_missing(&mut self, gap: Duration, now: Instant) -> bool {
        let new = !self.no_data && self.are_both_silent(gap, now);
        self.no_data |= new;
        new
    }

    /// Nothing has come for longer than `gap`, from either, and would have been heard.
    pub(crate) fn are_both_silent(&self, gap: Duration, now: Instant) -> bool {
        !self.unheard && now.since(self.last_net) > gap
    }

    /// When data will be missing if nothing comes; none: it is missing already, or nothing can be heard.
    pub(crate) fn missing_at(&self, gap: Duration) -> Option<Instant> {
        // "For longer than": the first moment after it.
        (!self.no_data && !self.unheard).then(|| self.last_net + gap + Duration::from_millis(1))
    }

    /// When the last `net` of either source was measured, or the start.
    pub(crate) fn last_net(&self) -> Instant {
        self.last_net
    }

    /// When the last `net` of the meter arrived, or the start.
    pub(crate) fn last_meter_arrived(&self) -> Timestamp {
        self.last_meter_arrived
    }

    /// The meter has been silent for longer than `gap`.
    pub(crate) fn is_meter_silent(&self, gap: Duration, now: Instant) -> bool {
        now.since(self.last_meter_measured) > gap
    }

    /// The meter has been silent for too long, the fallback has said nothing since the last cycle, and both would have been
    /// heard.
    pub(crate) fn lacks_record(&self, gap: Duration, now: Instant) -> bool {
        !self.unheard && self.is_meter_silent(gap, now) && !self.fallback.is_fresh(self.net)
    }

    /// The source of a cycle's record, where there is a new value of `net`.
    pub(crate) fn source(&self, gap: Duration, now: Instant) -> Option<Source> {
        if self.meter.is_fresh(self.net) {
            Some(Source::Meter)
        } else if self.is_meter_silent(gap, now) && self.fallback.is_fresh(self.net) {
            Some(Source::Fallback)
        } else {
            None
        }
    }

    /// A cycle is over: means begin anew.
    pub(crate) fn end_cycle(&mut self) {
        self.meter.end_cycle();
        self.fallback.end_cycle();
    }

    /// A key's value for a record, from the meter where the fallback has none.
    pub(crate) fn value(&self, source: Source, key: KeyId, now: Instant) -> Option<Measured> {
        let meter = || self.meter.value(key, now);
        match source {
            Source::Meter => meter(),
            Source::Fallback => self.fallback.value(key, now).or_else(meter),
        }
    }

    /// The last values of one source as they came.
    pub(crate) fn intake(&self, source: Source) -> &Intake {
        match source {
            Source::Meter => &self.meter,
            Source::Fallback => &self.fallback,
        }
    }
}
