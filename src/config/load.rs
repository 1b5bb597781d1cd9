//! Finds and reads the settings: defaults ← file ← environment, and remembers where each one came from.
//!
//! Refuses to look at the process: the environment is an argument. Refuses settings that `validate` finds fault with, so
//! that whoever holds a [`Loaded`] can rely on it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use config::{Value, ValueKind};

use super::merge::{Variables, merge, read};
use super::problem::{ConfigError, Place, Problem};
use super::strict::is_from_environment;
use super::{Config, validate};

/// Where the settings are looked for without `--config`, first hit wins.
pub const SEARCHED: [&str; 2] = ["sunward.toml", "/etc/sunward/sunward.toml"];

/// Files larger than this are not meant.
const LARGEST_FILE: u64 = 1024 * 1024;

/// Settings that can be relied on, and where they came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// Where the value of each key came from.
    pub sources: Sources,
    /// The file that was read, if any.
    pub file: Option<PathBuf>,
}

/// Where the value of each key came from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sources(BTreeMap<String, Source>);

impl Sources {
    /// Where the value of this key (`mqtt.url`, `power.sensor[0].topic`) came from.
    #[must_use]
    pub fn of(&self, key: &str) -> Source {
        self.0.get(key).copied().unwrap_or_default()
    }

    /// All keys that have a value, or could have one, with their sources.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Source)> {
        self.0.iter().map(|(key, source)| (key.as_str(), *source))
    }
}

/// Where a value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Source {
    /// Nobody said otherwise.
    #[default]
    Default,
    /// The configuration file.
    File,
    /// A `SUNWARD__…` variable.
    Environment,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "default",
            Self::File => "file",
            Self::Environment => "environment",
        })
    }
}

/// Reads the settings from `path` (else the first of [`SEARCHED`] that exists, else no file) and the variables `env`, as
/// `std::env::vars_os()` gives them. Variables that are set but empty count as unset.
///
/// # Errors
/// Names every problem with its place, its key and what was expected.
pub fn load<K, V>(path: Option<&Path>, env: impl IntoIterator<Item = (K, V)>) -> Result<Loaded, ConfigError>
where
    K: Into<OsString>,
    V: Into<OsString>,
{
    let file = match path {
        Some(path) => Some(path.to_path_buf()),
        None => find(&SEARCHED.map(Path::new)),
    };
    let text = match &file {
        Some(path) => read_file(path).map_err(|message| Problem {
            place: Place::File(path.clone()),
            key: String::new(),
            message,
        })?,
        None => String::new(),
    };
    assemble(file, &text, env)
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

/// `load` without the file system: `text` is what the file holds.
fn assemble<K, V>(
    file: Option<PathBuf>,
    text: &str,
    env: impl IntoIterator<Item = (K, V)>,
) -> Result<Loaded, ConfigError>
where
    K: Into<OsString>,
    V: Into<OsString>,
{
    let (variables, mut problems) = Variables::collect(env);
    let tree = merge(file.as_deref(), text, &variables)?;
    let (config, unreadable) = read(tree.clone(), file.as_deref(), &variables);
    problems.extend(unreadable);
    // Where a default stands in for what can't be read, validation would find fault with what nobody wrote.
    if !problems.is_empty() {
        return Err(problems.into());
    }

    let mut sources = Sources::default();
    trace(&settings_of(&config), Some(&tree), String::new(), &mut sources.0);
    let invalid = validate::validate(&config);
    if invalid.is_empty() {
        return Ok(Loaded { config, sources, file });
    }
    let place = |key: &str| match sources.of(key) {
        Source::Default => Place::Default,
        Source::File => file.clone().map_or(Place::Default, Place::File),
        Source::Environment => Place::Variable(variables.name_of(key)),
    };
    let problems = invalid.into_iter().map(|invalid| {
        // Where the offending key is a default, the one that it doesn't fit to is to blame.
        let mut places = std::iter::once(invalid.key).chain(invalid.against).map(place);
        let place = places.find(|place| *place != Place::Default).unwrap_or(Place::Default);
        Problem { place, key: invalid.key.into(), message: invalid.message }
    });
    Err(problems.collect::<Vec<_>>().into())
}

fn find(searched: &[&Path]) -> Option<PathBuf> {
    // A file that can't even be asked for exists: reading it will say what is wrong.
    searched.iter().find(|path| path.try_exists().unwrap_or(true)).map(|path| path.to_path_buf())
}

fn read_file(path: &Path) -> Result<String, String> {
    use std::io::{ErrorKind, Read};
    let unreadable = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        ErrorKind::PermissionDenied => "may not be read by this user".to_owned(),
        ErrorKind::IsADirectory => "is a folder, expected a file".to_owned(),
        ErrorKind::InvalidData => "is not text in UTF-8".to_owned(),
        _ => format!("can't be read: {error}"),
    };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(LARGEST_FILE + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > LARGEST_FILE {
        return Err("is larger than 1 MiB, which no configuration is".into());
    }
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// Notes for every value of the settings whether the tree had it.
fn trace(value: &serde_json::Value, tree: Option<&Value>, key: String, sources: &mut BTreeMap<String, Source>) {
    match (value, tree.map(|tree| &tree.kind)) {
        (serde_json::Value::Object(entries), kind) => {
            for (name, value) in entries {
                let tree = match kind {
                    Some(ValueKind::Table(table)) => table.get(name),
                    _ => None,
                };
                let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                trace(value, tree, key, sources);
            }
        }
        (serde_json::Value::Array(items), Some(ValueKind::Array(trees)))
            if items.iter().any(|item| item.is_object()) =>
        {
            for (index, (item, tree)) in items.iter().zip(trees).enumerate() {
                trace(item, Some(tree), format!("{key}[{index}]"), sources);
            }
        }
        _ => {
            let source = match tree {
                None => Source::Default,
                Some(tree) if is_from_environment(tree) => Source::Environment,
                Some(_) => Source::File,
            };
            sources.insert(key, source);
        }
    }
}
