//! Keeps `config.toml.example` true: its values are the defaults, and no key is missing.

use super::origins::{known_keys, settings_of};
use super::settings::Config;
use super::strict::Node;
use crate::core::Criteria;
use crate::devices::{DeviceTask, Sensors, TASK_FIELDS};
use crate::wire::REGISTRATION_FIELDS;

use crate::replay::{PlannedTask, TASK_FIELDS as REPLAY_FIELDS};

const EXAMPLE: &str = include_str!("../../config.toml.example");

fn read(text: &str) -> (Config, config::Value) {
    let file = config::File::from_str(text, config::FileFormat::Toml);
    let tree = config::Config::builder().add_source(file).build().unwrap().cache;
    let read = serde_path_to_error::deserialize(Node(&tree));
    (read.unwrap_or_else(|error| panic!("{error}")), tree)
}

/// The example as somebody would have it who takes the `# ` off every optional key and table.
fn uncommented() -> String {
    let is_key = |line: &str| {
        let named = |(key, _): (&str, &str)| key.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        line.starts_with("[[") || line.split_once(" = ").is_some_and(named)
    };
    let is_table = |line: &str| line.starts_with('[') && line.ends_with(']');
    let bare = |line: &'static str| line.strip_prefix("# ").filter(|rest| is_key(rest) || is_table(rest));
    EXAMPLE.lines().map(|line| bare(line).unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

fn mentions(tree: &config::Value, key: &str) -> bool {
    let found = key.split('.').try_fold(tree, |value, part| match &value.kind {
        config::ValueKind::Table(table) => table.get(part),
        _ => None,
    });
    found.is_some()
}

#[test]
fn the_example_holds_the_defaults() {
    assert_eq!(read(EXAMPLE).0, Config::default());
}

#[test]
fn the_example_mentions_every_key() {
    let (_, written) = read(EXAMPLE);
    let (_, with_optional) = read(&uncommented());
    let defaults = settings_of(&Config::default());
    for key in known_keys() {
        assert!(mentions(&with_optional, &key), "{key} is missing");
        let has_default =
            defaults.pointer(&format!("/{}", key.replace('.', "/"))).is_some_and(|value| !value.is_null());
        assert_eq!(
            mentions(&written, &key),
            has_default,
            "{key}: keys with a default are written, others commented out"
        );
    }
}

#[test]
fn the_example_has_sensors_that_can_be_meant() {
    let (config, tree) = read(&uncommented());
    let power = &config.power;
    assert_eq!(Sensors::new(&power.sensor, &power.derived, power.expire_after).err(), None);
    let sensors = tree.into_table().unwrap()["power"].clone().into_table().unwrap()["sensor"].clone();
    let written = sensors.into_array().unwrap()[0].clone().into_table().unwrap();
    let known = serde_json::to_value(&config.power.sensor[0]).unwrap();
    for key in known.as_object().unwrap().keys() {
        assert!(written.contains_key(key), "power.sensor[].{key} is missing");
    }
    assert!(config.power.derived.contains_key("net"));
}

#[test]
fn the_example_shows_every_key_of_a_task() {
    let (config, _) = read(&uncommented());
    let criteria = Criteria::default();
    let shown: Vec<&String> = config.task.iter().flat_map(|task| task.keys()).collect();
    for task in &config.task {
        DeviceTask::read(task, &criteria).unwrap_or_else(|problem| panic!("{problem}"));
    }
    for key in TASK_FIELDS.iter().chain(&REGISTRATION_FIELDS) {
        assert!(shown.iter().any(|shown| shown == key), "{key} is missing");
    }
    let shown: Vec<&String> = config.replay.task.iter().flat_map(|task| task.keys()).collect();
    for task in &config.replay.task {
        PlannedTask::read(task, &[], &criteria).unwrap_or_else(|problem| panic!("{problem}"));
    }
    for key in &REPLAY_FIELDS {
        assert!(shown.iter().any(|shown| shown == key), "{key} is missing");
    }
}

#[test]
fn every_key_of_the_example_says_why() {
    let lines: Vec<&str> = EXAMPLE.lines().collect();
    for pair in lines.windows(2) {
        let bare = pair[1].strip_prefix("# ").unwrap_or(pair[1]);
        let is_key = bare.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '));
        assert!(!is_key || pair[0].starts_with("# "), "no line of why above: {}", pair[1]);
    }
}
