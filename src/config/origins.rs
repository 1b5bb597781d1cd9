//! Which keys there are, and where the value of each came from.
//!
//! It compares settings that were read with the tree that they were read from.

use std::collections::BTreeMap;
use std::fmt;

use config::{Value, ValueKind};

use super::settings::Config;
use super::strict::is_from_environment;

/// Where the value of each key came from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origins(BTreeMap<String, Origin>);

impl Origins {
    /// `tree`: what was written of these settings.
    pub(super) fn of_settings(config: &Config, tree: &Value) -> Self {
        let mut origins = Self::default();
        trace(&settings_of(config), Some(tree), String::new(), &mut origins.0);
        origins
    }

    /// Where the value of this key (`mqtt.url`, `power.sensor[0].topic`) came from.
    #[must_use]
    pub fn of(&self, key: &str) -> Origin {
        self.0.get(key).copied().unwrap_or_default()
    }

    /// All keys that have a value, or could have one, with their origins.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Origin)> {
        self.0.iter().map(|(key, origin)| (key.as_str(), *origin))
    }
}

/// Where a value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Origin {
    /// Nobody said otherwise.
    #[default]
    Default,
    /// The configuration file.
    File,
    /// A `SUNWARD__…` variable.
    Environment,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "default",
            Self::File => "file",
            Self::Environment => "environment",
        })
    }
}

/// The settings as a tree of plain values, as `check` prints them; absent ones are null.
pub(crate) fn settings_of(config: &Config) -> serde_json::Value {
    // Can't fail: the structs have string keys and plain values.
    serde_json::to_value(config).unwrap_or_default()
}

/// Every key that exists outside of lists, the absent ones too.
pub(super) fn known_keys() -> Vec<String> {
    let mut keys = BTreeMap::new();
    trace(&settings_of(&Config::default()), None, String::new(), &mut keys);
    keys.into_keys().collect()
}

/// Notes for every value of the settings whether the tree had it.
fn trace(value: &serde_json::Value, tree: Option<&Value>, key: String, origins: &mut BTreeMap<String, Origin>) {
    match (value, tree.map(|tree| &tree.kind)) {
        (serde_json::Value::Object(entries), kind) => {
            for (name, value) in entries {
                let tree = match kind {
                    Some(ValueKind::Table(table)) => table.get(name),
                    _ => None,
                };
                let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                trace(value, tree, key, origins);
            }
        }
        (serde_json::Value::Array(items), Some(ValueKind::Array(trees)))
            if items.iter().any(|item| item.is_object()) =>
        {
            for (index, (item, tree)) in items.iter().zip(trees).enumerate() {
                trace(item, Some(tree), format!("{key}[{index}]"), origins);
            }
        }
        _ => {
            let origin = match tree {
                None => Origin::Default,
                Some(tree) if is_from_environment(tree) => Origin::Environment,
                Some(_) => Origin::File,
            };
            origins.insert(key, origin);
        }
    }
}
