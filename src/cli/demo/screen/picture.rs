//! The whole picture of a moment, for a terminal of any size.
//!
//! PURE: it is given everything that it shows.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style, Stylize as _};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget as _;

use super::chart::DayChart;
use super::event_line::event_line;
use super::rows::Rows;
use crate::cli::demo::day::DayHistory;
use crate::cli::demo::scheduler_view::SchedulerView;
use crate::cli::demo::times::Times;
use crate::cli::demo::words::{mosquitto_pub, percent, power};
use crate::simulate::{Appliance, ApplianceStatus, Flows, HomeLedger};
use crate::units::{KilowattHours, Watts};

/// Everything that is shown.
pub(in crate::cli::demo) struct Picture<'a> {
    pub(in crate::cli::demo) now: Timestamp,
    pub(in crate::cli::demo) times: &'a Times,
    /// The weather in a word.
    pub(in crate::cli::demo) sky: &'static str,
    pub(in crate::cli::demo) flows: Flows,
    pub(in crate::cli::demo) ledger: &'a HomeLedger,
    /// In the order of [`Appliance::ALL`].
    pub(in crate::cli::demo) statuses: &'a [ApplianceStatus; Appliance::ALL.len()],
    pub(in crate::cli::demo) scheduler: &'a SchedulerView,
    pub(in crate::cli::demo) day: &'a DayHistory,
    /// The broker's URL.
    pub(in crate::cli::demo) broker: &'a str,
}

/// What the terminal can do.
#[derive(Debug, Clone, Copy)]
pub(super) struct PictureOptions {
    pub(super) colours: bool,
    /// Keys are read, so they are shown.
    pub(super) keys: bool,
}

/// From this width on there is room for the four powers in columns.
const ROOMY: usize = 70;

/// Columns where a task's note and reason begin.
const NOTE_COLUMN: usize = 23;
const REASON_COLUMN: usize = 37;

impl Picture<'_> {
    /// Paints it. Lines that are too long end in dots.
    pub(super) fn render(&self, area: Rect, buffer: &mut Buffer, options: PictureOptions) {
        for (line, row) in self.lines(area, options).iter().zip(area.rows()) {
            line.render(row, buffer);
            if line.width() > usize::from(row.width) && !row.is_empty() {
                buffer[(row.right() - 1, row.y)].set_symbol("…");
            }
        }
        if !options.colours {
            buffer.set_style(area, Style::reset());
        }
    }

    fn lines(&self, area: Rect, options: PictureOptions) -> Vec<Line<'static>> {
        let width = usize::from(area.width);
        let chart = DayChart::new(self.day, width, options.colours);
        let rows = Rows::divide(area.height.into(), chart.is_some());
        let mut lines = vec![self.title(width, options.keys), self.flows(width)];
        match chart.filter(|_| rows.surfaces > 0) {
            Some(chart) => {
                lines.extend(chart.surfaces(rows.surfaces, &self.times.zone));
                if rows.lanes {
                    lines.extend(Appliance::ALL.map(|which| chart.lane(which)));
                }
                lines.push(chart.legend());
            }
            None => lines.push(Line::default()),
        }
        lines.extend(Appliance::ALL.map(|which| self.task(which)));
        lines.push(Line::default());
        lines.extend(self.events(rows.events));
        lines.push(self.totals());
        if rows.hint {
            lines.extend([Line::default(), self.hint(width)]);
        }
        lines
    }

    fn title(&self, width: usize, keys: bool) -> Line<'static> {
        let mut line = Line::from(vec![
            "Sunward demo  ".bold(),
            self.times.local(self.now, "%a %-d %b  ").into(),
            self.times.local(self.now, "%H:%M").bold(),
            format!("  {}  ", self.sky).into(),
        ]);
        match self.scheduler.state.as_str() {
            "" => line.push_span("starting …".dim()),
            "active" => {}
            "paused" => line.push_span("PAUSED".yellow().bold()),
            other => line.push_span(other.replace('_', " ").red()),
        }
        let keys = match (keys, self.scheduler.is_paused()) {
            (false, _) => "",
            (true, false) => "p pause  q quit  ",
            (true, true) => "p resume  q quit  ",
        };
        let place = self.broker.trim_start_matches("mqtt://");
        let ends = [format!("{keys}{}", self.broker), format!("{keys}{place}"), place.to_owned()];
        if let Some(end) = ends.into_iter().find(|end| line.width() + end.chars().count() < width) {
            let gap = width - line.width() - end.chars().count();
            line.extend([" ".repeat(gap).into(), end.dim()]);
        }
        line
    }

    fn flows(&self, width: usize) -> Line<'static> {
        // The columns stand still where there is room for them; where there isn't, all four are seen.
        let (base, column, gap) = if width < ROOMY { ("base", 0, "  ") } else { ("base load", 11, "") };
        let net = self.flows.net();
        let (word, colour) = if net > Watts::ZERO { ("buying", Color::Red) } else { ("selling", Color::Yellow) };
        let entry = |name: &str, watts: Watts, style: Style| {
            [format!("{name} ").dim(), Span::styled(format!("{:<column$}", power(watts)), style), gap.into()]
        };
        [
            entry("sun", self.flows.solar, Style::new().yellow().bold()),
            entry(base, self.flows.base, Style::new()),
            entry("tasks", self.flows.tasks(), Style::new().cyan()),
            entry(word, net.abs(), Style::new().fg(colour).bold()),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn task(&self, which: Appliance) -> Line<'static> {
        let at = which.index();
        let task = self.scheduler.tasks.get(which.name()).cloned().unwrap_or_default();
        let (sign, style) = match task.status.as_str() {
            "running" => ("●", Style::new().green().bold()),
            "stopped" => ("○", Style::new()),
            _ => ("·", Style::new().dim()),
        };
        let used = if self.flows.appliances[at] > Watts::ZERO { power(self.flows.appliances[at]) } else { "-".into() };
        let reason = if task.status == "unrunnable" { Style::new().dim() } else { Style::new() };
        Line::from(vec![
            Span::styled(format!("{sign} {:<12}{used:>7}  ", which.name()), style),
            format!("{:<width$} ", self.statuses[at].note, width = REASON_COLUMN - NOTE_COLUMN - 1).into(),
            Span::styled(task.reason, reason),
        ])
    }

    /// The newest at the bottom.
    fn events(&self, rows: usize) -> Vec<Line<'static>> {
        let events = &self.scheduler.events;
        let newest = events.iter().skip(events.len().saturating_sub(rows));
        let mut lines: Vec<Line<'static>> = newest.map(|event| event_line(event, self.times)).collect();
        lines.resize(rows, Line::default());
        lines
    }

    fn totals(&self) -> Line<'static> {
        let HomeLedger { produced, imported, exported, .. } = self.ledger;
        let amount = |energy: KilowattHours| Span::from(format!("{:.1}", energy.0));
        Line::from(vec![
            "made ".dim(),
            amount(*produced),
            "  sold ".dim(),
            amount(*exported),
            "  bought ".dim(),
            amount(*imported),
            " kWh  self-consumption ".dim(),
            percent(self.ledger.self_consumption()).bold(),
            "  sufficiency ".dim(),
            percent(self.ledger.self_sufficiency()).bold(),
        ])
    }

    fn hint(&self, width: usize) -> Line<'static> {
        let call = mosquitto_pub(self.broker, if self.scheduler.is_paused() { "resume" } else { "pause" });
        // The end of the call is what has to be read.
        let room = width.saturating_sub(call.chars().count());
        let intro = ["Any MQTT client can join: ", "Join with ", ""].into_iter().find(|intro| intro.len() <= room);
        Line::from(vec![intro.unwrap_or_default().dim(), call.into()])
    }
}
