//! What the owner holds: to publish, to subscribe, to end the connection well.
//!
//! Nothing blocks: everything is put down for the task that talks to the broker and goes when it can.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::message::{Outgoing, PublishError};
use super::outbox::Outbox;
use super::subscriptions::Subscriptions;
use crate::wire::topic::check_filter;

/// How long the end may take: the last messages, their acknowledgements and the DISCONNECT.
pub(super) const CLOSING: Duration = Duration::from_secs(5);

/// Publishes and subscribes. Clones share one connection.
#[derive(Debug, Clone)]
pub struct Handle {
    pub(super) shared: Arc<Shared>,
    pub(super) done: watch::Receiver<()>,
}

impl Handle {
    /// Puts a message down to be sent as soon as the broker is there.
    ///
    /// # Errors
    /// When the topic or the size can't be sent, when too much waits already, or after the end of the connection.
    pub fn publish(&self, message: Outgoing) -> Result<(), PublishError> {
        message.check(self.shared.limit())?;
        let topic = message.topic.clone();
        let mut outbox = self.shared.outbox();
        // Asked under the lock: nothing may slip in behind the last words.
        if self.shared.is_closing() {
            return Err(PublishError::Closed { topic });
        }
        outbox.put(message, Instant::now()).map_err(|_| PublishError::Full { topic })?;
        drop(outbox);
        self.shared.wake.notify_one();
        Ok(())
    }

    /// Asks for what is published under a filter, now and after every reconnect. Asking again for the same filter
    /// replays its retained messages.
    ///
    /// # Errors
    /// When it is not a filter.
    pub fn subscribe(&self, filter: impl Into<String>) -> Result<(), PublishError> {
        let filter = filter.into();
        check_filter(&filter).map_err(PublishError::Topic)?;
        self.shared.subscriptions().add(filter);
        self.shared.wake.notify_one();
        Ok(())
    }

    /// Ends what [`Handle::subscribe`] began.
    pub fn unsubscribe(&self, filter: &str) {
        self.shared.subscriptions().remove(filter);
        self.shared.wake.notify_one();
    }

    /// Asks the broker whether it lives. [`super::Incoming::Answered`] says so, behind all that it had sent before; one that is
    /// away or frozen doesn't answer.
    pub fn ask(&self) {
        self.shared.question.store(true, Ordering::Release);
        self.shared.wake.notify_one();
    }

    /// Sends `last` (an `offline`, say) after all that waits, waits for the broker's acknowledgements for at most five
    /// seconds, and disconnects. Between two attempts to connect there is nothing to wait for.
    ///
    /// Returns whether the broker confirmed everything.
    pub async fn close(mut self, last: Vec<Outgoing>) -> bool {
        self.last_words(last);
        self.shared.wake.notify_one();
        // Nothing is ever sent here: the sender lives in the task and goes with it.
        let _ = self.done.changed().await;
        self.shared.outbox().is_empty()
    }

    fn last_words(&self, last: Vec<Outgoing>) {
        let mut outbox = self.shared.outbox();
        for message in last {
            match message.check(self.shared.limit()) {
                Ok(()) => outbox.put_last(message, Instant::now()),
                Err(problem) => tracing::warn!("one of the last messages can't be sent: {problem}"),
            }
        }
        self.shared.closing.store(true, Ordering::Release);
    }
}

/// Ends the connection when it is dropped, abruptly: the broker will publish the last will. [`Handle::close`] is the
/// polite way.
#[derive(Debug)]
#[must_use = "the connection ends when this is dropped"]
pub struct Connection(pub(super) JoinHandle<()>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What the handles and the task have in common.
#[derive(Debug)]
pub(super) struct Shared {
    outbox: Mutex<Outbox>,
    subscriptions: Mutex<Subscriptions>,
    /// Something was put down for the task.
    pub(super) wake: Notify,
    pub(super) closing: AtomicBool,
    /// The owner asks whether the broker lives, and was not answered yet.
    pub(super) question: AtomicBool,
    own_limit: u32,
    broker_limit: AtomicU32,
}

impl Shared {
    pub(super) fn new(own_limit: u32, subscriptions: Subscriptions) -> Self {
        Self {
            outbox: Mutex::default(),
            subscriptions: Mutex::new(subscriptions),
            wake: Notify::new(),
            closing: AtomicBool::new(false),
            question: AtomicBool::new(false),
            own_limit,
            broker_limit: AtomicU32::new(u32::MAX),
        }
    }

    // A poisoned lock means that a panic is on its way through the process; neither structure is ever left half changed.
    pub(super) fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn subscriptions(&self) -> MutexGuard<'_, Subscriptions> {
        self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The largest packet that may be sent now.
    pub(super) fn limit(&self) -> u32 {
        self.own_limit.min(self.broker_limit.load(Ordering::Relaxed))
    }

    pub(super) fn set_broker_limit(&self, limit: Option<u32>) {
        self.broker_limit.store(limit.unwrap_or(u32::MAX), Ordering::Relaxed);
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }
}
