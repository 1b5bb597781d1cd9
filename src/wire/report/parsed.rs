//! A word or a time of the wire that another version of Sunward may have written.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

/// A value that is text on the wire.
pub trait Word: Sized {
    /// The value that this text means; `None` if this version knows no such value.
    fn read(text: &str) -> Option<Self>;

    /// The value as it is written.
    fn write(&self) -> Cow<'static, str>;
}

/// A value as this version knows it, or the text that stands in its place. The default, an empty text, is what an absent
/// field reads as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed<T> {
    /// Known to this version.
    Value(T),
    /// Unknown to this version: kept as it was written.
    Text(String),
}

impl<T: Copy> Parsed<T> {
    /// The value; `None` if this version doesn't know it.
    #[must_use]
    pub fn value(&self) -> Option<T> {
        match self {
            Self::Value(value) => Some(*value),
            Self::Text(_) => None,
        }
    }
}

impl<T: Word> Parsed<T> {
    /// The text as it stands on the wire; empty if the field was absent.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Value(value) => value.write(),
            Self::Text(text) => Cow::Borrowed(text),
        }
    }
}

impl<T> From<T> for Parsed<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}

impl<T> Default for Parsed<T> {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

/// As it stands on the wire.
impl<T: Word> fmt::Display for Parsed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text())
    }
}

impl<T: Word> Serialize for Parsed<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.text())
    }
}

impl<'de, T: Word> Deserialize<'de> for Parsed<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(TextVisitor(PhantomData))
    }
}

struct TextVisitor<T>(PhantomData<T>);

impl<T: Word> Visitor<'_> for TextVisitor<T> {
    type Value = Parsed<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Parsed<T>, E> {
        Ok(T::read(text).map_or_else(|| Parsed::Text(text.to_owned()), Parsed::Value))
    }

    /// `null` reads as an absent field.
    fn visit_unit<E: Error>(self) -> Result<Parsed<T>, E> {
        Ok(Parsed::default())
    }
}
