//! `sunward check`: reads the settings and prints what is in force, and where each value came from.
//!
//! Refuses to connect to anything, and to print a password.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use serde_json::{Map, Value};

use crate::config::{ConfigError, Loaded, Sources, is_secret, load, settings_of};

/// Why nothing, or not everything, was printed.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The settings are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Nobody could read the answer.
    #[error("the settings could not be printed: {0}")]
    Output(#[from] io::Error),
}

/// Prints the settings that `path` (else the usual places) and the variables `env` give to `out`, as TOML with the source
/// of each value behind it.
///
/// # Errors
/// Names every problem of the settings; then nothing is printed.
pub fn check<K, V>(
    path: Option<&Path>,
    env: impl IntoIterator<Item = (K, V)>,
    mut out: impl Write,
) -> Result<(), CheckError>
where
    K: Into<OsString>,
    V: Into<OsString>,
{
    let Loaded { config, sources, file } = load(path, env)?;
    match file {
        Some(path) => writeln!(out, "# file: {}", path.display())?,
        None => writeln!(out, "# no file: defaults and environment")?,
    }
    if let Value::Object(settings) = settings_of(&config) {
        print_table(&mut out, "", &settings, &sources)?;
    }
    writeln!(out, "\nconfiguration is valid")?;
    Ok(())
}

/// Plain values first, then the tables below: TOML allows no other order.
fn print_table(out: &mut impl Write, key: &str, table: &Map<String, Value>, sources: &Sources) -> io::Result<()> {
    let below = |name: &str| if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") };
    for (name, value) in table.iter().filter(|(_, value)| !is_table(value)) {
        let full = below(name);
        let line = match value {
            Value::Null => format!("# {name} ="),
            _ if is_secret(&full) => format!("{name} = \"***\""),
            value => format!("{name} = {value}"),
        };
        let source = sources.of(&full);
        let unset = if value.is_null() { " (not set)" } else { "" };
        writeln!(out, "{line:<40} # {source}{unset}")?;
    }
    for (name, value) in table.iter().filter(|(_, value)| is_table(value)) {
        let full = below(name);
        match value {
            Value::Object(table) => {
                writeln!(out, "\n[{full}]")?;
                print_table(out, &full, table, sources)?;
            }
            Value::Array(items) => {
                for (index, item) in items.iter().filter_map(Value::as_object).enumerate() {
                    writeln!(out, "\n[[{full}]]")?;
                    print_table(out, &format!("{full}[{index}]"), item, sources)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn is_table(value: &Value) -> bool {
    match value {
        Value::Object(_) => true,
        Value::Array(items) => items.iter().any(Value::is_object),
        _ => false,
    }
}
