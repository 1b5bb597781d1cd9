//! What is wrong with the settings, said to the person who wrote them: where, which key, what was expected, what to type.
//!
//! A secret is never repeated: what stands in a key named `password` is not quoted.

use std::fmt;
use std::path::{Path, PathBuf};

use config::{Value, ValueKind};

use super::strict::{Mismatch, is_from_environment};

/// Everything that is wrong with the settings. Prints one line per problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    problems: Vec<Problem>,
}

impl ConfigError {
    /// The problems, at least one.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl From<Problem> for ConfigError {
    fn from(problem: Problem) -> Self {
        Self { problems: vec![problem] }
    }
}

impl From<Vec<Problem>> for ConfigError {
    fn from(problems: Vec<Problem>) -> Self {
        Self { problems }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it was written.
    pub place: Place,
    /// The full key, `scheduler.window_size`; empty if the whole file or variable is meant.
    pub key: String,
    /// What is wrong and what was expected.
    pub message: String,
}

/// Where a setting was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In this file.
    File(PathBuf),
    /// In this file, at this line.
    Line(PathBuf, usize),
    /// In this environment variable.
    Variable(String),
    /// Nowhere: a default.
    Default,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, key, message } = self;
        match place {
            Place::File(path) => write!(f, "{}: ", path.display())?,
            Place::Line(path, line) => write!(f, "{}, line {line}: ", path.display())?,
            Place::Variable(name) if key.is_empty() => write!(f, "environment variable {name}: ")?,
            Place::Variable(name) => return write!(f, "environment variable {name} ({key}): {message}"),
            Place::Default => {}
        }
        if !key.is_empty() {
            write!(f, "{key}: ")?;
        }
        f.write_str(message)
    }
}

/// Whether the value of this key must never be shown.
#[must_use]
pub fn is_secret(key: &str) -> bool {
    key.rsplit('.').next() == Some("password")
}

/// The name of the variable that sets a key: `SUNWARD__MQTT__URL`.
pub(super) fn variable_name(key: &str) -> String {
    format!("SUNWARD__{}", key.replace('.', "__").to_uppercase())
}

/// The sentence for a value that can't be read. `variable` is the full key of the variable that wrote it, if one did: it
/// may reach deeper than `key`. `all` are the keys that exist anywhere.
pub(super) fn explain(
    key: &str,
    value: Option<&Value>,
    mismatch: &Mismatch,
    variable: Option<&str>,
    all: &[String],
) -> String {
    match (mismatch, value) {
        (Mismatch::UnknownKey { key: name, known }, _) => unknown_key(key, name, known, variable, all),
        (Mismatch::Expected(what), _) if what == "a list" && variable.is_some() => {
            "a list, which only the file can hold".into()
        }
        (Mismatch::Expected(what), Some(value)) => {
            let table = match (what.as_str(), &value.kind) {
                ("a table", _) => format!(" [{key}]"),
                ("a list", ValueKind::Table(_)) => format!(" [[{key}]]"),
                _ => String::new(),
            };
            format!("{mismatch}{table}, found {}{}", found(value, is_secret(key)), correction(what, value))
        }
        (mismatch, _) => mismatch.to_string(),
    }
}

/// A TOML syntax error, with its line, from the text that the parser made for a terminal.
pub(super) fn syntax_error(path: &Path, text: &str) -> Problem {
    // "TOML parse error at line 2, column 5", the line with a caret under it, then what is wrong. The line itself is left
    // out: it may hold the password.
    let line = text
        .split_once(" at line ")
        .and_then(|(_, rest)| rest.split_once(','))
        .and_then(|(number, _)| number.parse().ok());
    let message = match line {
        Some(_) => {
            let after_caret = text.lines().skip_while(|line| !line.trim_start().starts_with("| ")).skip(1);
            after_caret.collect::<Vec<_>>().join(", ")
        }
        // The numbers are read by the `config` crate, which knows no lines.
        None if ["too large", "too small", "overflow"].iter().any(|word| text.contains(word)) => {
            "a number in it is too large".to_owned()
        }
        None => text.to_owned(),
    };
    let place = line.map_or_else(|| Place::File(path.into()), |line| Place::Line(path.into(), line));
    Problem { place, key: String::new(), message: format!("not valid TOML: {message}") }
}

/// The one of `known` that a typing error comes closest to, if it is close.
pub(super) fn closest<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    let similarity = |name: &str| {
        let name = name.to_lowercase();
        // `user` means `username`, `pass` means `password`.
        let is_start = typed.len() >= 4 && name.starts_with(&typed);
        strsim::normalized_damerau_levenshtein(&typed, &name).max(if is_start { 0.7 } else { 0.0 })
    };
    known
        .map(|name| (similarity(name), name))
        .filter(|(similarity, _)| *similarity >= 0.6)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name)
}

/// Keys that other programs have and people try here.
const HABITS: [(&str, &str); 9] = [
    ("mqtt.host", "mqtt.url"),
    ("mqtt.server", "mqtt.url"),
    ("mqtt.broker", "mqtt.url"),
    ("mqtt.address", "mqtt.url"),
    ("mqtt.port", "mqtt.url"),
    ("timezone", "time_zone"),
    ("power.sensor[].state_topic", "power.sensor[].topic"),
    ("power.sensor[].name", "power.sensor[].key"),
    ("power.sensor[].unit", "power.sensor[].unit_of_measurement"),
];

/// What people may look for in vain, and what there is instead.
const NOT_BUILT: [(&str, &str); 1] =
    [("web", "this version has no web page: Home Assistant, or `sunward status`, shows what runs and why")];

fn unknown_key(key: &str, name: &str, known: &[&str], variable: Option<&str>, all: &[String]) -> String {
    if let Some((_, instead)) = NOT_BUILT.iter().find(|(missing, _)| *missing == key) {
        return (*instead).to_owned();
    }
    let table = key.strip_suffix(name).unwrap_or_default();
    let same_item = |known: &str| format!("{table}{}", known.rsplit('.').next().unwrap_or_default());
    let habit = HABITS.iter().find(|(typed, _)| *typed == without_numbers(key)).map(|(_, meant)| match meant {
        meant if meant.contains("[]") => same_item(meant),
        meant => (*meant).to_owned(),
    });
    let sibling = || closest(name, known.iter().copied()).map(|meant| format!("{table}{meant}"));
    // In the wrong table, or with `_` where `__` separates.
    let elsewhere =
        || all.iter().find(|other| other.rsplit('.').next() == Some(name) || other.replace('.', "_") == key).cloned();
    match habit.or_else(sibling).or_else(elsewhere) {
        Some(meant) => {
            if let Some(rest) = variable.and_then(|variable| variable.strip_prefix(key)) {
                return format!("unknown key, did you mean {}?", variable_name(&format!("{meant}{rest}")));
            }
            let short = meant.strip_prefix(table).filter(|short| !short.contains('.')).unwrap_or(&meant);
            format!("unknown key, did you mean `{short}`?")
        }
        None => format!("unknown key, expected one of {}", known.join(", ")),
    }
}

/// `power.sensor[].topic` for `power.sensor[3].topic`.
fn without_numbers(key: &str) -> String {
    key.split_inclusive('[').map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit())).collect()
}

/// What stands there: `the string "abc"`.
fn found(value: &Value, secret: bool) -> String {
    let (kind, shown) = match &value.kind {
        ValueKind::Nil => ("nothing", String::new()),
        ValueKind::Boolean(value) => ("", value.to_string()),
        ValueKind::I64(value) => ("the number", value.to_string()),
        ValueKind::I128(value) => ("the number", value.to_string()),
        ValueKind::U64(value) => ("the number", value.to_string()),
        ValueKind::U128(value) => ("the number", value.to_string()),
        ValueKind::Float(value) => ("the number", format!("{value:?}")),
        ValueKind::String(text) if is_from_environment(value) => ("", format!("{text:?}")),
        ValueKind::String(text) => ("the string", format!("{text:?}")),
        ValueKind::Table(_) => ("a table", String::new()),
        ValueKind::Array(_) => ("a list", String::new()),
    };
    if secret && !shown.is_empty() {
        return "something else".into();
    }
    format!("{kind} {shown}").trim().to_owned()
}

/// What to type, where quotes are all that is wrong.
fn correction(expected: &str, value: &Value) -> &'static str {
    let is_text = |text: &str| text.parse::<f64>().is_ok() || text == "true" || text == "false";
    match &value.kind {
        ValueKind::String(text)
            if !is_from_environment(value)
                && is_text(text)
                && !expected.starts_with(['"', '['])
                && expected != "a list" =>
        {
            " (write it without quotes)"
        }
        ValueKind::Table(_) | ValueKind::Array(_) | ValueKind::Nil | ValueKind::String(_) => "",
        // `text in quotes` says so itself.
        _ if expected.starts_with('"') => " (write it in quotes)",
        _ => "",
    }
}
