//! Reading what other versions wrote: a field of an unexpected type costs that field only.

use serde::{Deserialize, Deserializer};

/// Reads a field, or its default where another type stands.
pub(super) fn or_default<'de, D: Deserializer<'de>, T: Default + for<'a> Deserialize<'a>>(
    from: D,
) -> Result<T, D::Error> {
    let value = serde_json::Value::deserialize(from)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}
