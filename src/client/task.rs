//! A program that is a task: registered, reachable, and commanded by the scheduler.
//!
//! Commands are not queued: a slow caller learns what is wanted now, not what was wanted before. Replayed ones are ignored: a
//! plug that reboots must not obey the past.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::error::ClientError;
use super::knowledge::Knowledge;
use super::power_record::PowerRecord;
use super::registration::{Registration, State};
use crate::config::Mqtt;
use crate::mqtt::{Connection, Handle, Inbox, Incoming, Message, Outgoing, PublishError, connect};
use crate::units::Watts;
use crate::wire::topics::{TaskId, TaskTopic, Topic, Topics};

/// What the scheduler wants of a task.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TaskCommand {
    /// Run.
    Start,
    /// Don't.
    Stop,
    /// Use up to so much, while running.
    Setpoint(Watts),
}

/// A task. When it is dropped, the broker publishes `offline` for it; the registration stays.
#[derive(Debug)]
pub struct TaskClient {
    shared: Arc<TaskConnection>,
    connection: Connection,
}

impl TaskClient {
    /// Registers a task, now and after every reconnect. Returns at once, whether the broker is there or not.
    ///
    /// The client id is `<mqtt.client_id>-<id>`. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When a setting cannot work.
    pub fn register(mqtt: &Mqtt, id: TaskId, registration: Registration) -> Result<Self, ClientError> {
        let topics = Topics::new(&mqtt.base_topic)?;
        let options = mqtt.options()?.with_client_id_suffix(&id);
        let filters = [
            topics.task(&id, TaskTopic::Set),
            topics.task(&id, TaskTopic::Setpoint),
            topics.scheduler_availability(),
            topics.scheduler_state(),
        ];
        let will = Outgoing::state(topics.task(&id, TaskTopic::Availability), "offline");
        let (handle, inbox, connection) = connect(options, filters, Some(will))?;
        let inner = Mutex::new(Inner { registration, ..Inner::default() });
        let shared = Arc::new(TaskConnection { topics, id, handle, inner, wake: Notify::new() });
        // Published again when connected; a registration that can't be sent at all is an error here and now.
        shared.announce()?;
        tokio::spawn(follow(shared.clone(), inbox));
        Ok(Self { shared, connection })
    }

    /// Returns its id.
    #[must_use]
    pub fn id(&self) -> &TaskId {
        &self.shared.id
    }

    /// Changes the registration.
    ///
    /// # Errors
    /// When it can't be sent.
    pub fn update(&self, registration: Registration) -> Result<(), ClientError> {
        self.shared.lock().registration = registration;
        self.shared.announce()
    }

    /// Publishes the state, now and after every reconnect.
    ///
    /// # Errors
    /// When it can't be sent.
    pub fn publish_state(&self, state: State) -> Result<(), ClientError> {
        let message = self.shared.state(&state)?;
        self.shared.lock().state = Some(state);
        Ok(self.shared.handle.publish(message)?)
    }

    /// Waits for the next command. Of several that came in meanwhile only the last is returned, likewise of set-points.
    /// Returns `None` once the task is closed, never before. Safe to cancel.
    pub async fn next(&mut self) -> Option<TaskCommand> {
        loop {
            let waiting = self.shared.wake.notified();
            {
                let mut inner = self.shared.lock();
                // The set-point first: an appliance that starts should know how far it may go.
                let command = inner.setpoint.take().map(TaskCommand::Setpoint).or_else(|| inner.switch.take());
                if command.is_some() || inner.closed {
                    return command;
                }
            }
            waiting.await;
        }
    }

    /// Returns whether the scheduler is paused. One that is absent, offline or out of reach counts as paused: nobody will
    /// start or stop this task, and it may do as it likes.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.shared.lock().scheduler.is_paused()
    }

    /// Publishes a power record on `<base>/power`; lost if the broker is away for more than ten seconds.
    ///
    /// # Errors
    /// When it can't be sent.
    pub fn publish_power(&self, record: &PowerRecord) -> Result<(), ClientError> {
        let record = serde_json::to_vec(record)?;
        Ok(self.shared.handle.publish(Outgoing::telemetry(self.shared.topics.power(), record))?)
    }

    /// Publishes `offline` and ends the connection; the registration stays. Returns whether the broker confirmed it.
    pub async fn close(self) -> bool {
        let last = vec![self.shared.retained(TaskTopic::Availability, "offline")];
        self.end(last).await
    }

    /// Takes the registration back and ends the connection. Returns whether the broker confirmed it.
    pub async fn unregister(self) -> bool {
        let topics = [TaskTopic::Config, TaskTopic::State, TaskTopic::Availability];
        let last = topics.map(|topic| self.shared.retained(topic, Vec::new())).into();
        self.end(last).await
    }

    async fn end(self, last: Vec<Outgoing>) -> bool {
        let Self { shared, connection } = self;
        shared.lock().closed = true;
        let confirmed = shared.handle.clone().close(last).await;
        drop(connection);
        confirmed
    }
}

#[derive(Debug)]
struct TaskConnection {
    topics: Topics,
    id: TaskId,
    handle: Handle,
    inner: Mutex<Inner>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    registration: Registration,
    state: Option<State>,
    scheduler: Knowledge,
    switch: Option<TaskCommand>,
    setpoint: Option<Watts>,
    closed: bool,
}

impl TaskConnection {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // No code that holds the lock can leave the fields half changed.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn retained(&self, topic: TaskTopic, payload: impl Into<Vec<u8>>) -> Outgoing {
        Outgoing::state(self.topics.task(&self.id, topic), payload)
    }

    fn state(&self, state: &State) -> Result<Outgoing, serde_json::Error> {
        Ok(self.retained(TaskTopic::State, serde_json::to_vec(state)?))
    }

    /// Everything that the broker should know of this task.
    fn announce(&self) -> Result<(), ClientError> {
        let mut messages = vec![self.retained(TaskTopic::Availability, "online")];
        {
            let inner = self.lock();
            if inner.closed {
                return Ok(());
            }
            messages.push(self.retained(TaskTopic::Config, serde_json::to_vec(&inner.registration)?));
            if let Some(state) = &inner.state {
                messages.push(self.state(state)?);
            }
        }
        let results: Result<Vec<()>, PublishError> =
            messages.into_iter().map(|message| self.handle.publish(message)).collect();
        Ok(results.map(|_| ())?)
    }

    fn receive(&self, message: &Message) {
        let Some(topic) = self.topics.parse(&message.topic) else { return };
        let text = String::from_utf8_lossy(&message.payload);
        let text = text.trim();
        let mut inner = self.lock();
        match topic {
            Topic::Task(_, TaskTopic::Set) if !message.retain => inner.switch = inner.command(text).or(inner.switch),
            Topic::Task(_, TaskTopic::Setpoint) => {
                inner.setpoint =
                    text.parse().ok().filter(|watts: &f64| watts.is_finite()).map(Watts).or(inner.setpoint);
            }
            topic => {
                inner.scheduler.observe(&topic, &message.payload);
            }
        }
        drop(inner);
        self.wake.notify_one();
    }
}

impl Inner {
    fn command(&self, text: &str) -> Option<TaskCommand> {
        let says = |own: &Option<String>, default: &str| own.as_deref().unwrap_or(default).eq_ignore_ascii_case(text);
        if says(&self.registration.payload_on, "start") {
            Some(TaskCommand::Start)
        } else if says(&self.registration.payload_off, "stop") {
            Some(TaskCommand::Stop)
        } else {
            None
        }
    }
}

/// Takes what comes in, for as long as the connection isn't closed.
async fn follow(shared: Arc<TaskConnection>, mut inbox: Inbox) {
    while let Some(item) = inbox.next().await {
        match item {
            Incoming::Connected { .. } => {
                shared.lock().scheduler.forget();
                if let Err(problem) = shared.announce() {
                    tracing::warn!("task {} could not announce itself: {problem}", shared.id);
                }
            }
            Incoming::Message(message) => shared.receive(&message),
            Incoming::Disconnected { reason } => {
                shared.lock().scheduler.forget();
                tracing::info!("task {}: {reason}", shared.id);
            }
            Incoming::Refused { what } => tracing::warn!("task {}: {what}", shared.id),
            Incoming::ClientIdConflict { times } => {
                tracing::warn!("task {}: thrown out {times} times; does it run twice?", shared.id);
            }
            Incoming::Subscribed | Incoming::CommandSent { .. } | Incoming::Dropped { .. } | Incoming::Answered => {}
        }
    }
    shared.lock().closed = true;
    shared.wake.notify_one();
}
