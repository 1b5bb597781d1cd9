//! Lines for a terminal: coloured pieces of text that know their width.
//!
//! Every character used here is one column wide.

use std::fmt::Write as _;

/// A colour of the terminal's own palette, so that it suits whatever background people like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colour {
    Green,
    Yellow,
    Red,
    Cyan,
}

impl Colour {
    /// Its number as a foreground colour.
    fn number(self) -> u8 {
        match self {
            Self::Red => 31,
            Self::Green => 32,
            Self::Yellow => 33,
            Self::Cyan => 36,
        }
    }
}

/// How a piece of text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Style {
    pub(super) front: Option<Colour>,
    pub(super) back: Option<Colour>,
    pub(super) bold: bool,
    pub(super) dim: bool,
}

pub(super) const PLAIN: Style = Style { front: None, back: None, bold: false, dim: false };
pub(super) const BOLD: Style = Style { bold: true, ..PLAIN };
pub(super) const DIM: Style = Style { dim: true, ..PLAIN };

pub(super) fn coloured(colour: Colour) -> Style {
    Style { front: Some(colour), ..PLAIN }
}

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Line {
    pieces: Vec<(Style, String)>,
    width: usize,
}

impl Line {
    /// With one more piece.
    pub(super) fn with(mut self, style: Style, text: impl AsRef<str>) -> Self {
        self.push(style, text.as_ref());
        self
    }

    pub(super) fn push(&mut self, style: Style, text: &str) {
        // What a broker tells may hold anything; an escape code in it is not for this terminal.
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        self.width += text.chars().count();
        match self.pieces.last_mut() {
            Some((last, before)) if *last == style => before.push_str(&text),
            _ => self.pieces.push((style, text)),
        }
    }

    /// With spaces up to this column.
    pub(super) fn to(self, column: usize) -> Self {
        let missing = column.saturating_sub(self.width);
        self.with(PLAIN, " ".repeat(missing))
    }

    /// With the other line at the right edge, if there is room for it.
    pub(super) fn beside(mut self, right: Self, width: usize) -> Self {
        if self.width + right.width < width {
            self = self.to(width - right.width);
            self.width += right.width;
            self.pieces.extend(right.pieces);
        }
        self
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// As it is written, at most so wide, with or without colours.
    pub(super) fn render(&self, width: usize, colours: bool) -> String {
        let mut out = String::new();
        let mut left = width;
        for (style, text) in &self.pieces {
            let is_cut = self.width > width && text.chars().count() >= left;
            let mut shown: String = text.chars().take(if is_cut { left.saturating_sub(1) } else { left }).collect();
            if is_cut && left > 0 {
                shown.push('…');
            }
            left = left.saturating_sub(shown.chars().count());
            if colours && *style != PLAIN && !shown.is_empty() {
                let _ = write!(out, "\x1b[{}m{shown}\x1b[0m", style.codes());
            } else {
                out.push_str(&shown);
            }
            if left == 0 {
                break;
            }
        }
        out
    }
}

impl Style {
    fn codes(self) -> String {
        let mut codes = Vec::new();
        codes.extend(self.bold.then_some(1));
        codes.extend(self.dim.then_some(2));
        codes.extend(self.front.map(Colour::number));
        codes.extend(self.back.map(|back| back.number() + 10));
        codes.iter().map(u8::to_string).collect::<Vec<_>>().join(";")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_too_long_ends_in_dots_and_keeps_its_width() {
        let line = Line::default().with(BOLD, "boiler").to(8).with(PLAIN, "needs ratio 1.00");
        assert_eq!(line.width(), 24);
        assert_eq!(line.render(80, false), "boiler  needs ratio 1.00");
        assert_eq!(line.render(24, false), "boiler  needs ratio 1.00");
        assert_eq!(line.render(12, false), "boiler  nee…");
        assert_eq!(line.render(3, false), "bo…");
        assert_eq!(line.render(0, false), "");
        assert_eq!(line.render(4, true), "\x1b[1mboi…\x1b[0m");
    }

    #[test]
    fn nothing_that_was_told_can_steer_the_terminal() {
        assert_eq!(Line::default().with(PLAIN, "a\x1b[2Jb\n").render(80, true), "a [2Jb ");
    }
}
