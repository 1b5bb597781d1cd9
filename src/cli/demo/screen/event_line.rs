//! One event as a line of the picture.

use ratatui::style::Stylize as _;
use ratatui::text::Line;

use crate::cli::demo::event::{DemoEvent, EventKind};
use crate::cli::demo::times::Times;

/// Returns `12:40  start ev          4 kW are available`, coloured.
pub(super) fn event_line(event: &DemoEvent, times: &Times) -> Line<'static> {
    let time = times.local(event.time, "%H:%M  ").dim();
    let (word, task, text) = match &event.kind {
        EventKind::Start { task, reason } => ("start".green(), task, reason),
        EventKind::Stop { task, reason } => ("stop ".red(), task, reason),
        EventKind::End { task, note } => ("ends ".cyan(), task, note),
        EventKind::Scheduler { state } => {
            return Line::from(vec![time, format!("Sunward is {}", state.replace('_', " ")).bold()]);
        }
    };
    Line::from(vec![time, word, " ".into(), format!("{task:<11} ").bold(), text.clone().into()])
}
