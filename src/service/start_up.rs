//! The start-up order of SPEC section 2: first everything retained comes in, then Sunward is online.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use tokio::time::Instant;

use crate::core::TaskId;
use crate::mqtt::Message;
use crate::units::Watts;

/// The retained messages have come in when it is quiet for so long,
const QUIET: Duration = Duration::from_secs(1);

/// or so long after the subscriptions were answered at most.
const LONGEST: Duration = Duration::from_secs(5);

/// So many commands are kept for later at most.
const MOST_COMMANDS: usize = 100;

#[derive(Debug, Default)]
pub(super) struct StartUp {
    closed: bool,
    subscribed: Option<Instant>,
    heard: Option<Instant>,
    commands: Vec<Message>,
    paused_since: Option<Timestamp>,
    setpoints: BTreeMap<TaskId, Option<Watts>>,
}

/// What is read of one's own state.
#[derive(Deserialize)]
struct OwnState {
    paused: bool,
    since: Option<Timestamp>,
}

impl StartUp {
    pub(super) fn is_open(&self) -> bool {
        !self.closed
    }

    /// The subscriptions are answered.
    pub(super) fn subscribed(&mut self) {
        self.subscribed.get_or_insert_with(Instant::now);
    }

    /// The connection is gone: the next one brings everything that is retained anew.
    pub(super) fn lost(&mut self) {
        (self.subscribed, self.heard) = (None, None);
    }

    /// Something retained came in.
    pub(super) fn heard(&mut self) {
        self.heard = Some(Instant::now());
    }

    /// A command that came too early.
    pub(super) fn keep(&mut self, message: Message) {
        if self.commands.len() < MOST_COMMANDS {
            self.commands.push(message);
        }
    }

    /// What an earlier run told.
    pub(super) fn own_state(&mut self, payload: &[u8], now: Timestamp) {
        match serde_json::from_slice(payload) {
            Ok(OwnState { paused: true, since }) => {
                self.paused_since = Some(since.unwrap_or(now));
            }
            Ok(_) => self.paused_since = None,
            Err(problem) => tracing::warn!("the state of an earlier run can't be read: {problem}"),
        }
    }

    /// A set-point of an earlier run.
    pub(super) fn own_setpoint(&mut self, id: TaskId, payload: &[u8]) {
        let watts = std::str::from_utf8(payload).ok().and_then(|text| text.trim().parse().ok());
        self.setpoints.insert(id, watts.filter(|watts: &f64| watts.is_finite()).map(Watts));
    }

    /// The set-points of an earlier run; none where what is retained can't be read.
    pub(super) fn take_setpoints(&mut self) -> BTreeMap<TaskId, Option<Watts>> {
        std::mem::take(&mut self.setpoints)
    }

    pub(super) fn paused_since(&self) -> Option<Timestamp> {
        self.paused_since
    }

    /// Waits until everything retained has come in; for ever while there is no connection.
    pub(super) async fn over(&self) {
        let Some(subscribed) = self.subscribed else { return std::future::pending().await };
        let quiet = self.heard.unwrap_or(subscribed).max(subscribed) + QUIET;
        tokio::time::sleep_until(quiet.min(subscribed + LONGEST)).await;
    }

    /// Ends it, and hands out the commands that came meanwhile.
    pub(super) fn close(&mut self) -> Vec<Message> {
        self.closed = true;
        std::mem::take(&mut self.commands)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_breaks_meanwhile_begins_the_start_up_anew() {
        let mut start_up = StartUp::default();
        let over = async |start_up: &StartUp| {
            let before = Instant::now();
            tokio::time::timeout(LONGEST * 2, start_up.over()).await.ok().map(|()| before.elapsed())
        };
        assert_eq!(over(&start_up).await, None);
        start_up.subscribed();
        start_up.heard();
        start_up.lost();
        assert_eq!(over(&start_up).await, None);
        start_up.subscribed();
        assert_eq!(over(&start_up).await, Some(QUIET));
    }
}
