//! Times of the wire: RFC 3339 in UTC with milliseconds.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Serializer;

use super::parsed::Word;

/// RFC 3339 in UTC with milliseconds, rounded down: `2026-06-21T09:01:00.002Z`.
#[must_use]
pub fn time(time: Timestamp) -> String {
    format!("{time:.3}")
}

impl Word for Timestamp {
    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn write(&self) -> Cow<'static, str> {
        time(*self).into()
    }
}

/// For `#[serde(serialize_with = …)]`: RFC 3339 with milliseconds.
pub(super) fn milliseconds<S: Serializer>(time: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&format_args!("{time:.3}"))
}

/// The same for `Option<Timestamp>`.
pub(super) fn option_milliseconds<S: Serializer>(time: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => milliseconds(time, to),
        None => to.serialize_none(),
    }
}
