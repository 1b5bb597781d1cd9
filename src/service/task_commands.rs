//! What users set per task: its mode and its priority.

use super::service::Service;
use crate::core::{Event, TaskId};
use crate::mqtt::Message;
use crate::wire;
use crate::wire::topics::TaskTopic;

impl Service {
    /// A message on `…/mode/set` or `…/priority/set`. Like every command it is obeyed once, after the start-up.
    pub(super) fn receive_task_command(&mut self, id: TaskId, kind: TaskTopic, message: Message) {
        let Some(Message { topic, payload, .. }) = self.due_command(message) else { return };
        let event = if kind == TaskTopic::ModeSet {
            wire::mode(&payload).map(|set| set.map(|(mode, lasting)| Event::Mode(id, mode, lasting)))
        } else {
            wire::priority(&payload).map(|set| set.map(|priority| Event::Priority(id, priority)))
        };
        match event {
            Ok(Some(event)) => {
                self.outputs.info(format!("{topic}: {}", String::from_utf8_lossy(&payload).trim()));
                self.handle(event, &topic);
            }
            Ok(None) => {}
            Err(problem) => self.reject(&topic, &problem.to_string()),
        }
    }
}
