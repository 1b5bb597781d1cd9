//! Power values on their way into the next record.
//!
//! Refuses what is too old or can't be true; says so, and takes the rest.

use std::time::Duration;

use jiff::Timestamp;

use crate::scheduler::record::LARGEST;
use crate::scheduler::task::Task;
use crate::scheduler::{Instant, Now, Refusal, Scheduler, Source};
use crate::units::Watts;

impl Scheduler {
    pub(super) fn take_in(
        &mut self,
        source: Source,
        values: Vec<(String, Watts)>,
        measured: Option<Timestamp>,
        now: Now,
    ) -> Result<(), Refusal> {
        let age = measured.map_or(Duration::ZERO, |measured| {
            Duration::try_from(now.wall.duration_since(measured)).unwrap_or(Duration::ZERO)
        });
        if age > self.settings.max_record_gap {
            return Err(Refusal::Old { age, limit: self.settings.max_record_gap });
        }
        let measured = now.at - age;
        let mut refused = Ok(());
        for (name, value) in values {
            if !value.0.is_finite() || value.0.abs() > LARGEST.0 {
                refused = Err(Refusal::Implausible { key: name, value: value.0 });
                continue;
            }
            let Some(key) = self.keys.intern(&name) else {
                refused = Err(Refusal::TooManyKeys(name));
                continue;
            };
            match source {
                Source::Meter => self.meter.put(key, value, measured),
                Source::Fallback => self.fallback.put(key, value, measured),
            }
            if key == self.net {
                self.note_record(source, measured, now);
            }
        }
        refused
    }

    /// Neither the meter nor the fallback has said anything since the last cycle.
    #[must_use]
    pub fn lacks_record(&self) -> bool {
        !self.meter.is_fresh(self.net) && !self.fallback.is_fresh(self.net)
    }

    /// What the running tasks use, as far as they declare it.
    #[must_use]
    pub fn declared_use(&self) -> Watts {
        self.tasks.iter().filter(|task| task.registration.is_some()).map(Task::declared).sum()
    }

    /// A value of `net` arrived: data isn't missing any more.
    fn note_record(&mut self, source: Source, measured: Instant, now: Now) {
        self.last_record = self.last_record.max(measured);
        if source == Source::Meter {
            self.last_meter = Now { at: self.last_meter.at.max(measured), wall: now.wall };
        }
        if std::mem::take(&mut self.no_data) {
            self.window.clear();
            if !self.paused {
                self.since = now.wall;
            }
        }
    }
}
