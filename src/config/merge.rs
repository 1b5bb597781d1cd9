//! Lays the environment over the file, reads the result into the structs, and finds out where a value comes from that can't be read.
//!
//! Every problem is reported, not only the first: editing a file over a slow connection takes long enough.

use std::path::Path;

use config::{Environment, File, FileFormat, Value, ValueKind};
use serde_path_to_error::Segment;

use super::origins::known_keys;
use super::problem::{Place, Problem, explain, syntax_error};
use super::settings::Config;
use super::strict::{Mismatch, Node, is_from_environment};
use super::variables::Variables;

/// More problems than this help nobody.
const MOST_PROBLEMS: usize = 20;

/// File ← environment, unread; what is missing then becomes a default.
pub(super) fn merge(file: Option<&Path>, text: &str, variables: &Variables) -> Result<Value, Problem> {
    let mut builder = config::Config::builder().add_source(File::from_str(text, FileFormat::Toml));
    // One source for each: within one, the order is that of a hash table. `try_parsing` stays off, so that a password
    // that looks like a number is left alone.
    for (name, value) in variables.iter() {
        let source = [(name.to_owned(), value.to_owned())].into_iter().collect();
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

/// Finds out where a value comes from that can't be read.
struct Blame<'a> {
    file: Option<&'a Path>,
    variables: &'a Variables,
}

impl Blame<'_> {
    fn problem(&self, key: String, value: Option<&Value>, mismatch: &Mismatch) -> Problem {
        let by_variable = value.is_some_and(is_all_from_environment);
        if let (Some(path), false) = (self.file, by_variable) {
            let message = explain(&key, value, mismatch, None, &known_keys());
            return Problem { place: Place::File(path.into()), key, message };
        }
        let full = self.variables.key_below(&key);
        let message = explain(&key, value, mismatch, Some(&full), &known_keys());
        Problem { place: Place::Variable(self.variables.name_of(&full)), key: full, message }
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

    use super::{merge, read};
    use crate::config::ConfigError;
    use crate::config::variables::Variables;
    use crate::wire::CriterionSource;

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

    /// What is said about each of these files, one after the other.
    fn said_of_files(files: &[&str]) -> String {
        files.iter().map(|file| said(file, &[])).collect::<Vec<_>>().join("\n")
    }

    /// What is said about each of these variables beside a sound file.
    fn said_of_variables(variables: &[(&str, &str)]) -> String {
        let file = "[mqtt]\nusername = \"a\"";
        variables.iter().map(|variable| said(file, &[*variable])).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn an_unknown_key_comes_with_the_one_that_was_meant() {
        let files = [
            "[scheduler]\nwindw_size = 3",
            "[sheduler]\ncycle = 3",
            "[scheduler.criteria]\nstrat = 3",
            "[mqtt]\nuser = \"me\"",
            "[mqtt]\ncycle = \"1m\"",
            "[mqtt]\nhost = \"localhost\"",
            "cycle = \"1m\"",
            "[broker]\nxyzzy = 1",
            "[[power.sensor]]\nkey = \"net\"\ntopic = \"a\"\nvalue_tmplate = \"{{ value }}\"",
            "[[power.sensor]]\nkey = \"net\"\nstate_topic = \"a\"",
            "[power]\nsensors = []",
        ];
        assert_snapshot!(said_of_files(&files), @"
        sunward.toml: scheduler.windw_size: unknown key, did you mean `window_size`?
        sunward.toml: sheduler: unknown key, did you mean `scheduler`?
        sunward.toml: scheduler.criteria.strat: unknown key, did you mean `start`?
        sunward.toml: mqtt.user: unknown key, did you mean `username`?
        sunward.toml: mqtt.cycle: unknown key, did you mean `scheduler.cycle`?
        sunward.toml: mqtt.host: unknown key, did you mean `url`?
        sunward.toml: cycle: unknown key, did you mean `scheduler.cycle`?
        sunward.toml: broker.xyzzy: unknown key, expected one of listen, storage, insecure, users, max_connections, max_packet_size, max_queued_messages, max_queued_bytes, max_retained_messages, max_retained_bytes, max_sessions, max_subscriptions, persistent_client_expiration
        sunward.toml: power.sensor[0].value_tmplate: unknown key, did you mean `value_template`?
        sunward.toml: power.sensor[0].state_topic: unknown key, did you mean `topic`?
        sunward.toml: power.sensor[0]: the key `topic` is missing
        sunward.toml: power.sensors: unknown key, did you mean `sensor`?
        ");
    }

    #[test]
    fn a_wrong_value_is_shown_beside_what_was_expected() {
        let files = [
            "[scheduler]\nheadroom = \"abc\"",
            "[scheduler]\nheadroom = \"200\"",
            "[scheduler]\nwindow_size = 12.5",
            "[scheduler]\ndry_run = \"true\"",
            "[scheduler]\ncycle = \"1 minutee\"",
            "[scheduler]\ncycle = true",
            "[scheduler.criteria]\nkeep = [1]",
            "[mqtt]\nclient_id = 5",
            "[mqtt]\nprotocol = 5",
            "[mqtt]\nprotocol = \"4\"",
            "[mqtt]\nmax_packet_size = -1",
            "[mqtt]\nca_file = 1",
            "mqtt = \"localhost\"",
            "[power]\nunit_of_measurement = \"MW\"",
            "[power.sensor]\nkey = \"net\"",
            "[[power.sensor]]\nkey = \"net\"",
            "[power.derived]\nnet = 5",
        ];
        assert_snapshot!(said_of_files(&files), @r#"
        sunward.toml: scheduler.headroom: expected a number, found the string "abc"
        sunward.toml: scheduler.headroom: expected a number, found the string "200" (write it without quotes)
        sunward.toml: scheduler.window_size: expected a whole number, 0 or more, found the number 12.5
        sunward.toml: scheduler.dry_run: expected true or false, found the string "true" (write it without quotes)
        sunward.toml: scheduler.cycle: "1 minutee" is not a duration such as "90s", "5m" or "1h 30m", or a number of seconds
        sunward.toml: scheduler.cycle: expected a duration such as "90s", "5m" or "1h 30m", or a number of seconds, found true
        sunward.toml: scheduler.criteria.keep: expected a number or an expression such as "ratio >= 0.8", found a list
        sunward.toml: mqtt.client_id: expected text in quotes, found the number 5
        sunward.toml: mqtt.protocol: expected "5" or "3.1.1", found the number 5 (write it in quotes)
        sunward.toml: mqtt.protocol: expected "5" or "3.1.1", found the string "4"
        sunward.toml: mqtt.max_packet_size: expected a whole number from 0 to 4294967295, found the number -1
        sunward.toml: mqtt.ca_file: expected text in quotes, found the number 1
        sunward.toml: mqtt: expected a table [mqtt], found the string "localhost"
        sunward.toml: power.unit_of_measurement: expected "W" or "kW", found the string "MW"
        sunward.toml: power.sensor: expected a list [[power.sensor]], found a table
        sunward.toml: power.sensor[0]: the key `topic` is missing
        sunward.toml: power.derived.net: expected text in quotes, found the number 5
        "#);
    }

    #[test]
    fn a_variable_is_named_as_it_was_written() {
        let variables = [
            ("SUNWARD__SCHEDULER__HEADROOM", "lots"),
            ("SUNWARD__MQTT__PASWORD", "x"),
            ("SUNWARD__MQT__PASSWORD", "x"),
            ("SUNWARD__MQTT_PASSWORD", "x"),
            ("SUNWARD_MQTT__PASSWORD", "x"),
            ("SUNWARD__MQTT", "x"),
            ("SUNWARD__MQTT__", "x"),
            ("SUNWARD__MQTT__PROTOCOL", "4"),
            ("sunward__scheduler__cycle", "x"),
            ("SUNWARD__POWER__SENSOR__0__TOPIC", "x"),
        ];
        assert_snapshot!(said_of_variables(&variables), @r#"
        environment variable SUNWARD__SCHEDULER__HEADROOM (scheduler.headroom): expected a number, found "lots"
        environment variable SUNWARD__MQTT__PASWORD (mqtt.pasword): unknown key, did you mean SUNWARD__MQTT__PASSWORD?
        environment variable SUNWARD__MQT__PASSWORD (mqt.password): unknown key, did you mean SUNWARD__MQTT__PASSWORD?
        environment variable SUNWARD__MQTT_PASSWORD (mqtt_password): unknown key, did you mean SUNWARD__MQTT__PASSWORD?
        environment variable SUNWARD_MQTT__PASSWORD: not a setting, did you mean SUNWARD__MQTT__PASSWORD?
        environment variable SUNWARD__MQTT: [mqtt] is a table, set its keys one by one with SUNWARD__MQTT__…
        environment variable SUNWARD__MQTT__: not a setting, expected a name like SUNWARD__MQTT__URL
        environment variable SUNWARD__MQTT__PROTOCOL (mqtt.protocol): expected "5" or "3.1.1", found "4"
        environment variable sunward__scheduler__cycle (scheduler.cycle): "x" is not a duration such as "90s", "5m" or "1h 30m", or a number of seconds
        environment variable SUNWARD__POWER__SENSOR__0__TOPIC (power.sensor.0.topic): a list, which only the file can hold
        "#);
    }

    #[test]
    fn foreign_and_empty_variables_are_left_alone() {
        let env = [("SUNWARD_LOG", "debug"), ("SUNWARD_CONFIG", "x"), ("PATH", "x"), ("SUNWARD__MQTT__URL", "")];
        assert_eq!(said("", &env), "");
    }

    #[test]
    fn a_syntax_error_names_its_line_and_not_its_secret() {
        let files = [
            "[mqtt]\nusername = \"a\"\npassword = \"hunter2",
            "[mqtt]\nurl = localhost",
            "[mqtt\nurl = \"a\"",
            "[power]\nreserve = 1\nreserve = 2",
            "[mqtt]\nmax_packet_size = 99999999999999999999",
        ];
        assert_snapshot!(said_of_files(&files), @r#"
        sunward.toml, line 3: not valid TOML: invalid basic string, expected `"`
        sunward.toml, line 2: not valid TOML: string values must be quoted, expected literal string
        sunward.toml, line 1: not valid TOML: unclosed table, expected `]`
        sunward.toml, line 3: not valid TOML: duplicate key
        sunward.toml: not valid TOML: a number in it is too large
        "#);
    }

    #[test]
    fn a_password_of_the_wrong_type_is_not_repeated() {
        assert_snapshot!(said("[mqtt]\npassword = 12345", &[]), @"sunward.toml: mqtt.password: expected text in quotes, found something else");
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let file = "[mqtt]\nusr = 1\nclient_id = 7\n[scheduler]\ncycle = \"x\"\n[radio]\nport = 1";
        assert_snapshot!(said(file, &[("SUNWARD__POWER__RESERVE", "x"), ("SUNWARD_POWER__TOPIC", "x")]), @r#"
        environment variable SUNWARD_POWER__TOPIC: not a setting, did you mean SUNWARD__POWER__TOPIC?
        sunward.toml: mqtt.client_id: expected text in quotes, found the number 7
        sunward.toml: mqtt.usr: unknown key, expected one of url, protocol, client_id, username, password, password_file, ca_file, client_cert_file, client_key_file, base_topic, keep_alive, max_packet_size
        environment variable SUNWARD__POWER__RESERVE (power.reserve): expected a number, found "x"
        sunward.toml: radio: unknown key, expected one of mqtt, broker, power, scheduler, task, replay, homeassistant, time_zone
        sunward.toml: scheduler.cycle: "x" is not a duration such as "90s", "5m" or "1h 30m", or a number of seconds
        "#);
    }

    #[test]
    fn what_is_not_built_is_no_typing_error() {
        assert_snapshot!(said("[web]\nlisten = \"127.0.0.1:8080\"", &[("SUNWARD__WEB__PORT", "8080")]), @"sunward.toml: web: this version has no web page: Home Assistant, or `sunward status`, shows what runs and why");
        assert_snapshot!(said("", &[("SUNWARD__WEB__LISTEN", "8080")]), @"environment variable SUNWARD__WEB__LISTEN (web.listen): this version has no web page: Home Assistant, or `sunward status`, shows what runs and why");
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
