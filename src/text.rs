//! Text of others: which of it shows itself, and how the rest is shown.
//!
//! A terminal obeys some characters instead of showing them, and a reader overlooks others: a name must not move the cursor,
//! write a line of its own, or read from right to left.

use std::fmt;
use std::io;

/// Returns whether a character shows itself where it stands: it is no control character, ends no line, doesn't turn the
/// direction of writing, and isn't hidden. Joiners, which writing needs, are allowed.
#[must_use]
pub fn is_shown(letter: char) -> bool {
    let hidden = matches!(
        letter,
        // Soft hyphen, what joins accents, and what turns the direction of Arabic.
        '\u{ad}' | '\u{34f}' | '\u{61c}'
            // Letters and vowels of no width: Hangul, Khmer, Mongolian.
            | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180e}' | '\u{3164}' | '\u{ffa0}'
            // No width, marks of direction, ends of lines and paragraphs.
            | '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            // A byte order mark, annotations, beams of notes, tags and what else is never drawn, and what is no character.
            | '\u{feff}' | '\u{fdd0}'..='\u{fdef}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    );
    !letter.is_control() && !hidden && u32::from(letter) & 0xfffe != 0xfffe
}

/// Returns the first character of a text that does not show itself.
#[must_use]
pub fn hidden_in(text: &str) -> Option<char> {
    text.chars().find(|letter| !is_shown(*letter))
}

/// A text on one line, with `\n`, `\u{1b}` and the like in place of what does not show itself.
#[derive(Debug, Clone, Copy)]
pub struct Escaped<'a>(pub &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if hidden_in(self.0).is_none() {
            return f.pad(self.0);
        }
        f.pad(&self.0.chars().fold(String::new(), |mut text, letter| {
            match letter {
                _ if is_shown(letter) => text.push(letter),
                '\n' | '\r' | '\t' => text.extend(letter.escape_default()),
                _ => text.extend(letter.escape_unicode()),
            }
            text
        }))
    }
}

/// Where people read: passes lines on, and escapes all else that does not show itself.
#[derive(Debug)]
pub struct PlainLines<W>(pub W);

impl<W: io::Write> io::Write for PlainLines<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for chunk in bytes.utf8_chunks() {
            for (number, line) in chunk.valid().split('\n').enumerate() {
                let end = if number > 0 { "\n" } else { "" };
                write!(self.0, "{end}{}", Escaped(line))?;
            }
            for byte in chunk.invalid() {
                write!(self.0, "\\x{byte:02x}")?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_written_out() {
        let check = |text: &str, expect: &str| assert_eq!(Escaped(text).to_string(), expect);
        check("Wärmepumpe ☀ 👩‍🔧 ٹیسلا", "Wärmepumpe ☀ 👩‍🔧 ٹیسلا");
        check("\u{1b}[2J\u{1b}]0;title\u{7}", "\\u{1b}[2J\\u{1b}]0;title\\u{7}");
        check("a\r\nb\tc", "a\\r\\nb\\tc");
        // Two names that look alike are told apart.
        check("ev\u{3164}\u{ffa0}\u{34f}\u{e0100}\u{e0041}", "ev\\u{3164}\\u{ffa0}\\u{34f}\\u{e0100}\\u{e0041}");
        check("\u{202e}no\u{2066}\u{feff}\u{9b}1m\u{2028}", "\\u{202e}no\\u{2066}\\u{feff}\\u{9b}1m\\u{2028}");
        assert_eq!(format!("{:>4}|", Escaped("a\n")), " a\\n|");
        assert_eq!([hidden_in("a\u{200f}b"), hidden_in("a b")], [Some('\u{200f}'), None]);
    }

    #[test]
    fn lines_stay_lines() {
        let mut out = Vec::new();
        PlainLines(&mut out).write_all(b"a\x1b\n\nb\xff\n").unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "a\\u{1b}\n\nb\\xff\n");
    }

    proptest! {
        #[test]
        fn nothing_hidden_comes_through(text: String) {
            prop_assert_eq!(hidden_in(&Escaped(&text).to_string()), None);
            let mut out = Vec::new();
            write!(PlainLines(&mut out), "{text}").unwrap();
            let written = String::from_utf8(out).unwrap();
            prop_assert!(written.chars().all(|letter| letter == '\n' || is_shown(letter)));
            prop_assert_eq!(written.matches('\n').count(), text.matches('\n').count());
        }
    }
}
