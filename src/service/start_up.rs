//! The start-up: first everything retained comes in, then Sunward is online (`docs/mqtt.md`).

use std::time::Duration;

use super::pace::Pace;
use crate::core::Instant;
use crate::mqtt::Message;

/// The retained messages have come in when it is quiet for so long,
const QUIET: Duration = Duration::from_secs(1);

/// or so long after the subscriptions were answered at most.
const LONGEST: Duration = Duration::from_secs(5);

/// So many commands are kept for later at most.
const MOST_COMMANDS: usize = 100;

#[derive(Debug)]
pub(super) struct StartUp {
    over: bool,
    quiet: Duration,
    longest: Duration,
    subscribed: Option<Instant>,
    last_retained: Option<Instant>,
    commands: Vec<Message>,
}

impl StartUp {
    pub(super) fn new(pace: Pace) -> Self {
        Self {
            over: false,
            quiet: pace.network(QUIET),
            longest: pace.network(LONGEST),
            subscribed: None,
            last_retained: None,
            commands: Vec::new(),
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// The subscriptions are answered.
    pub(super) fn subscribed(&mut self, now: Instant) {
        self.subscribed.get_or_insert(now);
    }

    /// The connection is gone: the next one brings everything that is retained anew.
    pub(super) fn disconnected(&mut self) {
        (self.subscribed, self.last_retained) = (None, None);
    }

    /// Something retained came in.
    pub(super) fn note_retained(&mut self, now: Instant) {
        self.last_retained = Some(now);
    }

    /// Keeps a command that came too early.
    pub(super) fn keep(&mut self, message: Message) {
        if self.commands.len() < MOST_COMMANDS {
            self.commands.push(message);
        }
    }

    /// When everything retained has come in, as far as is known now; none while there is no connection, and afterwards.
    pub(super) fn ends_at(&self) -> Option<Instant> {
        let subscribed = self.subscribed.filter(|_| !self.over)?;
        let quiet = self.last_retained.unwrap_or(subscribed).max(subscribed) + self.quiet;
        Some(quiet.min(subscribed + self.longest))
    }

    /// Ends it, and hands out the commands that came meanwhile.
    pub(super) fn end(&mut self) -> Vec<Message> {
        self.over = true;
        std::mem::take(&mut self.commands)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: Instant = Instant::START;
    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_connection_that_breaks_meanwhile_begins_the_start_up_anew() {
        let mut start_up = StartUp::new(Pace::REAL);
        assert_eq!(start_up.ends_at(), None);
        start_up.subscribed(BEGIN);
        start_up.note_retained(BEGIN);
        start_up.disconnected();
        assert_eq!(start_up.ends_at(), None);
        start_up.subscribed(BEGIN + 9 * SECOND);
        assert_eq!(start_up.ends_at(), Some(BEGIN + 9 * SECOND + QUIET));
    }

    #[test]
    fn it_lasts_until_it_is_quiet_but_not_for_ever() {
        let mut start_up = StartUp::new(Pace::REAL);
        // Something retained may come before the last subscription is answered.
        start_up.note_retained(BEGIN);
        start_up.subscribed(BEGIN + SECOND);
        assert_eq!(start_up.ends_at(), Some(BEGIN + SECOND + QUIET));
        start_up.note_retained(BEGIN + 3 * SECOND);
        assert_eq!(start_up.ends_at(), Some(BEGIN + 3 * SECOND + QUIET));
        start_up.note_retained(BEGIN + 6 * SECOND);
        assert_eq!(start_up.ends_at(), Some(BEGIN + SECOND + LONGEST));
        start_up.end();
        assert_eq!((start_up.ends_at(), start_up.is_over()), (None, true));
    }

    #[test]
    fn its_limits_are_the_network_s_however_fast_the_clock_runs() {
        let mut start_up = StartUp::new(Pace::times(288.0));
        start_up.subscribed(BEGIN);
        assert_eq!(start_up.ends_at(), Some(BEGIN + 288 * QUIET));
        start_up.note_retained(BEGIN + 1_439 * SECOND);
        assert_eq!(start_up.ends_at(), Some(BEGIN + 288 * LONGEST));
    }
}
