//! Picks the settings out of an environment: `SUNWARD__MQTT__URL` sets `mqtt.url`.
//!
//! Names that look like settings and are none are refused: a password that silently isn't used costs an evening. Refuses to
//! guess what a value is: that is text until a setting asks.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::origins::settings_of;
use super::problem::{Place, Problem, variable_name};
use super::settings::Config;

/// The `SUNWARD__…` variables: key → name and value.
#[derive(Default)]
pub(super) struct Variables(BTreeMap<String, (String, String)>);

impl Variables {
    /// Picks the settings out of an environment, and names those that can't be one.
    pub(super) fn collect<K, V>(env: impl IntoIterator<Item = (K, V)>) -> (Self, Vec<Problem>)
    where
        K: Into<OsString>,
        V: Into<OsString>,
    {
        let (mut variables, mut problems) = (Self::default(), Vec::new());
        let tables = settings_of(&Config::default());
        for (name, value) in env {
            let (name, value): (OsString, OsString) = (name.into(), value.into());
            let name = name.to_string_lossy().into_owned();
            let upper = name.to_uppercase();
            // Without a double underscore a variable isn't a setting: SUNWARD_LOG, SUNWARD_CONFIG.
            let Some(rest) = upper.strip_prefix("SUNWARD_").filter(|rest| rest.contains("__") || rest.starts_with('_'))
            else {
                continue;
            };
            if value.is_empty() {
                continue;
            }
            let refuse =
                |message: String| Problem { place: Place::Variable(name.clone()), key: String::new(), message };
            let Some(key) = rest.strip_prefix('_').map(|key| key.to_lowercase().replace("__", ".")) else {
                let meant = variable_name(&rest.to_lowercase());
                problems.push(refuse(format!("not a setting, did you mean {meant}?")));
                continue;
            };
            let is_key = key.split('.').all(|part| {
                !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
            });
            let is_table = tables.pointer(&format!("/{}", key.replace('.', "/"))).is_some_and(|at| at.is_object());
            match value.into_string() {
                _ if !is_key => problems.push(refuse("not a setting, expected a name like SUNWARD__MQTT__URL".into())),
                _ if is_table => problems.push(refuse(format!(
                    "[{key}] is a table, set its keys one by one with {}__…",
                    variable_name(&key)
                ))),
                Err(_) => problems.push(refuse("expected text in UTF-8".into())),
                Ok(value) => _ = variables.0.insert(key, (name, value)),
            }
        }
        problems.sort_by_key(ToString::to_string);
        (variables, problems)
    }

    /// Names and values, in the order of their keys.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.values().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The variable that set this key.
    pub(super) fn name_of(&self, key: &str) -> String {
        self.0.get(key).map_or_else(|| variable_name(key), |(name, _)| name.clone())
    }

    /// This key, or the first below it that a variable set.
    pub(super) fn key_below(&self, key: &str) -> String {
        let is_below =
            |other: &&String| other.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        self.0.keys().find(is_below).cloned().unwrap_or_else(|| key.to_owned())
    }
}
