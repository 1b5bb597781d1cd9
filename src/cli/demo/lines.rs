//! The demo where nobody paints: one line for each happening, and one for each hour.

use std::io::{self, Write as _};

use jiff::{SignedDuration, Timestamp};

use super::Times;
use super::picture::{port, power, told};
use super::seen::Happening;
use crate::simulate::{Flows, Ledger};
use crate::units::Watts;

/// Longer lines help nobody, and what comes from a broker has no length of its own.
const WIDEST: usize = 500;

/// See the module.
pub(super) struct Lines {
    next_hour: Timestamp,
}

impl Lines {
    /// Says where everything is.
    pub(super) fn begin(times: &Times, broker: &str) -> io::Result<Self> {
        let begin = times.begin.to_zoned_datetime(times.zone.clone());
        say(&format!("Sunward demo at {broker}: {}, {} times faster", begin.strftime("%a %-d %b %Y"), times.speed))?;
        say(&format!(
            "mosquitto_pub {}-t sunward/scheduler/set -m pause holds everything, Ctrl-C ends it",
            port(broker)
        ))?;
        Ok(Self { next_hour: times.begin })
    }

    /// What happened.
    pub(super) fn tell(&self, news: &[Happening], times: &Times) -> io::Result<()> {
        news.iter().try_for_each(|happening| say(&told(happening, times).render(WIDEST, false)))
    }

    /// Once an hour: how everything stands.
    pub(super) fn hour(&mut self, now: Timestamp, flows: &Flows, ledger: &Ledger, times: &Times) -> io::Result<()> {
        if now < self.next_hour {
            return Ok(());
        }
        while self.next_hour <= now {
            self.next_hour += SignedDuration::from_hours(1);
        }
        let local = now.to_zoned_datetime(times.zone.clone());
        let (net, word) = (flows.net(), if flows.net() > Watts::ZERO { "buying" } else { "selling" });
        let share =
            ledger.self_consumption().map_or_else(|| "-".to_owned(), |share| format!("{:.0} %", share.0 * 100.0));
        say(&format!(
            "{}  sun {}, base load {}, tasks {}, {word} {}; self-consumption {share}",
            local.strftime("%H:%M"),
            power(flows.solar),
            power(flows.base),
            power(flows.tasks()),
            power(Watts(net.0.abs())),
        ))
    }
}

/// One line on standard output.
pub(super) fn say(line: &str) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{line}")
}
