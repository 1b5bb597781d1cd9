//! Everything that the embedded broker knows, behind one lock that nobody waits under.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use mqtt5_protocol::ReasonCode;
use tokio::sync::{Notify, Semaphore};

use super::access::{Access, Own};
use super::complaints::Complaints;
use super::limits::Limits;
use super::link::Ending;
use super::outgoing;
use super::retained::Retained;
use super::session::Session;

/// The broker's memory, shared by its connections.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<Hub>,
    /// Retained messages have changed.
    pub(super) changed: Notify,
    pub(super) limits: Limits,
    pub(super) access: Access,
    pub(super) own: Own,
    /// One password is checked at a time: that takes a while.
    pub(super) checking: Semaphore,
    /// So many connections that were cut off are still read, see [`super::frames::Frames::discard`].
    pub(super) discarding: Semaphore,
}

impl Shared {
    pub(super) fn new(limits: Limits, access: Access, own: Own, retained: Retained) -> Self {
        let state = Hub { limits: limits.clone(), retained, ..Hub::default() };
        Self {
            state: Mutex::new(state),
            changed: Notify::new(),
            limits,
            access,
            own,
            checking: Semaphore::new(1),
            discarding: Semaphore::new(32),
        }
    }

    /// The memory. Never kept while waiting.
    pub(super) fn hub(&self) -> MutexGuard<'_, Hub> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The broker's memory.
#[derive(Debug, Default)]
pub(super) struct Hub {
    pub(super) limits: Limits,
    /// By client id.
    pub(super) sessions: HashMap<String, Session>,
    pub(super) retained: Retained,
    /// Bytes that wait for all clients.
    pub(super) queued: usize,
    pub(super) complaints: Complaints,
    /// It passes on no last wills any more.
    pub(super) ending: bool,
}

impl Hub {
    /// Returns the session if this link is still its own.
    pub(super) fn session(&mut self, client: &str, link: u64) -> Option<&mut Session> {
        let session = self.sessions.get_mut(client)?;
        session.link.as_ref().is_some_and(|own| own.id == link).then_some(session)
    }

    /// How many others are connected.
    pub(super) fn connections(&self) -> usize {
        self.sessions.values().filter(|session| session.link.is_some() && !session.permissions.own).count()
    }

    /// How many sessions outlive, or would outlive, their connections.
    pub(super) fn kept_sessions(&self) -> usize {
        self.sessions.values().filter(|session| session.is_kept() && !session.permissions.own).count()
    }

    /// How many sessions of an account are so.
    pub(super) fn of_account(&self, user: &str, so: impl Fn(&Session) -> bool) -> usize {
        self.sessions.values().filter(|session| session.permissions.user == user && so(session)).count()
    }

    /// Notes that a connection is gone. Nothing happens if another one has taken its place.
    pub(super) fn disconnected(&mut self, client: &str, link: u64, ending: Ending) {
        let now = Instant::now();
        let ending_all = self.ending;
        let Some(session) = self.session(client, link) else { return };
        session.link = None;
        session.closing = None;
        session.gone_since = Some(now);
        session.replays.clear();
        session.answers.clear();
        if ending == Ending::Goodbye || ending_all {
            session.will = None;
        }
        let wait = session.will.as_ref().map(|will| will.delay.min(session.expiry));
        session.will_due = wait.map(|wait| now + Duration::from_secs(wait.into()));
        let kept = session.is_kept();
        if session.will_due.is_some_and(|due| due <= now) {
            self.publish_will(client);
        }
        if !kept {
            self.forget(client);
        }
    }

    /// Ends a session; its last will is published if it waits.
    pub(super) fn forget(&mut self, client: &str) {
        self.publish_will(client);
        if let Some(mut session) = self.sessions.remove(client) {
            session.queue.clear(&mut self.queued);
        }
    }

    fn publish_will(&mut self, client: &str) {
        let Some(session) = self.sessions.get_mut(client) else { return };
        session.will_due = None;
        if let Some(will) = session.will.take() {
            let (own, publisher) = (session.permissions.own, session.publisher);
            self.pass_on(&will.message, client, publisher, own);
        }
    }

    /// Notes that a client has a message.
    pub(super) fn confirm(&mut self, client: &str, link: u64, id: u16) {
        let Self { sessions, queued, .. } = self;
        let Some(session) = sessions.get_mut(client) else { return };
        if session.link.as_ref().is_some_and(|own| own.id == link) {
            session.queue.confirmed(id, queued);
            session.wake();
        }
    }

    /// Notes that a client won't send a message with QoS 2 again, and answers.
    pub(super) fn let_go(&mut self, client: &str, link: u64, id: u16) {
        if let Some(session) = self.session(client, link) {
            session.taken.remove(&id);
            outgoing::completed(&mut session.answers, id);
            session.wake();
        }
    }

    /// What time alone brings about: last wills that waited, sessions and messages whose time is over.
    pub(super) fn sweep(&mut self) {
        let now = Instant::now();
        let due = |session: &Session| session.will_due.is_some_and(|due| due <= now);
        let over = |session: &Session| {
            let expiry = Duration::from_secs(session.expiry.into());
            session.link.is_none() && session.gone_since.is_some_and(|since| now.duration_since(since) >= expiry)
        };
        let clients = |wanted: &dyn Fn(&Session) -> bool| -> Vec<String> {
            self.sessions.iter().filter(|(_, session)| wanted(session)).map(|(client, _)| client.clone()).collect()
        };
        let (wills, ended) = (clients(&due), clients(&over));
        for client in wills {
            self.publish_will(&client);
        }
        for client in ended {
            self.forget(&client);
        }
        self.retained.expire(SystemTime::now());
    }

    /// Ends all connections.
    pub(super) fn end(&mut self) {
        self.ending = true;
        for session in self.sessions.values_mut() {
            session.closing = Some(ReasonCode::ServerShuttingDown);
            session.wake();
        }
    }
}
