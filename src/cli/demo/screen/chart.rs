//! The day as a chart: what the sun gave and where it went, and below it when each task ran.
//!
//! Needs no colours: without them the surfaces have patterns.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::style::{Color, Style, Stylize as _};
use ratatui::text::{Line, Span};

use super::axis::{MARGIN, hours};
use crate::cli::demo::day::{DayHistory, DayPart};
use crate::simulate::Appliance;
use crate::units::{KilowattHours, Watts};

/// Narrower terminals have no chart.
const FEWEST_COLUMNS: usize = 24;

/// What the chart's stacked surfaces mean: name, colour, and pattern where there are no colours.
const SURFACES: [(&str, Color, &str); 3] =
    [("sun, used at home", Color::Green, "█"), ("sun, sold", Color::Yellow, "░"), ("bought", Color::Red, "▒")];

/// A cell that is filled from below by so many eighths.
const EIGHTHS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// How the time of a task is drawn: colour, and pattern where there are no colours.
const ON_SUN: (Color, &str) = (Color::Green, "━");
const ON_GRID: (Color, &str) = (Color::Red, "┅");

/// The chart of a day that fits a width.
pub(super) struct DayChart {
    parts: Vec<DayPart>,
    columns: usize,
    colours: bool,
    begin: Timestamp,
}

impl DayChart {
    /// A chart of the day as far as it has come; none where there is no room for it.
    pub(super) fn new(day: &DayHistory, width: usize, colours: bool) -> Option<Self> {
        let columns = width.saturating_sub(MARGIN + 1);
        (columns >= FEWEST_COLUMNS).then(|| Self { parts: day.parts(columns), columns, colours, begin: day.begin() })
    }

    /// Returns the powers over the day, in so many rows, and the hours below them.
    pub(super) fn surfaces(&self, rows: usize, zone: &TimeZone) -> Vec<Line<'static>> {
        let powers: Vec<[Watts; 3]> = self.parts.iter().map(DayPart::powers).collect();
        let highest = powers.iter().map(|powers| powers.iter().copied().sum()).fold(Watts(1.0), Watts::max);
        let top = Watts((highest.0 / 1000.0).ceil() * 1000.0);
        let levels: Vec<[f64; 3]> = powers.iter().map(|powers| heights(*powers, top, rows)).collect();
        let row = |row: usize| {
            let label = if row + 1 == rows { format!("{:.0} kW", top.0 / 1000.0) } else { String::new() };
            let label = format!("{label:>width$} ", width = MARGIN - 1).dim();
            let cells = levels.iter().map(|levels| self.cell(levels, row));
            std::iter::once(label).chain(cells).collect()
        };
        (0..rows).rev().map(row).chain([hours(self.begin, zone, self.columns)]).collect()
    }

    /// One character: the part of the surfaces between two heights.
    fn cell(&self, levels: &[f64; 3], row: usize) -> Span<'static> {
        #[expect(clippy::cast_precision_loss, reason = "a terminal has few rows")]
        let surface_at = |eighth: usize| levels.iter().position(|level| (row * 8 + eighth) as f64 + 0.5 < *level);
        if !self.colours {
            return surface_at(4).map_or(" ", |surface| SURFACES[surface].2).into();
        }
        let Some(lowest) = surface_at(0) else { return " ".into() };
        let end = (1..8).find(|eighth| surface_at(*eighth) != Some(lowest));
        let mut style = Style::new().fg(SURFACES[lowest].1);
        if let Some(above) = end.and_then(surface_at) {
            style = style.bg(SURFACES[above].1);
        }
        Span::styled(EIGHTHS[end.unwrap_or(8)], style)
    }

    /// Returns when an appliance ran.
    pub(super) fn lane(&self, which: Appliance) -> Line<'static> {
        let at = which.index();
        let name = Span::from(format!("{:<MARGIN$}", which.name()));
        let cells = self.parts.iter().map(|DayPart { amounts, time }| {
            if amounts.on[at] * 4 < *time {
                return "·".dim();
            }
            let energy = amounts.energy[at];
            let by_sun = energy <= KilowattHours::ZERO || amounts.from_sun[at].0 >= 0.5 * energy.0;
            let (colour, pattern) = if by_sun { ON_SUN } else { ON_GRID };
            Span::styled(if self.colours { ON_SUN.1 } else { pattern }, colour)
        });
        std::iter::once(name).chain(cells).collect()
    }

    /// Returns what the surfaces mean.
    pub(super) fn legend(&self) -> Line<'static> {
        let margin = Span::from(" ".repeat(MARGIN));
        let entries = SURFACES.into_iter().flat_map(|(name, colour, pattern)| {
            let sample = if self.colours { EIGHTHS[8] } else { pattern };
            [Span::styled(sample, colour), format!(" {name}   ").into()]
        });
        std::iter::once(margin).chain(entries).collect()
    }
}

/// Returns where the surfaces end, in eighths of a row from the ground.
fn heights(powers: [Watts; 3], top: Watts, rows: usize) -> [f64; 3] {
    let mut height = 0.0;
    #[expect(clippy::cast_precision_loss, reason = "a terminal has few rows")]
    powers.map(|power| {
        height += (power / top).0 * (rows * 8) as f64;
        height.round()
    })
}
