//! Another Sunward that speaks on the same topics: both would command the same appliances.
//!
//! Refuses to decide which of them is the wrong one: people are told, and both go on.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;

use crate::core::{Instant, Now};
use crate::wire::report;

/// One that has not been heard for so long has ended.
const LASTS: Duration = Duration::from_secs(600);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Rival {
    /// Since when this Sunward is online, as its cycles say: those of another one say otherwise.
    own: Option<Timestamp>,
    heard: Option<Heard>,
}

#[derive(Debug)]
struct Heard {
    online_since: String,
    at: Instant,
}

/// What is read of a cycle.
#[derive(Deserialize)]
struct Cycle {
    online_since: Timestamp,
}

impl Rival {
    pub(super) fn online(&mut self, now: Now) {
        self.own = Some(now.wall);
    }

    pub(super) fn own(&self) -> Option<Timestamp> {
        self.own
    }

    /// The report of a cycle came, as it was published. Answers whether it speaks of a rival that was not known.
    pub(super) fn hear(&mut self, cycle: &[u8], now: Now) -> bool {
        let Ok(Cycle { online_since }) = serde_json::from_slice(cycle) else { return false };
        let online_since = report::time(online_since);
        if self.own.map(report::time).as_ref() == Some(&online_since) {
            return false;
        }
        let is_new = self.present(now).is_none_or(|heard| heard.online_since != online_since);
        self.heard = Some(Heard { online_since, at: now.at });
        is_new
    }

    fn present(&self, now: Now) -> Option<&Heard> {
        self.heard.as_ref().filter(|heard| now.at.since(heard.at) <= LASTS)
    }

    pub(super) fn warning(&self, now: Now) -> Option<String> {
        let Heard { online_since, .. } = self.present(now)?;
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
    fn a_rival_is_who_is_online_since_another_time_and_is_forgotten_ten_minutes_after_its_last_cycle() {
        let now = Now { at: Instant::START, wall: "2026-01-01T10:00:00Z".parse().unwrap() };
        let mut rival = Rival::default();
        rival.online(now);
        let cycle = |online_since: &str| format!("{{\"time\": \"\", \"online_since\": \"{online_since}\"}}");
        for ours in [&cycle("2026-01-01T10:00:00.000Z"), "", "{}", "gone"] {
            assert!(!rival.hear(ours.as_bytes(), now) && rival.warning(now).is_none(), "{ours}");
        }
        let theirs = cycle("2026-01-01T09:00:00.000Z");
        assert!(rival.hear(theirs.as_bytes(), now));
        assert!(!rival.hear(theirs.as_bytes(), now), "it is known");
        assert!(rival.warning(now + LASTS).is_some_and(|said| said.contains("online since 2026-01-01T09:00:00.000Z")));
        let later = now + LASTS + Duration::from_secs(1);
        assert_eq!(rival.warning(later), None);
        assert!(rival.hear(theirs.as_bytes(), later), "it is there again");
    }
}
