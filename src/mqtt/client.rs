//! The one task that talks to the broker: connects, and starts again whenever a connection has ended.

use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::sleep;

use super::backoff::Backoff;
use super::broker_session::{BrokerSession, Ends};
use super::client_id_conflict::ClientIdConflicts;
use super::disconnect::Cause;
use super::message::Incoming;
use super::protocol::Protocol;

/// So long a client id that somebody else uses is left alone: to take it back would only go on until one of the two gives up.
const RENAMED: Duration = Duration::from_secs(3_600);

/// The task.
pub(super) struct Client {
    pub(super) ends: Ends,
    /// Dropped at the end: that is how [`super::Handle::close`] learns of it.
    pub(super) done: watch::Sender<()>,
}

impl Client {
    /// Connects again and again until the owner closes.
    pub(super) async fn run(self) {
        let mut backoff = Backoff::default();
        let mut conflicts = ClientIdConflicts::default();
        let mut reported = None;
        let (mut first, mut trial) = (true, None);
        let mut conflict_at: Option<Instant> = None;
        // An owner that closes right after it began is still served: what it published goes with the first attempt.
        loop {
            let renamed = trial.is_some() || conflict_at.is_some_and(|at| at.elapsed() < RENAMED);
            let mut session = BrokerSession::new(&self.ends, first, trial, renamed);
            let Err(disconnect) = session.run().await else { break };
            let held = session.since.map(|since| since.elapsed());
            first &= held.is_none();
            let now = Instant::now();
            self.ends.shared.outbox().connection_lost(now);
            let conflict = match (disconnect.cause, held) {
                (Cause::ClientIdConflict, _) => conflicts.told(now),
                (cause, Some(_)) if trial.is_some() => {
                    conflicts.tried(cause == Cause::TrialOver);
                    None
                }
                (Cause::HungUp, Some(held)) if !renamed => conflicts.closed(held, now),
                _ => {
                    conflicts.ended_otherwise();
                    None
                }
            };
            if let Some(times) = conflict {
                conflict_at = Some(now);
                self.ends.inbox.send(Incoming::ClientIdConflict { times });
            }
            // The same failure over and over is reported once.
            let new = first && self.ends.options.protocol == Protocol::V5;
            let reason = disconnect.explain(&self.ends.options.broker(), new);
            if held.is_some() || reported.as_ref() != Some(&reason) {
                self.ends.inbox.send(Incoming::Disconnected { reason: reason.clone() });
                reported = Some(reason);
            }
            trial = conflicts.trial(now);
            let pause = match disconnect.cause {
                Cause::TrialOver => Duration::ZERO,
                _ if trial.is_some() => Duration::ZERO,
                Cause::LoginRefused => backoff.after_refusal(fastrand::f64()),
                _ => backoff.after_disconnect(held.unwrap_or_default(), fastrand::f64()),
            };
            self.pause(pause).await;
            if self.ends.shared.is_closing() {
                break;
            }
        }
        drop(self.done);
    }

    async fn pause(&self, pause: Duration) {
        let end = sleep(pause);
        tokio::pin!(end);
        while !self.ends.shared.is_closing() {
            tokio::select! {
                () = &mut end => return,
                () = self.ends.shared.wake.notified() => {}
            }
        }
    }
}
