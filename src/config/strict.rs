//! Reads the merged settings into the structs, strictly, and says what was expected in words that a home owner knows.
//!
//! The `config` crate's own reading turns `true` into 1, rounds 12.6 to 13 and makes text of numbers, which hides typing
//! errors. Here a value from the file must have the type it is meant to have. One from the environment is always text,
//! and only the struct that asks decides whether that is a number: a password `1e5` stays `1e5`.
//!
//! Which keys exist is said by the structs; where a key stands is for the caller to find out.

use std::fmt;

use config::{Value, ValueKind};
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, Deserializer, Expected, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

/// The origin that the `config` crate gives to values of the environment; those of the file have none here.
const ENVIRONMENT: &str = "the environment";

/// Whether the environment set this value.
pub(super) fn is_from_environment(value: &Value) -> bool {
    value.origin() == Some(ENVIRONMENT)
}

/// A value of the merged settings, ready to be read into a struct.
#[derive(Clone, Copy)]
pub(super) struct Node<'a>(pub(super) &'a Value);

/// Why a value can't be read. What stands there instead is for the caller to say, who may have to hide it.
#[derive(Debug, PartialEq)]
pub(super) enum Mismatch {
    /// Something else should stand here: `a number`.
    Expected(String),
    /// The table has no such key, but these.
    UnknownKey { key: String, known: &'static [&'static str] },
    /// The table must have this key.
    MissingKey(&'static str),
    /// A whole sentence from the type itself.
    Other(String),
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expected(what) => write!(f, "expected {what}"),
            Self::UnknownKey { .. } => f.write_str("unknown key"),
            Self::MissingKey(key) => write!(f, "the key `{key}` is missing"),
            Self::Other(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Mismatch {}

impl de::Error for Mismatch {
    fn custom<T: fmt::Display>(text: T) -> Self {
        let text = text.to_string();
        // serde's text for untagged enums names the Rust type.
        if text.starts_with("data did not match any variant") {
            return Self::Expected("another kind of value".into());
        }
        Self::Other(text)
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Expected(plain(&expected.to_string()))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Expected(plain(&expected.to_string()))
    }

    fn unknown_variant(_: &str, known: &'static [&'static str]) -> Self {
        Self::Expected(one_of(known))
    }

    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        Self::UnknownKey { key: key.into(), known }
    }

    fn missing_field(key: &'static str) -> Self {
        Self::MissingKey(key)
    }
}

impl<'a> Node<'a> {
    /// The text, if that is what stands here.
    fn text(self) -> Option<&'a str> {
        match &self.0.kind {
            ValueKind::String(text) => Some(text),
            _ => None,
        }
    }

    /// The trimmed text of a variable, which may have to be understood as something else.
    fn variable(self) -> Option<&'a str> {
        self.text().filter(|_| is_from_environment(self.0)).map(str::trim)
    }

    fn integer<V: Visitor<'a>>(self, visitor: V, min: i128, max: i128) -> Result<V::Value, Mismatch> {
        let number = match self.0.kind {
            ValueKind::I64(number) => Some(i128::from(number)),
            ValueKind::U64(number) => Some(i128::from(number)),
            ValueKind::I128(number) => Some(number),
            _ => self.variable().and_then(|text| text.parse().ok()),
        };
        match number.filter(|number| (min..=max).contains(number)) {
            Some(number) => match i64::try_from(number) {
                Ok(number) => visitor.visit_i64(number),
                Err(_) => visitor.visit_i128(number),
            },
            None if min == 0 && max > i128::from(u32::MAX) => {
                Err(Mismatch::Expected("a whole number, 0 or more".into()))
            }
            None => Err(Mismatch::Expected(format!("a whole number from {min} to {max}"))),
        }
    }

    fn number<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        #[expect(clippy::cast_precision_loss, reason = "whole numbers beyond 2^53 mean nothing to a home")]
        let number = match self.0.kind {
            ValueKind::Float(number) => Some(number),
            ValueKind::I64(number) => Some(number as f64),
            _ => self.variable().and_then(|text| text.parse().ok()),
        };
        number.map_or_else(|| Err(Mismatch::Expected("a number".into())), |number| visitor.visit_f64(number))
    }
}

macro_rules! integers {
    ($($method:ident: $int:ty),*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
            self.integer(visitor, <$int>::MIN.into(), <$int>::MAX.into())
        }
    )*};
}

impl<'de> Deserializer<'de> for Node<'de> {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match &self.0.kind {
            ValueKind::Nil => visitor.visit_unit(),
            ValueKind::Boolean(value) => visitor.visit_bool(*value),
            ValueKind::I64(value) => visitor.visit_i64(*value),
            ValueKind::I128(value) => visitor.visit_i128(*value),
            ValueKind::U64(value) => visitor.visit_u64(*value),
            ValueKind::U128(value) => visitor.visit_u128(*value),
            ValueKind::Float(value) => visitor.visit_f64(*value),
            ValueKind::String(value) => visitor.visit_borrowed_str(value),
            ValueKind::Array(items) => visitor.visit_seq(SeqDeserializer::new(items.iter().map(Node))),
            ValueKind::Table(table) => {
                // The table is hashed; sorted, the same file always gives the same messages.
                let mut entries: Vec<_> = table.iter().map(|(key, value)| (key.as_str(), Node(value))).collect();
                entries.sort_unstable_by_key(|(key, _)| *key);
                visitor.visit_map(MapDeserializer::new(entries.into_iter()))
            }
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        if let ValueKind::Boolean(value) = self.0.kind {
            return visitor.visit_bool(value);
        }
        match self.variable().map(str::to_lowercase).as_deref() {
            Some("true" | "yes" | "on" | "1") => visitor.visit_bool(true),
            Some("false" | "no" | "off" | "0") => visitor.visit_bool(false),
            _ => Err(Mismatch::Expected("true or false".into())),
        }
    }

    integers!(
        deserialize_i8: i8,
        deserialize_i16: i16,
        deserialize_i32: i32,
        deserialize_i64: i64,
        deserialize_u8: u8,
        deserialize_u16: u16,
        deserialize_u32: u32,
        deserialize_u64: u64
    );

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.number(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.number(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.text() {
            Some(text) => visitor.visit_borrowed_str(text),
            None => Err(Mismatch::Expected("text in quotes".into())),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.0.kind {
            ValueKind::Nil => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.0.kind {
            ValueKind::Array(_) => self.deserialize_any(visitor),
            _ => Err(Mismatch::Expected("a list".into())),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.0.kind {
            ValueKind::Table(_) => self.deserialize_any(visitor),
            _ => Err(Mismatch::Expected("a table".into())),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        match self.text() {
            Some(text) => visitor.visit_enum(text.into_deserializer()),
            None => Err(Mismatch::Expected(one_of(known))),
        }
    }

    forward_to_deserialize_any! {
        char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Mismatch> for Node<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// `"W" or "kW"`.
fn one_of(known: &[&str]) -> String {
    known.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(" or ")
}

/// What serde's own types call themselves, in plain words; our own types speak plainly already.
fn plain(expected: &str) -> String {
    let words = match expected {
        "f32" | "f64" => "a number",
        "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" | "usize" | "isize" => "a whole number",
        "a boolean" => "true or false",
        "a string" | "path string" | "a character" => "text in quotes",
        "a sequence" => "a list",
        "a map" => "a table",
        other if other.starts_with("struct ") => "a table",
        other => other,
    };
    words.into()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use config::{Environment, File, FileFormat, Value};
    use serde::Deserialize;

    use super::Node;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Asked {
        text: Option<String>,
        flag: Option<bool>,
        whole: Option<u16>,
        number: Option<f64>,
        #[serde(default, with = "crate::units::duration::option")]
        time: Option<Duration>,
        list: Option<Vec<String>>,
    }

    fn tree(file: &str, variables: &[(&str, &str)]) -> Value {
        let source = variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        config::Config::builder()
            .add_source(File::from_str(file, FileFormat::Toml))
            .add_source(Environment::with_prefix("X").separator("__").source(Some(source)))
            .build()
            .unwrap()
            .cache
    }

    fn check(file: &str, variables: &[(&str, &str)], expect: &str) {
        let read = Asked::deserialize(Node(&tree(file, variables)));
        let said = match read {
            Ok(asked) => format!("{asked:?}"),
            Err(error) => error.to_string(),
        };
        assert!(said.contains(expect), "{file} {variables:?}: {said}");
    }

    #[test]
    fn a_value_of_the_file_must_have_its_type() {
        check("text = 5", &[], "expected text in quotes");
        check("flag = 1", &[], "expected true or false");
        check("flag = \"yes\"", &[], "expected true or false");
        check("whole = true", &[], "expected a whole number from 0 to 65535");
        check("whole = 12.6", &[], "expected a whole number from 0 to 65535");
        check("whole = -1", &[], "expected a whole number from 0 to 65535");
        check("number = \"5\"", &[], "expected a number");
        check("number = 5", &[], "number: Some(5.0)");
        check("list = \"a\"", &[], "expected a list");
        check("time = [1]", &[], "expected a duration such as");
        check("other = 1", &[], "unknown key");
    }

    #[test]
    fn a_variable_is_what_the_setting_needs() {
        check("", &[("X__TEXT", "12345")], "text: Some(\"12345\")");
        check("", &[("X__TEXT", "1e5")], "text: Some(\"1e5\")");
        check("", &[("X__TEXT", "True")], "text: Some(\"True\")");
        check("", &[("X__TEXT", " a ")], "text: Some(\" a \")");
        check("", &[("X__FLAG", "Yes")], "flag: Some(true)");
        check("", &[("X__FLAG", "2")], "expected true or false");
        check("", &[("X__WHOLE", "12")], "whole: Some(12)");
        check("", &[("X__WHOLE", "70000")], "expected a whole number from 0 to 65535");
        check("", &[("X__NUMBER", "0.5")], "number: Some(0.5)");
        check("", &[("X__TIME", "90")], "time: Some(90s)");
        check("", &[("X__TIME", "1m 30s")], "time: Some(90s)");
    }
}
