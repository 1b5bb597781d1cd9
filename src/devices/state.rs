//! The state of one device, put together from what it tells on several topics.
//!
//! Refuses to guess: before its state topic said whether it runs there is no state, and what it must be runnable by has
//! to be told first.

use minijinja::value::Serde;
use serde_json::{Map, Value};

use super::reading::Reading;
use super::task::Task;
use super::template::Message;
use crate::core::TaskState;
use crate::wire::without_nulls;

/// So many fields of its messages are kept for criteria at most; then only those of the newest message.
const MOST_FIELDS: usize = 256;

/// Messages that are longer tell no fields.
const LARGEST: usize = 64 * 1024;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Assembled {
    running: Option<bool>,
    runnable: Option<bool>,
    stoppable: Option<bool>,
    /// What JSON objects told, the newest value of each.
    fields: Map<String, Value>,
    /// What the scheduler was told last.
    told: Option<TaskState>,
}

/// What a message changed.
#[derive(Debug, PartialEq)]
pub(super) enum Change {
    /// Nothing, and nothing was said anew.
    None,
    /// This is its state now.
    State(TaskState),
    /// Nobody knows any more whether it runs.
    Cleared,
}

impl Assembled {
    /// Takes in a message, if it is on one of the topics of the task's state. Answers also what could not be read.
    pub(super) fn receive(&mut self, task: &Task, message: &Message<'_>, replayed: bool) -> (Change, Vec<String>) {
        let (mut listens, mut said, mut refused) = (false, false, Vec::new());
        let parts = [
            ("", &task.running, &mut self.running),
            ("runnable: ", &task.runnable, &mut self.runnable),
            ("stoppable: ", &task.stoppable, &mut self.stoppable),
        ];
        for (name, source, known) in parts {
            let Some(source) = source.as_ref().filter(|source| source.topic == message.topic()) else { continue };
            listens = true;
            match source.read(message) {
                Ok(Reading::Said(value)) => *known = Some(value),
                Ok(Reading::Unknown) => *known = None,
                Ok(Reading::Nothing) => continue,
                Err(why) => {
                    refused.push(format!("{name}{why}"));
                    continue;
                }
            }
            said = true;
        }
        if !listens {
            return (Change::None, refused);
        }
        if refused.is_empty() {
            self.keep_fields(message.text());
        }
        // What the broker replays is as old as it was.
        (self.change(task, said && !replayed), refused)
    }

    /// Whether it runs is known.
    pub(super) fn is_known(&self) -> bool {
        self.running.is_some()
    }

    /// It runs, or not, from now on.
    pub(super) fn assume(&mut self, task: &Task, running: bool) -> Change {
        self.running = Some(running);
        self.change(task, true)
    }

    /// `anew`: also when it is what it was.
    fn change(&mut self, task: &Task, anew: bool) -> Change {
        let state = self.compose(task);
        if state == self.told && !(anew && state.is_some()) {
            return Change::None;
        }
        self.told = state.clone();
        state.map_or(Change::Cleared, Change::State)
    }

    fn compose(&self, task: &Task) -> Option<TaskState> {
        let running = self.running?;
        let mut fields = self.fields.clone();
        fields.entry("running").or_insert(running.into());
        Some(TaskState {
            running,
            runnable: task.runnable.is_none() || self.runnable == Some(true),
            stoppable: self.stoppable,
            // The words of a vendor are not ours: a `power` of a plug is what it measures now.
            fields: minijinja::Value::from(Serde(fields)),
            ..TaskState::default()
        })
    }

    fn keep_fields(&mut self, text: &str) {
        if text.len() > LARGEST || !text.trim_start().starts_with('{') {
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
