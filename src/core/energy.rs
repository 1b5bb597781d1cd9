//! What tasks consume: all of them in the latest record, and each of them since local midnight.
//!
//! While data is missing nothing is counted, and what a record calls standby is none.

use std::time::Duration;

use crate::core::meter::record::Record;
use crate::core::registry::Registry;
use crate::core::settings::Settings;
use crate::core::time::{Instant, Now};
use crate::units::{Share, Watts};

/// What all tasks together consumed according to a record.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Consumption {
    /// A circuit that several tasks own counts once.
    pub power: Watts,
    /// How much of it was not drawn from the grid; absent when there was none.
    pub covered: Option<Share>,
}

/// Counts the energy of tasks from record to record.
#[derive(Debug, Default)]
pub(crate) struct EnergyCounter {
    /// Until when it is counted; unknown at the start and while data is missing.
    counted_until: Option<Instant>,
}

impl EnergyCounter {
    /// Data was missing: what was used meanwhile is unknown.
    pub(crate) fn interrupt(&mut self) {
        self.counted_until = None;
    }

    /// For how long what is counted next has gone on.
    pub(crate) fn span(&self, now: Instant) -> Duration {
        self.counted_until.map(|before| now.since(before)).unwrap_or_default()
    }

    /// Adds what tasks used since the record before to their energy of today. Several owners of a circuit share what
    /// flows there; only those that ran, if any did.
    pub(crate) fn count(
        &mut self,
        record: &Record,
        registry: &mut Registry,
        settings: &Settings,
        now: Now,
    ) -> Consumption {
        let span = self.span(now.at);
        self.counted_until = Some(now.at);
        let today = now.date(&settings.time_zone);
        let mut power = Watts::ZERO;
        let (owned_keys, tasks) = registry.owned_keys_and_tasks();
        for (key, owners) in owned_keys {
            let value = record.value(key);
            // What the meter doesn't show was not used.
            let doubted = || owners.iter().all(|slot| tasks[*slot].doubts.is_claim_doubted());
            if value == Watts::ZERO || doubted() {
                continue;
            }
            power += value;
            let ran = |slot: &&usize| record.ran(**slot);
            let running = owners.iter().filter(ran).count();
            let (all, sharing) = if running == 0 { (true, owners.len()) } else { (false, running) };
            #[expect(clippy::cast_precision_loss, reason = "there are at most 4096 tasks")]
            let energy = value * (sharing as f64).recip() * span;
            for slot in owners.iter().filter(|slot| all || ran(slot)) {
                tasks[*slot].today_mut().add_energy(energy, today);
            }
        }
        let imported = record.net.max(Watts::ZERO);
        let covered = (power > Watts::ZERO).then(|| (power - imported).max(Watts::ZERO) / power);
        Consumption { power, covered }
    }
}
