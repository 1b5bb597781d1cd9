//! What the demo knows of the scheduler from its messages, as any client could: its state, reports, events.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;

use super::event::{DemoEvent, EventKind};
use crate::wire::report::{DecisionReport, SchedulerCycle, SchedulerState, TaskReport};

/// So many events are kept.
const MOST_EVENTS: usize = 100;

/// A message of the scheduler that is shown.
pub(super) enum SchedulerMessage {
    State(SchedulerState),
    Cycle(SchedulerCycle),
    /// The report of the task with this id.
    Report(String, TaskReport),
}

/// How the scheduler sees a task.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct ReportedTask {
    /// `running`, `stopped`, `unrunnable`, …
    pub(super) status: String,
    pub(super) reason: String,
}

/// All that is known so far.
#[derive(Debug, Default)]
pub(super) struct SchedulerView {
    /// `active`, `paused`, `no_data`; empty before the first message.
    pub(super) state: String,
    pub(super) tasks: BTreeMap<String, ReportedTask>,
    /// The newest last.
    pub(super) events: VecDeque<DemoEvent>,
    /// How many of `events` were returned by [`SchedulerView::new_events`].
    returned: usize,
}

impl SchedulerView {
    /// Takes in a message that arrived now.
    pub(super) fn update(&mut self, message: SchedulerMessage, now: Timestamp) {
        match message {
            SchedulerMessage::State(message) => {
                let state = printable(&message.state.to_string());
                if state != self.state {
                    let time = message.since.value().unwrap_or(now);
                    self.add_event(DemoEvent { time, kind: EventKind::Scheduler { state: state.clone() } });
                    self.state = state;
                }
            }
            SchedulerMessage::Cycle(cycle) => {
                let time = cycle.time.value().unwrap_or(now);
                // Stops were sent first.
                for stop in &cycle.stopped {
                    let kind = EventKind::Stop { task: printable(&stop.task), reason: reason(stop) };
                    self.add_event(DemoEvent { time, kind });
                }
                for start in &cycle.started {
                    let kind = EventKind::Start { task: printable(&start.task), reason: reason(start) };
                    self.add_event(DemoEvent { time, kind });
                }
            }
            SchedulerMessage::Report(id, report) => {
                let (status, reason) = (printable(&report.status.to_string()), printable(&report.reason));
                self.tasks.insert(id, ReportedTask { status, reason });
            }
        }
    }

    /// Adds an event; the oldest one is dropped where there are too many.
    pub(super) fn add_event(&mut self, event: DemoEvent) {
        self.events.push_back(event);
        if self.events.len() > MOST_EVENTS {
            self.events.pop_front();
            self.returned = self.returned.saturating_sub(1);
        }
    }

    /// Returns the events since the last call.
    pub(super) fn new_events(&mut self) -> Vec<DemoEvent> {
        let events = self.events.iter().skip(self.returned).cloned().collect();
        self.returned = self.events.len();
        events
    }

    pub(super) fn is_paused(&self) -> bool {
        self.state == "paused"
    }
}

/// Why a task is started or stopped.
fn reason(decision: &DecisionReport) -> String {
    printable(&format!("{} ({})", decision.reason, decision.rule))
}

/// The text of a message. Anybody can publish anything on a broker; an escape code in it must not reach the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_message_can_steer_the_terminal() {
        let mut view = SchedulerView::default();
        view.update(
            SchedulerMessage::Report("ev".into(), serde_json::from_value(json!({"reason": "a\x1b[2Jb\n"})).unwrap()),
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!(view.tasks["ev"].reason, "a [2Jb ");
    }
}
