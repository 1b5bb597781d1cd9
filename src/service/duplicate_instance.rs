//! Another Sunward that speaks on the same topics: both would command the same appliances.
//!
//! It does not decide which of them is the wrong one: people are warned, and both go on.

use std::time::Duration;

use jiff::Timestamp;

use crate::core::{Instant, Now};
use crate::wire::report::{self, SchedulerCycle};

/// One that has not been heard for so long has ended.
const LASTS: Duration = Duration::from_secs(600);

/// What is known of another Sunward.
#[derive(Debug, Default)]
pub(super) struct DuplicateInstance {
    /// Since when this Sunward is online, as its cycles say: those of another one say otherwise.
    own: Option<Timestamp>,
    other: Option<Other>,
}

#[derive(Debug)]
struct Other {
    online_since: String,
    at: Instant,
}

impl DuplicateInstance {
    /// This Sunward is online from now on.
    pub(super) fn set_online(&mut self, now: Now) {
        self.own = Some(now.wall);
    }

    /// Since when this Sunward is online.
    pub(super) fn online_since(&self) -> Option<Timestamp> {
        self.own
    }

    /// The report of a cycle came, as it was published. Returns whether it is that of another Sunward that was not known.
    pub(super) fn note_cycle(&mut self, cycle: &[u8], now: Now) -> bool {
        let cycle: SchedulerCycle = serde_json::from_slice(cycle).unwrap_or_default();
        // As it stands on the wire: in milliseconds.
        let Some(online_since) = cycle.online_since.map(report::time) else { return false };
        if self.own.map(report::time).as_ref() == Some(&online_since) {
            return false;
        }
        let is_new = self.present(now).is_none_or(|other| other.online_since != online_since);
        self.other = Some(Other { online_since, at: now.at });
        is_new
    }

    fn present(&self, now: Now) -> Option<&Other> {
        self.other.as_ref().filter(|other| now.at.since(other.at) <= LASTS)
    }

    pub(super) fn warning(&self, now: Now) -> Option<String> {
        let Other { online_since, .. } = self.present(now)?;
        Some(format!(
            "another Sunward, online since {online_since}, commands the same tasks: end one of them, or give each an \
             mqtt.base_topic of its own"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_sunward_is_online_since_another_time_and_is_forgotten_ten_minutes_after_its_last_cycle() {
        let now = Now { at: Instant::START, wall: "2026-01-01T10:00:00Z".parse().unwrap() };
        let mut duplicate = DuplicateInstance::default();
        duplicate.set_online(now);
        let cycle = |online_since: &str| format!("{{\"time\": \"\", \"online_since\": \"{online_since}\"}}");
        for ours in [&cycle("2026-01-01T10:00:00.000Z"), "", "{}", "gone"] {
            assert!(!duplicate.note_cycle(ours.as_bytes(), now) && duplicate.warning(now).is_none(), "{ours}");
        }
        let theirs = cycle("2026-01-01T09:00:00.000Z");
        assert!(duplicate.note_cycle(theirs.as_bytes(), now));
        assert!(!duplicate.note_cycle(theirs.as_bytes(), now), "it is known");
        assert!(
            duplicate.warning(now + LASTS).is_some_and(|said| said.contains("online since 2026-01-01T09:00:00.000Z"))
        );
        let later = now + LASTS + Duration::from_secs(1);
        assert_eq!(duplicate.warning(later), None);
        assert!(duplicate.note_cycle(theirs.as_bytes(), later), "it is there again");
    }
}
