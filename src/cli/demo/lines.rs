//! The demo where standard output is no terminal: one line for each event, and one for each hour.

use std::io::{self, Write as _};

use jiff::{SignedDuration, Timestamp};

use super::event::{DemoEvent, EventKind};
use super::times::Times;
use super::words::{mosquitto_pub, power};
use crate::simulate::{Flows, HomeLedger};
use crate::text::PlainLines;
use crate::units::Watts;

/// Longer lines help nobody, and what comes from a broker has no length of its own.
const WIDEST: usize = 500;

/// Writes lines as time goes by.
pub(super) struct Lines {
    next_hour: Timestamp,
}

impl Lines {
    /// Says where everything is.
    ///
    /// # Errors
    /// When standard output is gone; here and below.
    pub(super) fn begin(times: &Times, broker: &str) -> io::Result<Self> {
        let date = times.local(times.begin, "%a %-d %b %Y");
        print_line(&format!("Sunward demo at {broker}: {date}, {} times faster", times.speed))?;
        print_line(&format!("{} holds everything, Ctrl-C ends it", mosquitto_pub(broker, "pause")))?;
        Ok(Self { next_hour: times.begin })
    }

    /// Writes what happened.
    pub(super) fn events(&self, events: &[DemoEvent], times: &Times) -> io::Result<()> {
        events.iter().try_for_each(|event| print_line(&shortened(&describe(event, times))))
    }

    /// Writes how everything stands, once an hour.
    pub(super) fn hour(&mut self, now: Timestamp, flows: &Flows, ledger: &HomeLedger, times: &Times) -> io::Result<()> {
        if now < self.next_hour {
            return Ok(());
        }
        while self.next_hour <= now {
            self.next_hour += SignedDuration::from_hours(1);
        }
        let (net, word) = (flows.net(), if flows.net() > Watts::ZERO { "buying" } else { "selling" });
        let share =
            ledger.self_consumption().map_or_else(|| "-".to_owned(), |share| format!("{:.0} %", share.0 * 100.0));
        print_line(&format!(
            "{}  sun {}, base load {}, tasks {}, {word} {}; self-consumption {share}",
            times.local(now, "%H:%M"),
            power(flows.solar),
            power(flows.base),
            power(flows.tasks()),
            power(net.abs()),
        ))
    }
}

/// Writes one line to standard output.
///
/// # Errors
/// When standard output is gone.
pub(super) fn print_line(line: &str) -> io::Result<()> {
    writeln!(PlainLines(io::stdout().lock()), "{line}")
}

fn describe(event: &DemoEvent, times: &Times) -> String {
    let time = times.local(event.time, "%H:%M");
    match &event.kind {
        EventKind::Start { task, reason } => format!("{time}  start {task:<11} {reason}"),
        EventKind::Stop { task, reason } => format!("{time}  stop  {task:<11} {reason}"),
        EventKind::End { task, note } => format!("{time}  ends  {task:<11} {note}"),
        EventKind::Scheduler { state } => format!("{time}  Sunward is {}", state.replace('_', " ")),
    }
}

fn shortened(line: &str) -> String {
    if line.chars().count() <= WIDEST {
        return line.to_owned();
    }
    line.chars().take(WIDEST - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_too_long_ends_in_dots() {
        assert_eq!(shortened(&"°".repeat(WIDEST)), "°".repeat(WIDEST));
        assert_eq!(shortened(&"°".repeat(WIDEST + 1)), "°".repeat(WIDEST - 1) + "…");
    }
}
