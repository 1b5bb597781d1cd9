//! What is known of the scheduler from the topics that it publishes.
//!
//! Whatever isn't known for sure counts as a scheduler that is absent, and an absent one as paused.

use std::collections::BTreeMap;

use crate::wire::report::{SchedulerCycle, SchedulerState, TaskReport};
use crate::wire::topics::{TaskId, TaskTopic, Topic};

/// Reports kept at most; beyond any home, within any memory.
const MAX_REPORTS: usize = 1_000;

/// The last message of each topic, as far as it could be read.
#[derive(Debug, Default)]
pub(super) struct Knowledge {
    online: bool,
    pub(super) state: Option<SchedulerState>,
    pub(super) cycle: Option<SchedulerCycle>,
    pub(super) reports: BTreeMap<TaskId, TaskReport>,
}

impl Knowledge {
    /// The connection is new or lost: nothing is known until it comes again.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Takes in what was published. Returns whether the topic is one of those that are kept.
    pub(super) fn observe(&mut self, topic: &Topic, payload: &[u8]) -> bool {
        match topic {
            Topic::SchedulerAvailability => self.online = payload.trim_ascii().eq_ignore_ascii_case(b"online"),
            Topic::SchedulerState => self.state = serde_json::from_slice(payload).ok(),
            Topic::SchedulerCycle => self.cycle = serde_json::from_slice(payload).ok(),
            Topic::Task(id, TaskTopic::Report) => match serde_json::from_slice(payload) {
                Ok(report) if self.reports.len() < MAX_REPORTS || self.reports.contains_key(id) => {
                    self.reports.insert(id.clone(), report);
                }
                _ => {
                    self.reports.remove(id);
                }
            },
            _ => return false,
        }
        true
    }

    pub(super) fn is_online(&self) -> bool {
        self.online
    }

    pub(super) fn is_paused(&self) -> bool {
        let paused = self.state.as_ref().and_then(|state| state.paused);
        !self.online || paused.unwrap_or(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheduler_is_paused_until_it_is_known_to_be_there_and_active() {
        let mut knowledge = Knowledge::default();
        let mut check = |topic, payload: &str, expect| {
            assert!(knowledge.observe(&topic, payload.as_bytes()));
            assert_eq!(knowledge.is_paused(), expect, "{payload}");
        };
        check(Topic::SchedulerState, r#"{"paused": false}"#, true);
        check(Topic::SchedulerAvailability, "online", false);
        check(Topic::SchedulerState, r#"{"paused": true}"#, true);
        check(Topic::SchedulerState, r#"{"paused": false}"#, false);
        check(Topic::SchedulerState, "nonsense", true);
        check(Topic::SchedulerState, r#"{"paused": false}"#, false);
        check(Topic::SchedulerAvailability, "offline", true);
        check(Topic::SchedulerAvailability, "", true);
    }

    #[test]
    fn an_empty_report_is_one_that_is_gone() {
        let mut knowledge = Knowledge::default();
        let report = Topic::Task(TaskId::new("ev").unwrap(), TaskTopic::Report);
        knowledge.observe(&report, br#"{"status": "running"}"#);
        assert_eq!(knowledge.reports.len(), 1);
        knowledge.observe(&report, b"");
        assert!(knowledge.reports.is_empty());
    }
}
