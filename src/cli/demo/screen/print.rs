//! A picture as lines of text that scroll with the others, on the terminal's first screen.

use std::io::{self, Write as _};

use ratatui::backend::IntoCrossterm as _;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::Style;

/// Writes a picture, line by line, with its colours.
///
/// # Errors
/// When standard output is gone.
pub(super) fn print(buffer: &Buffer) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for row in buffer.content.chunks(usize::from(buffer.area.width).max(1)) {
        let end = row.iter().rposition(|cell| *cell != Cell::EMPTY).map_or(0, |last| last + 1);
        for run in row[..end].chunk_by(|one, next| one.style() == next.style()) {
            let text: String = run.iter().map(Cell::symbol).collect();
            write!(out, "{}", styled(run[0].style(), &text))?;
        }
        writeln!(out)?;
    }
    out.flush()
}

/// Text with the escape codes of its style. Plain text has none.
fn styled(style: Style, text: &str) -> String {
    if style == Cell::EMPTY.style() { text.to_owned() } else { style.into_crossterm().apply(text).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_has_no_escape_codes() {
        assert_eq!(styled(Cell::EMPTY.style(), "boiler"), "boiler");
        let bold = styled(Style::new().bold(), "boiler");
        assert!(bold.contains("\x1b[1mboiler") && bold.ends_with("\x1b[0m"), "{bold:?}");
    }
}
