//! A program's view of the scheduler: what it publishes, commands for it, power records to feed it.
//!
//! What it publishes is returned as it came, without a judgement about its age.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use thiserror::Error;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::error::ClientError;
use super::knowledge::Knowledge;
use super::power_record::PowerRecord;
use crate::config::Mqtt;
use crate::mqtt::{Connection, Handle, Inbox, Incoming, Options, Outgoing, connect};
use crate::wire::report::{SchedulerCycle, SchedulerState, TaskReport};
use crate::wire::topics::{TaskId, TaskTopic, Topics};

/// A broker replays what it retains in one go; nothing more for this long means that everything is there.
const QUIET: Duration = Duration::from_millis(200);

/// What a user may want of the scheduler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Leave everything as it is until further notice.
    Pause,
    /// Go on.
    Resume,
    /// Stop whatever can be stopped, then pause.
    StopAll,
    /// Run a cycle now.
    Schedule,
}

impl Order {
    /// As it is published.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::StopAll => "stop_all",
            Self::Schedule => "schedule",
        }
    }
}

/// The broker wasn't reached in time, or would not have it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}", reason.as_deref().unwrap_or("no answer from the broker"))]
pub struct NotReady {
    /// Why, as far as it is known.
    pub reason: Option<String>,
}

/// The scheduler, seen through the broker.
#[derive(Debug)]
pub struct SchedulerClient {
    topics: Topics,
    handle: Handle,
    knowledge: Arc<Mutex<Knowledge>>,
    progress: watch::Receiver<Progress>,
    connection: Connection,
}

/// How far the connection has come; sent with every message too.
#[derive(Debug, Clone, Default)]
struct Progress {
    subscribed: bool,
    reason: Option<String>,
    /// What the broker refused last.
    refused: Option<String>,
}

impl SchedulerClient {
    /// Connects, now and after every disconnect. Returns at once; [`SchedulerClient::ready`] waits.
    ///
    /// The client id is `<mqtt.client_id>-client-<process id>`. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When a setting cannot work.
    pub fn connect(mqtt: &Mqtt) -> Result<Self, ClientError> {
        let topics = Topics::new(&mqtt.base_topic)?;
        Self::connect_with(topics, mqtt.options()?)
    }

    /// As [`SchedulerClient::connect`], to the broker of these options.
    ///
    /// # Errors
    /// When a topic can't be subscribed to.
    pub(crate) fn connect_with(topics: Topics, options: Options) -> Result<Self, ClientError> {
        let options = options.with_client_id_suffix(format_args!("client-{}", std::process::id()));
        let filters = [
            topics.scheduler_availability(),
            topics.scheduler_state(),
            topics.scheduler_cycle(),
            topics.every_task(TaskTopic::Report),
        ];
        let (handle, inbox, connection) = connect(options, filters, None)?;
        let (sender, progress) = watch::channel(Progress::default());
        let knowledge = Arc::default();
        tokio::spawn(follow(topics.clone(), inbox, Arc::clone(&knowledge), sender));
        Ok(Self { topics, handle, knowledge, progress, connection })
    }

    /// Waits until everything that the broker retains of the scheduler has come in.
    ///
    /// # Errors
    /// When the broker isn't reached within `patience`, with the last reason.
    pub async fn ready(&mut self, patience: Duration) -> Result<(), NotReady> {
        let settled = async {
            if self.progress.wait_for(|progress| progress.subscribed).await.is_ok() {
                while timeout(QUIET, self.progress.changed()).await.is_ok_and(|changed| changed.is_ok()) {}
            }
        };
        tokio::select! {
            () = settled => {}
            () = sleep(patience) => {}
        }
        let progress = self.progress.borrow().clone();
        if progress.subscribed { Ok(()) } else { Err(NotReady { reason: progress.reason }) }
    }

    /// Sends a command. It waits for the broker if that is away; [`SchedulerClient::close`] makes sure that it has gone.
    ///
    /// # Errors
    /// When it can't be sent.
    pub fn order(&self, order: Order) -> Result<(), ClientError> {
        Ok(self.handle.publish(Outgoing::event(self.topics.scheduler_set(), order.as_str()))?)
    }

    /// Publishes a power record on `<base>/power`; lost if the broker is away for more than ten seconds.
    ///
    /// # Errors
    /// When it can't be sent.
    pub fn publish_power(&self, record: &PowerRecord) -> Result<(), ClientError> {
        let record = serde_json::to_vec(record)?;
        Ok(self.handle.publish(Outgoing::telemetry(self.topics.power(), record))?)
    }

    /// Returns whether a scheduler is online, `false` as long as that isn't known.
    #[must_use]
    pub fn is_online(&self) -> bool {
        self.lock().is_online()
    }

    /// Returns whether it is paused. One that is absent, offline or out of reach counts as paused.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.lock().is_paused()
    }

    /// Returns `<base>/scheduler/state` as last published; `None` if none has come yet, or if it can't be read.
    #[must_use]
    pub fn state(&self) -> Option<SchedulerState> {
        self.lock().state.clone()
    }

    /// Returns `<base>/scheduler/cycle` as last published; `None` if none has come yet, or if it can't be read.
    #[must_use]
    pub fn cycle(&self) -> Option<SchedulerCycle> {
        self.lock().cycle.clone()
    }

    /// Returns how the scheduler sees each task, as last published. Tasks whose report is cleared or can't be read are
    /// not in it.
    #[must_use]
    pub fn reports(&self) -> BTreeMap<TaskId, TaskReport> {
        self.lock().reports.clone()
    }

    /// Waits until something has changed. Returns `false` once the connection has been closed. Safe to cancel.
    pub async fn changed(&mut self) -> bool {
        self.progress.changed().await.is_ok()
    }

    /// Sends what is still queued and ends the connection.
    ///
    /// # Errors
    /// When the broker didn't confirm everything, or refused something.
    pub async fn close(self) -> Result<(), NotReady> {
        let Self { handle, connection, mut progress, .. } = self;
        let confirmed = handle.close(Vec::new()).await;
        // What was refused on the way has come in when the inbox ends.
        while progress.changed().await.is_ok() {}
        drop(connection);
        let Progress { reason, refused, .. } = progress.borrow().clone();
        match refused {
            Some(what) => Err(NotReady { reason: Some(what) }),
            None if confirmed => Ok(()),
            None => Err(NotReady { reason }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Knowledge> {
        lock(&self.knowledge)
    }
}

fn lock(knowledge: &Mutex<Knowledge>) -> MutexGuard<'_, Knowledge> {
    // No code that holds the lock can leave the fields half changed.
    knowledge.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn follow(topics: Topics, mut inbox: Inbox, knowledge: Arc<Mutex<Knowledge>>, progress: watch::Sender<Progress>) {
    while let Some(item) = inbox.next().await {
        match item {
            Incoming::Connected { .. } => lock(&knowledge).forget(),
            Incoming::Subscribed => progress.send_modify(|progress| progress.subscribed = true),
            Incoming::Message(message) => {
                if let Some(topic) = topics.parse(&message.topic)
                    && lock(&knowledge).observe(&topic, &message.payload)
                {
                    progress.send_modify(|_| {});
                }
            }
            Incoming::Disconnected { reason } => {
                lock(&knowledge).forget();
                progress.send_modify(|progress| {
                    progress.subscribed = false;
                    progress.reason = Some(reason);
                });
            }
            Incoming::Refused { what } => {
                progress.send_modify(|progress| {
                    progress.reason = Some(what.clone());
                    progress.refused = Some(what);
                });
            }
            Incoming::CommandSent { .. }
            | Incoming::ClientIdConflict { .. }
            | Incoming::Dropped { .. }
            | Incoming::Answered => {}
        }
    }
}
