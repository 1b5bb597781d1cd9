//! How large a value is, found without making it larger: lists that are only described are walked, not built.

use minijinja::Error;
use minijinja::value::{Value, ValueKind};

use super::bounds::{Bounds, DEEPEST, ITEM, exceeded};

/// The size of one value or of several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Size {
    /// Bytes of texts, and [`ITEM`] for each item.
    pub(super) bytes: usize,
    /// Bytes of the text that it is written as, at most.
    pub(super) text: usize,
    /// Values in lists and maps.
    pub(super) items: usize,
}

/// What a float is written as at most: `f64::MIN` has so many digits, and the smallest ones more behind the point.
const LONGEST_FLOAT: usize = 350;

impl Size {
    /// Adds a value. `what` stands in errors.
    ///
    /// # Errors
    /// When all together is larger than one value may be, or nested too deep. So it has looked at no more than that.
    pub(super) fn add(&mut self, value: &Value, bounds: &Bounds, what: &str) -> Result<(), Error> {
        let mut pending = vec![(value.clone(), 0)];
        while let Some((value, depth)) = pending.pop() {
            if depth > DEEPEST {
                return Err(exceeded(format!(
                    "{what}: expected lists and maps that are nested at most {DEEPEST} deep"
                )));
            }
            self.add_own(&value, depth > 0);
            let mut note = |item: Value, pending: &mut Vec<(Value, usize)>| {
                self.items += 1;
                self.bytes += ITEM;
                // `, ` or `: ` and the indentation of a readable list.
                self.text += 4;
                pending.push((item, depth + 1));
                if self.bytes > bounds.value { Err(bounds.too_large(what)) } else { Ok(()) }
            };
            match value.kind() {
                ValueKind::Map => {
                    for key in value.try_iter()? {
                        let item = value.get_item(&key).unwrap_or_default();
                        note(key, &mut pending)?;
                        note(item, &mut pending)?;
                    }
                }
                ValueKind::Seq | ValueKind::Iterable => {
                    for item in value.try_iter()? {
                        note(item, &mut pending)?;
                    }
                }
                _ => {}
            }
            if self.bytes > bounds.value {
                return Err(bounds.too_large(what));
            }
        }
        Ok(())
    }

    /// Adds the value itself, without what is in it.
    fn add_own(&mut self, value: &Value, quoted: bool) {
        match value.kind() {
            ValueKind::String => {
                let text = value.as_str().unwrap_or_default();
                self.bytes += text.len();
                self.text += if quoted { quoted_length(text) } else { text.len() };
            }
            ValueKind::Bytes => {
                let length = value.as_bytes().map_or(0, <[u8]>::len);
                self.bytes += length;
                self.text += length * 4 + 3;
            }
            ValueKind::Number if value.is_integer() => self.text += integer_length(value),
            ValueKind::Number => self.text += float_length(value),
            _ => self.text += ITEM,
        }
    }
}

/// Returns the size of these values together.
pub(super) fn size(values: &[Value], bounds: &Bounds, what: &str) -> Result<Size, Error> {
    let mut size = Size::default();
    for value in values {
        size.add(value, bounds, what)?;
    }
    Ok(size)
}

/// Returns the bytes of a text between quotes at most: `"\u{10ffff}"`.
fn quoted_length(text: &str) -> usize {
    let escaped = |byte: &u8| match byte {
        b'"' | b'\'' | b'\\' => 2,
        b' '..=b'~' => 1,
        0x80.. => 4,
        _ => 6,
    };
    2 + text.as_bytes().iter().map(escaped).sum::<usize>()
}

fn integer_length(value: &Value) -> usize {
    match value.as_i64() {
        Some(number) => 2 + number.unsigned_abs().checked_ilog10().unwrap_or(0) as usize,
        None => 40,
    }
}

fn float_length(value: &Value) -> usize {
    let number = f64::try_from(value.clone()).unwrap_or(f64::MAX).abs();
    if number == 0.0 || (1e-7..1e17).contains(&number) { 26 } else { LONGEST_FLOAT }
}
