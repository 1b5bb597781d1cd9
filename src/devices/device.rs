//! One configured task while Sunward runs: what its device told, when it is asked, what it was allowed last.
//!
//! Refuses to send: what is to be sent is answered.

use std::time::Duration;

use minijinja::context;

use super::Heard;
use super::reading::Reading;
use super::state::{Assembled, Change};
use super::task::{Setpoint, Task, ToDevice};
use super::template::{Message, Yield};
use crate::core::{Action, Event, Instant};
use crate::units::Watts;

/// Nobody is asked more often than this.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// One of which nothing is known is asked this often: it may have joined the network after the last question.
const UNTIL_KNOWN: Duration = Duration::from_secs(60);

/// See the module.
#[derive(Debug)]
pub(super) struct Device {
    pub(super) task: Task,
    state: Assembled,
    available: Option<bool>,
    /// How it was when an earlier run ended.
    was_running: bool,
    heard: Option<Instant>,
    asked: Option<Instant>,
    /// What it was told last of what it may use.
    setpoint: Option<ToDevice>,
}

impl Device {
    pub(super) fn new(task: Task) -> Self {
        let state = Assembled::default();
        Self { task, state, available: None, was_running: false, heard: None, asked: None, setpoint: None }
    }

    pub(super) fn registered(&self) -> Event {
        Event::Registered(self.task.id.clone(), Box::new(self.task.registration.clone()))
    }

    /// Takes in a message; `replayed`: the broker had kept it. Answers whether the device has just come, and has to be
    /// asked.
    pub(super) fn receive(
        &mut self,
        message: &Message<'_>,
        replayed: bool,
        now: Instant,
        heard: &mut Vec<Heard>,
    ) -> bool {
        let (change, refused) = self.state.receive(&self.task, message, replayed);
        heard.extend(self.event(change, now).map(Ok));
        let id = &self.task.id;
        for why in refused {
            heard.push(Ok(Event::StateRefused(id.clone(), why.clone())));
            heard.push(Err(format!("task {id}: {why}")));
        }
        self.receive_availability(message, replayed, heard)
    }

    fn receive_availability(&mut self, message: &Message<'_>, replayed: bool, heard: &mut Vec<Heard>) -> bool {
        let id = &self.task.id;
        let Some(source) = self.task.availability.as_ref().filter(|source| source.topic == message.topic()) else {
            return false;
        };
        match source.read(message) {
            Ok(Reading::Said(available)) => {
                heard.push(Ok(Event::Availability(id.clone(), Some(available))));
                let was_away = self.available == Some(false);
                self.available = Some(available);
                // A plug that the same power cut took tells that it is there after Sunward has asked.
                available && (was_away || !replayed && !self.state.is_known())
            }
            Ok(Reading::Unknown | Reading::Nothing) => false,
            Err(why) => {
                heard.push(Err(format!("task {id}: availability: {why}")));
                false
            }
        }
    }

    fn event(&mut self, change: Change, now: Instant) -> Option<Event> {
        let id = self.task.id.clone();
        match change {
            Change::None => None,
            Change::Cleared => Some(Event::StateCleared(id)),
            Change::State(state) => {
                self.heard = Some(now);
                Some(Event::State(id, Box::new(state)))
            }
        }
    }

    // Where nobody answers.

    /// A command has left: that is the state, where nothing else tells it.
    pub(super) fn sent(&mut self, payload: &[u8], now: Instant) -> Option<Event> {
        let commands = &self.task.commands;
        let running = payload == commands.on.as_bytes();
        if !self.task.optimistic || !running && payload != commands.off.as_bytes() {
            return None;
        }
        let change = self.state.assume(&self.task, running);
        self.event(change, now)
    }

    pub(super) fn recall(&mut self, was_running: bool) {
        self.was_running = was_running;
    }

    /// Everything retained has come in.
    pub(super) fn settle(&mut self, now: Instant) -> Option<Event> {
        if !self.task.optimistic || self.state.is_known() {
            return None;
        }
        let change = self.state.assume(&self.task, self.was_running);
        self.event(change, now)
    }

    // What it is told.

    pub(super) fn command(&self, action: Action) -> ToDevice {
        ToDevice { topic: self.task.command_topic.clone(), payload: self.task.commands.of(action).to_owned() }
    }

    /// What one is told that may have been away: how much it may use, and that it should say how it is.
    pub(super) fn greet(&mut self, now: Instant) -> Vec<ToDevice> {
        self.setpoint.clone().into_iter().chain(self.ask(now)).collect()
    }

    pub(super) fn ask(&mut self, now: Instant) -> Option<ToDevice> {
        let question = self.task.query.clone()?;
        self.asked = Some(now);
        Some(question)
    }

    /// When to ask, so that the answer comes before the state expires: after two thirds of that time, then every third.
    /// Until anything is known, more than once in any case.
    pub(super) fn asks_at(&self) -> Option<Instant> {
        self.task.query.as_ref()?;
        if self.heard.is_none() && self.task.registration.expire_after.is_none() {
            return self.asked.map(|asked| asked + UNTIL_KNOWN);
        }
        let third = (self.task.registration.expire_after? / 3).max(SHORTEST_PAUSE);
        let heard = self.heard.map(|heard| heard + 2 * third);
        let asked = self.asked.map(|asked| asked + third);
        heard.max(asked)
    }

    /// It may use so many watts; `None`: it takes no set-point of its own.
    ///
    /// # Errors
    /// The topic, and why its template made nothing of them.
    pub(super) fn allow(&mut self, watts: Watts) -> Option<Result<ToDevice, (String, String)>> {
        let Setpoint { topic, template } = self.task.setpoint.as_ref()?;
        let payload = match template {
            None => Ok(whole(watts).to_string()),
            Some(template) => match template.fill(context! { value => whole(watts) }) {
                Ok(Yield::Text(text)) => Ok(text),
                Ok(Yield::Absent(why)) => Err(why.to_string()),
                Err(failure) => Err(failure.to_string()),
            },
        };
        Some(match payload {
            Ok(payload) => {
                let message = ToDevice { topic: topic.clone(), payload };
                self.setpoint = Some(message.clone());
                Ok(message)
            }
            Err(why) => {
                let id = &self.task.id;
                Err((topic.clone(), format!("task {id}: setpoint_template made nothing of {} W: {why}", watts.0)))
            }
        })
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a power lies within ±10 MW")]
fn whole(watts: Watts) -> i64 {
    watts.0.round() as i64
}
