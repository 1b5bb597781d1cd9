//! Numbers of the wire. A reader gets what was written: rounded.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::units::{KilowattHours, Quantity, Share, Watts};

/// The payload of `<base>/task/<id>/setpoint`: whole watts.
#[must_use]
pub fn setpoint(value: Watts) -> String {
    // `+ 0.0` turns -0 into 0.
    format!("{:.0}", value.0.round() + 0.0)
}

/// A number to a tenth, and without a fraction where there is none: `1400`, `1400.3`. What is not finite is `null`.
struct Tenths(f64);

impl Serialize for Tenths {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        // `+ 0.0` turns -0 into 0.
        let tenths = (self.0 * 10.0).round() / 10.0 + 0.0;
        #[expect(clippy::cast_possible_truncation, reason = "a power lies within ±10 MW")]
        if tenths.fract() == 0.0 { to.serialize_i64(tenths as i64) } else { to.serialize_f64(tenths) }
    }
}

pub(super) fn watts<S: Serializer>(value: &Watts, to: S) -> Result<S::Ok, S::Error> {
    Tenths(value.0).serialize(to)
}

pub(super) fn option_watts<S: Serializer>(value: &Option<Watts>, to: S) -> Result<S::Ok, S::Error> {
    value.map(|value| Tenths(value.0)).serialize(to)
}

/// Whole watts.
pub(super) fn option_whole_watts<S: Serializer>(value: &Option<Watts>, to: S) -> Result<S::Ok, S::Error> {
    value.map(|value| Tenths(value.0.round())).serialize(to)
}

/// A record: numbers by key.
pub(super) fn record<S: Serializer>(record: &Option<BTreeMap<String, Quantity>>, to: S) -> Result<S::Ok, S::Error> {
    let Some(record) = record else { return to.serialize_none() };
    let mut map = to.serialize_map(Some(record.len()))?;
    for (key, value) in record {
        map.serialize_entry(key, &Tenths(value.0))?;
    }
    map.end()
}

/// Two digits, rounded down: 0.999 must not read as enough.
pub(super) fn option_ratio<S: Serializer>(value: &Option<Share>, to: S) -> Result<S::Ok, S::Error> {
    // The tiny addition keeps 0.29 (in binary 0.28999…) from reading 0.28.
    value.map(|ratio| (ratio.0 * 100.0 + 1e-9).floor() / 100.0).serialize(to)
}

/// To a watt-hour.
pub(super) fn kilowatt_hours<S: Serializer>(value: &KilowattHours, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64((value.0 * 1000.0).round() / 1000.0)
}
