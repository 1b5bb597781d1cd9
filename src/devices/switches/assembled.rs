//! The state of one device, assembled from what it tells on several topics.
//!
//! There is no state before the device has told whether it runs. If it has a topic or template for `runnable`, it is not
//! runnable before it has told so.

use serde_json::{Map, Value};

use super::binary::BinaryValue;
use super::configured::DeviceTask;
use crate::core::TaskState;
use crate::devices::template::DeviceMessage;
use crate::wire::without_nulls;

/// The most fields that are kept for criteria. When there would be more, only those of the newest message stay.
const MOST_FIELDS: usize = 256;

/// The longest message of which fields are kept, in bytes.
const LONGEST: usize = 64 * 1024;

/// What a device has told about its state.
#[derive(Debug, Default)]
pub(super) struct AssembledState {
    running: Option<bool>,
    runnable: Option<bool>,
    stoppable: Option<bool>,
    /// The fields of its JSON objects, the newest value of each.
    fields: Map<String, Value>,
    /// The state as the scheduler knows it.
    reported: Option<TaskState>,
}

/// What a message changed.
#[derive(Debug, PartialEq)]
pub(super) enum StateChange {
    /// Nothing.
    None,
    /// This is its state now. It may be what it was, told again.
    State(TaskState),
    /// It is not known any more whether it runs.
    Cleared,
}

impl AssembledState {
    /// Takes a message, which may be on none of the task's topics. Returns what it changed, and what could not be read.
    /// `retained`: the broker had kept the message.
    pub(super) fn receive(
        &mut self,
        task: &DeviceTask,
        message: &DeviceMessage<'_>,
        retained: bool,
    ) -> (StateChange, Vec<String>) {
        let (mut listens, mut told, mut rejected) = (false, false, Vec::new());
        let parts = [
            ("", &task.running, &mut self.running),
            ("runnable: ", &task.runnable, &mut self.runnable),
            ("stoppable: ", &task.stoppable, &mut self.stoppable),
        ];
        for (name, topic, known) in parts {
            let Some(topic) = topic.as_ref().filter(|topic| topic.topic == message.topic()) else { continue };
            listens = true;
            match topic.read(message) {
                Ok(BinaryValue::Known(value)) => *known = Some(value),
                Ok(BinaryValue::Unknown) => *known = None,
                Ok(BinaryValue::Untold) => continue,
                Err(why) => {
                    rejected.push(format!("{name}{why}"));
                    continue;
                }
            }
            told = true;
        }
        if !listens {
            return (StateChange::None, rejected);
        }
        if rejected.is_empty() {
            self.keep_fields(message.text());
        }
        // A retained message is as old as it was, and no sign of life.
        (self.change(task, told && !retained), rejected)
    }

    /// Returns whether it is known whether the device runs.
    pub(super) fn is_known(&self) -> bool {
        self.running.is_some()
    }

    /// Sets whether it runs, although it hasn't told.
    pub(super) fn assume(&mut self, task: &DeviceTask, running: bool) -> StateChange {
        self.running = Some(running);
        self.change(task, true)
    }

    /// Returns the change since the last call. `told_again`: a state is one even if it is what it was.
    fn change(&mut self, task: &DeviceTask, told_again: bool) -> StateChange {
        let state = self.compose(task);
        if state == self.reported && !(told_again && state.is_some()) {
            return StateChange::None;
        }
        self.reported = state.clone();
        state.map_or(StateChange::Cleared, StateChange::State)
    }

    fn compose(&self, task: &DeviceTask) -> Option<TaskState> {
        let running = self.running?;
        let mut fields = self.fields.clone();
        fields.entry("running").or_insert(running.into());
        Some(TaskState {
            running,
            runnable: task.runnable.is_none() || self.runnable == Some(true),
            stoppable: self.stoppable,
            // A vendor's fields set nothing else, even if they have Sunward's names: the `power` of a plug is what it measures.
            fields: fields.into(),
            ..TaskState::default()
        })
    }

    fn keep_fields(&mut self, text: &str) {
        if text.len() > LONGEST || !text.trim_start().starts_with('{') {
            return;
        }
        let Ok(Value::Object(object)) = serde_json::from_str(text) else { return };
        if self.fields.len() + object.len() > MOST_FIELDS {
            self.fields.clear();
        }
        for (name, value) in object {
            if value.is_null() {
                self.fields.remove(&name);
            } else if self.fields.len() < MOST_FIELDS {
                self.fields.insert(name, without_nulls(value));
            }
        }
    }
}
