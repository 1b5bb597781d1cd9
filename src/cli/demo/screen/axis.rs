//! What stands left of the chart, and the hours below it.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use ratatui::style::Stylize as _;
use ratatui::text::Line;

/// Columns left of the chart: names of tasks, powers.
pub(super) const MARGIN: usize = 12;

/// Narrower charts have room for fewer hours.
const NARROW: usize = 48;

/// Returns the local hours of the day that begins at this time, below a chart of so many columns.
pub(super) fn hours(begin: Timestamp, zone: &TimeZone, columns: usize) -> Line<'static> {
    let mut text = String::new();
    for hour in (0..24).step_by(if columns < NARROW { 6 } else { 3 }) {
        let local = (begin + SignedDuration::from_hours(hour)).to_zoned_datetime(zone.clone());
        let column = MARGIN + usize::try_from(hour).unwrap_or(0) * columns / 24;
        text = format!("{text:<column$}{:02}", local.hour());
    }
    Line::from(text.dim())
}
