//! What users set per task: its mode and its priority.
//!
//! Refuses to read payloads itself: that is `payload`'s.

use crate::core::{Event, TaskId};
use crate::mqtt::Message;
use crate::wire;
use crate::wire::topics::TaskTopic;

use super::Bridge;

impl Bridge {
    /// A message on `…/mode/set` or `…/priority/set`. Like every command it is obeyed once, after the start-up.
    pub(super) fn receive_wish(&mut self, id: TaskId, kind: TaskTopic, message: Message) {
        let Some(Message { topic, payload, .. }) = self.due_command(message) else { return };
        let event = if kind == TaskTopic::ModeSet {
            wire::mode(&payload).map(|set| set.map(|(mode, lasting)| Event::Mode(id, mode, lasting)))
        } else {
            wire::priority(&payload).map(|set| set.map(|priority| Event::Priority(id, priority)))
        };
        match event {
            Ok(Some(event)) => {
                tracing::info!("{topic}: {}", String::from_utf8_lossy(&payload).trim());
                self.handle(event, &topic);
                self.tell();
            }
            Ok(None) => {}
            Err(problem) => self.fault(&topic, &problem.to_string()),
        }
    }
}
