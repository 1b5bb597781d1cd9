//! The day as a picture: what the sun gave and where it went, and below it when each task ran.
//!
//! Refuses to need colours: without them the surfaces have patterns.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::day::{Day, Part};
use super::text::{Colour, DIM, Line, PLAIN, Style, coloured};
use crate::simulate::Appliance;
use crate::units::{KilowattHours, Watts};

/// What stands left of the picture: names of tasks, powers.
pub(super) const MARGIN: usize = 12;

/// Narrower pictures show nothing.
const NARROWEST: usize = 24;

/// Used at home, sold, bought: colour, and pattern where there are no colours.
pub(super) const SURFACES: [(&str, Colour, char); 3] =
    [("sun, used at home", Colour::Green, '█'), ("sun, sold", Colour::Yellow, '░'), ("bought", Colour::Red, '▒')];

const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// How a task's time is drawn: on the sun, on the grid.
const LANES: [(Colour, char); 2] = [(Colour::Green, '━'), (Colour::Red, '┅')];

/// The picture of a day, of this width.
pub(super) struct Chart {
    parts: Vec<Part>,
    columns: usize,
    colours: bool,
    begin: Timestamp,
}

impl Chart {
    pub(super) fn new(day: &Day, width: usize, colours: bool) -> Option<Self> {
        let columns = width.saturating_sub(MARGIN + 1);
        (columns >= NARROWEST).then(|| Self { parts: day.parts(columns), columns, colours, begin: day.begin() })
    }

    /// Powers over the day.
    pub(super) fn surfaces(&self, rows: usize) -> Vec<Line> {
        let powers: Vec<[Watts; 3]> = self.parts.iter().map(Part::powers).collect();
        let highest = powers.iter().map(|powers| powers.iter().copied().sum()).fold(Watts(1.0), Watts::max);
        let top = Watts((highest.0 / 1000.0).ceil() * 1000.0);
        let levels: Vec<[f64; 3]> = powers.iter().map(|powers| heights(*powers, top, rows)).collect();
        (0..rows)
            .rev()
            .map(|row| {
                let label = if row + 1 == rows { format!("{:.0} kW", top.0 / 1000.0) } else { String::new() };
                let mut line = Line::default().with(DIM, format!("{label:>width$} ", width = MARGIN - 1));
                for levels in &levels {
                    let (style, cell) = self.cell(levels, row);
                    line.push(style, &cell.to_string());
                }
                line
            })
            .collect()
    }

    /// One character: the part of the surfaces between two heights.
    fn cell(&self, levels: &[f64; 3], row: usize) -> (Style, char) {
        #[expect(clippy::cast_precision_loss, reason = "a terminal has few rows")]
        let surface_at = |eighth: usize| levels.iter().position(|level| (row * 8 + eighth) as f64 + 0.5 < *level);
        if !self.colours {
            return (PLAIN, surface_at(4).map_or(' ', |surface| SURFACES[surface].2));
        }
        let Some(lowest) = surface_at(0) else { return (PLAIN, ' ') };
        let ends = (1..8).find(|eighth| surface_at(*eighth) != Some(lowest));
        let back = ends.and_then(surface_at).map(|surface| SURFACES[surface].1);
        (Style { back, ..coloured(SURFACES[lowest].1) }, EIGHTHS[ends.unwrap_or(8)])
    }

    /// The hours below it.
    pub(super) fn hours(&self, zone: &TimeZone) -> Line {
        let mut line = Line::default().to(MARGIN);
        for hour in (0..24).step_by(if self.columns < 48 { 6 } else { 3 }) {
            let local = (self.begin + SignedDuration::from_hours(hour)).to_zoned_datetime(zone.clone());
            let column = usize::try_from(hour).unwrap_or(0) * self.columns / 24;
            line = line.to(MARGIN + column).with(DIM, format!("{:02}", local.hour()));
        }
        line
    }

    /// When a task ran.
    pub(super) fn lane(&self, which: Appliance) -> Line {
        let at = which.index();
        let mut line = Line::default().with(PLAIN, which.name()).to(MARGIN);
        for Part { span, time } in &self.parts {
            if span.on[at] * 4 < *time {
                line.push(DIM, "·");
                continue;
            }
            let by_sun = span.energy[at] <= KilowattHours::ZERO || span.from_sun[at].0 >= 0.5 * span.energy[at].0;
            let (colour, pattern) = LANES[usize::from(!by_sun)];
            line.push(coloured(colour), &(if self.colours { '━' } else { pattern }).to_string());
        }
        line
    }

    /// What the surfaces mean.
    pub(super) fn legend(&self) -> Line {
        let mut line = Line::default().to(MARGIN);
        for (name, colour, pattern) in SURFACES {
            let sample = if self.colours { '█' } else { pattern };
            line = line.with(coloured(colour), sample.to_string()).with(PLAIN, format!(" {name}   "));
        }
        line
    }
}

/// Where the surfaces end, in eighths of a row from the ground.
fn heights(powers: [Watts; 3], top: Watts, rows: usize) -> [f64; 3] {
    let mut height = 0.0;
    #[expect(clippy::cast_precision_loss, reason = "a terminal has few rows")]
    powers.map(|power| {
        height += (power / top).0 * (rows * 8) as f64;
        height.round()
    })
}
