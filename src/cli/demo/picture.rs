//! The whole picture of a moment, line by line, for a terminal of any size.
//!
//! PURE: it is given everything it shows. What has least to say goes first where there is little room.

use jiff::Timestamp;

use super::Times;
use super::chart::Chart;
use super::day::Day;
use super::seen::{Happening, Seen, What};
use super::text::{BOLD, Colour, DIM, Line, PLAIN, Style, coloured};
use crate::simulate::{Appliance, Flows, Ledger};
use crate::units::Watts;

/// The home on this terminal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) colours: bool,
}

/// Everything that is shown.
pub(super) struct Picture<'a> {
    pub(super) now: Timestamp,
    pub(super) times: &'a Times,
    pub(super) sky: &'static str,
    pub(super) flows: Flows,
    pub(super) ledger: &'a Ledger,
    /// What each appliance says of itself.
    pub(super) notes: [String; Appliance::ALL.len()],
    pub(super) seen: &'a Seen,
    pub(super) day: &'a Day,
    /// Where the broker is.
    pub(super) broker: &'a str,
    /// Keys are read.
    pub(super) keys: bool,
}

/// Rows of the surfaces: below the first they go altogether.
const LOWEST: usize = 3;
const HIGHEST: usize = 12;

impl Picture<'_> {
    /// The lines, at most as many as there is room for.
    pub(super) fn lines(&self, frame: Frame) -> Vec<Line> {
        let mut lines = vec![self.title(frame.width), self.flows()];
        let tasks = Appliance::ALL.len();
        let chart = Chart::new(self.day, frame.width, frame.colours);
        // Title, flows, a gap, the tasks, a gap, two happenings, the sums.
        let least = 2 + 1 + tasks + 1 + 2 + 1;
        let mut room = frame.height.saturating_sub(least);
        if let Some(chart) = chart.filter(|_| room > LOWEST + 1) {
            let with_lanes = room >= LOWEST + 1 + tasks;
            room -= 1 + if with_lanes { tasks } else { 0 };
            let wants_hint = room > LOWEST + 4;
            let rows = (if wants_hint { room.div_ceil(2) } else { room }).clamp(LOWEST, HIGHEST);
            room -= rows.min(room);
            if room > 4 {
                lines.push(chart.legend());
                room -= 1;
            }
            lines.extend(chart.surfaces(rows));
            lines.push(chart.hours(&self.times.zone));
            if with_lanes {
                lines.extend(Appliance::ALL.map(|which| chart.lane(which)));
            }
        }
        lines.push(Line::default());
        lines.extend(Appliance::ALL.map(|which| self.task(which)));
        lines.push(Line::default());
        let hint = room > 3;
        let happenings = 2 + room.saturating_sub(if hint { 2 } else { 0 });
        lines.extend(self.happenings(happenings));
        lines.push(self.sums());
        if hint {
            lines.push(Line::default());
            lines.push(self.hint());
        }
        lines.truncate(frame.height);
        lines
    }

    fn title(&self, width: usize) -> Line {
        let local = self.now.to_zoned_datetime(self.times.zone.clone());
        let mut line = Line::default()
            .with(BOLD, "Sunward demo  ")
            .with(PLAIN, local.strftime("%a %-d %b %Y  ").to_string())
            .with(BOLD, local.strftime("%H:%M").to_string())
            .with(PLAIN, format!("  {}  ", self.sky));
        match self.seen.state.as_str() {
            "" => line.push(DIM, "starting …"),
            "active" => {}
            "paused" => line.push(Style { bold: true, ..coloured(Colour::Yellow) }, "PAUSED"),
            other => line.push(coloured(Colour::Red), &other.replace('_', " ")),
        }
        let keys = if self.keys { "p pause  q quit  " } else { "" };
        line.beside(Line::default().with(DIM, format!("{keys}{}", self.broker)), width)
    }

    fn flows(&self) -> Line {
        let net = self.flows.net();
        let (word, colour) = if net > Watts::ZERO { ("buying", Colour::Red) } else { ("selling", Colour::Yellow) };
        let entry = |line: Line, name: &str, style: Style, watts: Watts| {
            line.with(DIM, format!("{name} ")).with(style, format!("{:<11}", power(watts)))
        };
        let line = entry(Line::default(), "sun", Style { bold: true, ..coloured(Colour::Yellow) }, self.flows.solar);
        let line = entry(line, "base load", PLAIN, self.flows.base);
        let line = entry(line, "tasks", coloured(Colour::Cyan), self.flows.tasks());
        entry(line, word, Style { bold: true, ..coloured(colour) }, Watts(net.0.abs()))
    }

    fn task(&self, which: Appliance) -> Line {
        let at = which.index();
        let report = self.seen.reports.get(which.name()).cloned().unwrap_or_default();
        let (sign, style) = match report.status.as_str() {
            "running" => ("● ", Style { bold: true, ..coloured(Colour::Green) }),
            "stopped" => ("○ ", PLAIN),
            _ => ("· ", DIM),
        };
        let used = if self.flows.appliances[at] > Watts::ZERO { power(self.flows.appliances[at]) } else { "-".into() };
        let reason = match report.status.as_str() {
            "unrunnable" => DIM,
            _ => PLAIN,
        };
        Line::default()
            .with(style, sign)
            .with(style, which.name())
            .to(14)
            .with(style, format!("{used:>7}  "))
            .with(PLAIN, &self.notes[at])
            .to(36)
            .with(PLAIN, " ")
            .with(reason, &report.reason)
    }

    /// The newest at the bottom.
    fn happenings(&self, rows: usize) -> Vec<Line> {
        let happened = &self.seen.happened;
        let mut lines: Vec<Line> = happened
            .iter()
            .skip(happened.len().saturating_sub(rows))
            .map(|happening| told(happening, self.times))
            .collect();
        lines.resize(rows, Line::default());
        lines
    }

    fn sums(&self) -> Line {
        let Ledger { produced, imported, exported, .. } = self.ledger;
        let percent = |share: Option<crate::units::Share>| {
            share.map_or_else(|| "-".to_owned(), |share| format!("{:.0} %", (share.0 * 100.0).floor()))
        };
        let line = Line::default().with(DIM, "made ").with(PLAIN, produced.to_string());
        let line = line.with(DIM, "  sold ").with(PLAIN, exported.to_string());
        let line = line.with(DIM, "  bought ").with(PLAIN, imported.to_string());
        let line = line.with(DIM, "  self-consumption ").with(BOLD, percent(self.ledger.self_consumption()));
        line.with(DIM, "  autarky ").with(BOLD, percent(self.ledger.self_sufficiency()))
    }

    fn hint(&self) -> Line {
        let word = if self.seen.is_paused() { "resume" } else { "pause" };
        let line = Line::default().with(DIM, "Any MQTT client can join: ");
        line.with(PLAIN, format!("mosquitto_pub {}-t sunward/scheduler/set -m {word}", port(self.broker)))
    }
}

/// One happening, as lines and pictures show it.
pub(super) fn told(happening: &Happening, times: &Times) -> Line {
    let Happening { time, what, task, why } = happening;
    let local = time.to_zoned_datetime(times.zone.clone());
    let style = match what {
        What::Start => coloured(Colour::Green),
        What::Stop => coloured(Colour::Red),
        What::Done => coloured(Colour::Cyan),
        What::Scheduler => BOLD,
    };
    let line = Line::default().with(DIM, local.strftime("%H:%M  ").to_string()).with(style, what.word()).to(13);
    let line = if task.is_empty() { line } else { line.with(BOLD, format!("{task:<11} ")) };
    line.with(PLAIN, why)
}

/// What `mosquitto_pub` needs to be told of the broker.
pub(super) fn port(broker: &str) -> String {
    match broker.rsplit_once(':') {
        Some((_, "1883")) | None => String::new(),
        Some((_, port)) => format!("-p {port} "),
    }
}

/// `412 W`, `6.42 kW`.
pub(super) fn power(watts: Watts) -> String {
    if watts.0 < 999.5 { watts.to_string() } else { format!("{:.2} kW", watts.0 / 1000.0) }
}
