//! Lays the environment over the file, reads the result into the structs, and finds out who wrote what can't be read.
//!
//! Refuses to stop at the first problem: somebody who edits a file over a slow connection wants to see all of them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use config::{Environment, File, FileFormat, Value, ValueKind};
use serde_path_to_error::Segment;

use super::Config;
use super::load::{known_keys, settings_of};
use super::problem::{Place, Problem, explain, syntax_error, variable_name};
use super::strict::{Mismatch, Node, is_from_environment};

/// More problems than this help nobody.
const MOST_PROBLEMS: usize = 20;

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

    /// The variable that set this key, or something below it.
    pub(super) fn name_of(&self, key: &str) -> String {
        let below = format!("{key}.");
        let hit = self.0.get(key).or_else(|| self.0.iter().find(|(k, _)| k.starts_with(&below)).map(|(_, v)| v));
        hit.map_or_else(|| variable_name(key), |(name, _)| name.clone())
    }
}

/// File ← environment, unread; what is missing then becomes a default.
pub(super) fn merge(file: Option<&Path>, text: &str, variables: &Variables) -> Result<Value, Problem> {
    let mut builder = config::Config::builder().add_source(File::from_str(text, FileFormat::Toml));
    // One source for each: within one, the order is that of a hash table. `try_parsing` stays off, so that a password
    // that looks like a number is left alone.
    for (name, value) in variables.0.values() {
        let source = [(name.clone(), value.clone())].into_iter().collect();
        builder = builder.add_source(Environment::with_prefix("SUNWARD").separator("__").source(Some(source)));
    }
    let merged = builder.build();
    merged.map(|merged| merged.cache).map_err(|error| syntax_error(file.unwrap_or(Path::new("")), &error.to_string()))
}

/// Reads the tree; what can't be read is noted, taken out, and the rest is read again, until all problems are known.
pub(super) fn read(mut tree: Value, file: Option<&Path>, variables: &Variables) -> (Config, Vec<Problem>) {
    let blame = Blame { file, variables };
    let mut problems = Vec::new();
    loop {
        let error = match serde_path_to_error::deserialize::<_, Config>(Node(&tree)) {
            Ok(config) => return (config, problems),
            Err(error) => error,
        };
        let steps = steps_to(&error);
        problems.push(blame.problem(key_of(&steps), at(&mut tree, &steps).map(|value| &*value), error.inner()));
        if problems.len() == MOST_PROBLEMS || !remove(&mut tree, &steps) {
            return (Config::default(), problems);
        }
    }
}

/// Finds out who wrote what can't be read.
struct Blame<'a> {
    file: Option<&'a Path>,
    variables: &'a Variables,
}

impl Blame<'_> {
    fn problem(&self, key: String, value: Option<&Value>, mismatch: &Mismatch) -> Problem {
        let place = match (self.file, value) {
            (_, Some(value)) if is_all_from_environment(value) => Place::Variable(self.variables.name_of(&key)),
            (Some(path), _) => Place::File(path.into()),
            (None, _) => Place::Variable(self.variables.name_of(&key)),
        };
        let message = explain(&key, value, mismatch, matches!(place, Place::Variable(_)), &known_keys());
        Problem { place, key, message }
    }
}

fn is_all_from_environment(value: &Value) -> bool {
    match &value.kind {
        ValueKind::Table(table) => !table.is_empty() && table.values().all(is_all_from_environment),
        _ => is_from_environment(value),
    }
}

enum Step {
    Key(String),
    Item(usize),
}

fn steps_to(error: &serde_path_to_error::Error<Mismatch>) -> Vec<Step> {
    let steps = error.path().iter().map_while(|segment| match segment {
        Segment::Map { key } => Some(Step::Key(key.clone())),
        Segment::Seq { index } => Some(Step::Item(*index)),
        Segment::Enum { .. } | Segment::Unknown => None,
    });
    steps.collect()
}

fn key_of(steps: &[Step]) -> String {
    let mut key = String::new();
    for step in steps {
        match step {
            Step::Key(name) if key.is_empty() => key.push_str(name),
            Step::Key(name) => key.extend([".", name]),
            Step::Item(index) => key.push_str(&format!("[{index}]")),
        }
    }
    key
}

fn at<'a>(tree: &'a mut Value, steps: &[Step]) -> Option<&'a mut Value> {
    steps.iter().try_fold(tree, |value, step| match (step, &mut value.kind) {
        (Step::Key(key), ValueKind::Table(table)) => table.get_mut(key),
        (Step::Item(index), ValueKind::Array(items)) => items.get_mut(*index),
        _ => None,
    })
}

/// Takes out what is there; instead of an item its whole list, as the later ones would change their numbers.
fn remove(tree: &mut Value, steps: &[Step]) -> bool {
    match steps.split_last() {
        Some((Step::Key(key), table)) => match at(tree, table).map(|value| &mut value.kind) {
            Some(ValueKind::Table(table)) => table.remove(key).is_some(),
            _ => false,
        },
        Some((Step::Item(_), list)) => remove(tree, list),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use insta::assert_snapshot;

    use super::{Variables, merge, read};
    use crate::config::{ConfigError, CriterionSource};

    /// Everything that is said about a file and an environment.
    fn said(text: &str, env: &[(&str, &str)]) -> String {
        let file = Path::new("sunward.toml");
        let (variables, mut problems) = Variables::collect(env.iter().copied());
        match merge(Some(file), text, &variables) {
            Ok(tree) => problems.extend(read(tree, Some(file), &variables).1),
            Err(problem) => problems.push(problem),
        }
        ConfigError::from(problems).to_string()
    }

    #[test]
    fn an_unknown_key_comes_with_the_one_that_was_meant() {
        assert_snapshot!(said("[scheduler]\nwindw_size = 3", &[]), @"");
        assert_snapshot!(said("[sheduler]\ncycle = 3", &[]), @"");
        assert_snapshot!(said("[scheduler.criteria]\nstrat = 3", &[]), @"");
        assert_snapshot!(said("[mqtt]\nuser = \"me\"", &[]), @"");
        assert_snapshot!(said("[mqtt]\ncycle = \"1m\"", &[]), @"");
        assert_snapshot!(said("[mqtt]\nhost = \"localhost\"", &[]), @"");
        assert_snapshot!(said("cycle = \"1m\"", &[]), @"");
        assert_snapshot!(said("[broker]\nxyzzy = 1", &[]), @"");
    }

    #[test]
    fn a_wrong_value_is_shown_beside_what_was_expected() {
        assert_snapshot!(said("[scheduler]\nheadroom = \"abc\"", &[]), @"");
        assert_snapshot!(said("[scheduler]\nheadroom = \"200\"", &[]), @"");
        assert_snapshot!(said("[scheduler]\nwindow_size = 12.5", &[]), @"");
        assert_snapshot!(said("[scheduler]\ndry_run = \"true\"", &[]), @"");
        assert_snapshot!(said("[scheduler]\ncycle = \"1 minutee\"", &[]), @"");
        assert_snapshot!(said("[scheduler]\ncycle = true", &[]), @"");
        assert_snapshot!(said("[scheduler.criteria]\nkeep = [1]", &[]), @"");
        assert_snapshot!(said("[mqtt]\nclient_id = 5", &[]), @"");
        assert_snapshot!(said("[mqtt]\nprotocol = 5", &[]), @"");
        assert_snapshot!(said("[mqtt]\nprotocol = \"4\"", &[]), @"");
        assert_snapshot!(said("[mqtt]\nmax_packet_size = -1", &[]), @"");
        assert_snapshot!(said("[mqtt]\nca_file = 1", &[]), @"");
        assert_snapshot!(said("mqtt = \"localhost\"", &[]), @"");
        assert_snapshot!(said("[power]\nunit_of_measurement = \"MW\"", &[]), @"");
    }

    #[test]
    fn a_variable_is_named_as_it_was_written() {
        assert_snapshot!(said("", &[("SUNWARD__SCHEDULER__HEADROOM", "lots")]), @"");
        assert_snapshot!(said("", &[("SUNWARD__MQTT__PASWORD", "x")]), @"");
        assert_snapshot!(said("", &[("SUNWARD__MQT__URL", "x")]), @"");
        assert_snapshot!(said("", &[("SUNWARD__MQTT_PASSWORD", "x")]), @"");
        assert_snapshot!(said("", &[("SUNWARD_MQTT__PASSWORD", "x")]), @"");
        assert_snapshot!(said("[mqtt]\nusername = \"a\"", &[("SUNWARD__MQTT", "x")]), @"");
        assert_snapshot!(said("", &[("SUNWARD__MQTT__", "x")]), @"");
        assert_snapshot!(said("", &[("sunward__scheduler__cycle", "x")]), @"");
    }

    #[test]
    fn foreign_and_empty_variables_are_left_alone() {
        let env = [("SUNWARD_LOG", "debug"), ("SUNWARD_CONFIG", "x"), ("PATH", "x"), ("SUNWARD__MQTT__URL", "")];
        assert_eq!(said("", &env), "");
    }

    #[test]
    fn a_syntax_error_names_its_line_and_not_its_secret() {
        assert_snapshot!(said("[mqtt]\nusername = \"a\"\npassword = \"hunter2", &[]), @"");
        assert_snapshot!(said("[mqtt]\nurl = localhost", &[]), @"");
        assert_snapshot!(said("[mqtt\nurl = \"a\"", &[]), @"");
        assert_snapshot!(said("[power]\nreserve = 1\nreserve = 2", &[]), @"");
    }

    #[test]
    fn a_password_of_the_wrong_type_is_not_repeated() {
        assert_snapshot!(said("[mqtt]\npassword = 12345", &[]), @"");
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let file = "[mqtt]\nusr = 1\nclient_id = 7\n[scheduler]\ncycle = \"x\"\n[web]\nport = 1";
        assert_snapshot!(said(file, &[("SUNWARD__POWER__RESERVE", "x"), ("SUNWARD_POWER__TOPIC", "x")]), @"");
    }

    #[test]
    fn text_that_looks_like_something_else_stays_text() {
        for password in ["12345", "1e5", "true", "0x10", " spaced ", "a,b", "Ünï__ö", "null"] {
            let (variables, _) = Variables::collect([("SUNWARD__MQTT__PASSWORD", password)]);
            let (config, problems) = read(merge(None, "", &variables).unwrap(), None, &variables);
            assert_eq!(config.mqtt.password.as_deref(), Some(password), "{problems:?}");
        }
    }

    #[test]
    fn variables_are_what_their_settings_need() {
        let (variables, refused) = Variables::collect([
            ("SUNWARD__SCHEDULER__CRITERIA__START", "0.7"),
            ("SUNWARD__SCHEDULER__CRITERIA__KEEP", "ratio > 0.5"),
            ("SUNWARD__SCHEDULER__CYCLE", "90"),
            ("SUNWARD__SCHEDULER__DRY_RUN", "Yes"),
            ("SUNWARD__SCHEDULER__WINDOW_SIZE", "20"),
            ("SUNWARD__POWER__RESERVE", "50"),
            ("SUNWARD__MQTT__PROTOCOL", "5"),
            ("SUNWARD__TIME_ZONE", "Europe/Berlin"),
        ]);
        let tree = merge(None, "[scheduler]\ncycle = \"2m\"\nheadroom = 100", &variables).unwrap();
        let (config, problems) = read(tree, None, &variables);
        assert_eq!((refused, problems), (vec![], vec![]));
        assert_eq!(config.scheduler.criteria.start, CriterionSource::Number(0.7));
        assert_eq!(config.scheduler.criteria.keep, Some(CriterionSource::Expression("ratio > 0.5".into())));
        assert_eq!(config.scheduler.cycle.as_secs(), 90);
        assert!(config.scheduler.dry_run);
        assert_eq!(config.scheduler.window_size, 20);
        assert_eq!(config.scheduler.headroom.0, 100.0);
        assert_eq!(config.power.reserve.0, 50.0);
        assert_eq!(config.time_zone.as_deref(), Some("Europe/Berlin"));
    }
}
