//! The recipes of `examples/devices/`, as a person would paste them: the real program reads each one and is fed what the
//! devices say, through a real broker.
//!
//! Refuses to know a template or a topic that the recipe doesn't name: what a message becomes is read from the reports.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use sunward::config::Protocol;
use tokio::time::Instant;

use crate::home::Home;
use crate::peer::PATIENCE;

mod chargers;
mod counts;
mod meters;
mod native;
mod plugs;

/// A recipe, and what happens to it in a test.
pub(crate) struct Recipe {
    /// Its file in `examples/devices/`, without `.toml`.
    pub(crate) name: &'static str,
    pub(crate) steps: &'static [Step],
}

/// All of them.
pub(crate) const RECIPES: &[&Recipe] = &[
    &plugs::TASMOTA,
    &plugs::SHELLY_GEN1,
    &plugs::SHELLY_GEN2,
    &plugs::ZIGBEE2MQTT,
    &plugs::ESPHOME,
    &chargers::GO_E,
    &chargers::OPENEVSE,
    &meters::VICTRON,
    &meters::IOTAWATT,
    &meters::THREE_PHASE,
    &meters::HOUSE_MINUS_SOLAR,
    &meters::HOUSE_BATTERY,
];

/// One thing that happens, or that must have happened. Files are those of `tests/data/payloads/`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    /// The device sends this; in the next record the key is the file's watts times the factor.
    Reads { key: &'static str, topic: &'static str, file: &'static str, factor: f64 },
    /// The device sends this, in which no watts are: keys stay what they were, unless the next cycle says otherwise.
    Feeds { topic: &'static str, file: &'static str },
    /// The device sends this, which makes the task what the report then calls it.
    Task { id: &'static str, topic: &'static str, file: &'static str, status: &'static str },
    /// The broker retained this when Sunward started: first of all steps.
    Retained(&'static str, &'static str),
    /// Somebody says something that no device was heard to say.
    Says(&'static str, &'static str),
    /// A cycle, whose record has these besides.
    Cycle(&'static [(&'static str, f64)]),
    /// A cycle that makes no record.
    NoRecord,
    /// Sunward sends this, or has sent it and no step asked for it yet.
    Sends(&'static str, &'static str),
    /// Sunward has not sent this, but for what steps asked for.
    Never(&'static str, &'static str),
}

pub(crate) const fn reads(key: &'static str, topic: &'static str, file: &'static str) -> Step {
    Step::Reads { key, topic, file, factor: 1.0 }
}

pub(crate) const fn feeds(topic: &'static str, file: &'static str) -> Step {
    Step::Feeds { topic, file }
}

pub(crate) const fn becomes(id: &'static str, status: &'static str, topic: &'static str, file: &'static str) -> Step {
    Step::Task { id, topic, file, status }
}

/// The meter speaks: a whole record, for recipes that have none of their own.
pub(crate) const fn net(record: &'static str) -> Step {
    Step::Says("sunward/power", record)
}

/// A message as a device sent it.
#[derive(Debug, Deserialize)]
pub(crate) struct Payload {
    pub(crate) payload: String,
    pub(crate) source: String,
    pub(crate) provenance: String,
    pub(crate) expect: Vec<Expectation>,
}

/// What a message means.
#[derive(Debug, Deserialize)]
pub(crate) struct Expectation {
    pub(crate) watts: Option<f64>,
    pub(crate) running: Option<bool>,
    pub(crate) runnable: Option<bool>,
    pub(crate) available: Option<bool>,
}

pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

pub(crate) fn read(path: &str) -> String {
    let path = repository(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn payload(file: &str) -> Payload {
    let json = read(&format!("tests/data/payloads/{file}.json"));
    serde_json::from_str(&json).unwrap_or_else(|error| panic!("{file}: {error}"))
}

impl Step {
    /// The captured message in it.
    pub(crate) fn file(&self) -> Option<&'static str> {
        match *self {
            Self::Reads { file, .. } | Self::Feeds { file, .. } | Self::Task { file, .. } => Some(file),
            _ => None,
        }
    }
}

/// Runs a recipe from its first step to its last.
pub(crate) async fn check(recipe: &Recipe) {
    let mut bench = Bench::new(recipe.name).await;
    for (number, step) in recipe.steps.iter().enumerate() {
        bench.now = format!("{}, step {}: {step:?}", recipe.name, number + 1);
        bench.take(*step).await;
    }
}

struct Bench {
    home: Home,
    /// For messages of failure.
    now: String,
    /// What was said since the last record: of several phases on several topics, one may come too late for a cycle.
    said: Vec<(String, String)>,
    /// What the next record must have.
    expected: BTreeMap<String, f64>,
}

impl Bench {
    async fn new(name: &str) -> Self {
        let recipe = read(&format!("examples/devices/{name}.toml"));
        // One record decides, nothing has to wait for minutes, and the smallest load counts.
        let recipe = recipe.replace("[[task]]", "[[task]]\nmin_on = 0\nmin_off = 0");
        let recipe = format!(
            "{recipe}\n[scheduler]\nconfirm_records = 1\nignore_power_threshold = 0\nsetpoint_interval = '1s'\n"
        );
        let home = Home::empty(Protocol::V5, &recipe).await;
        Self { home, now: String::new(), said: Vec::new(), expected: BTreeMap::new() }
    }

    async fn take(&mut self, step: Step) {
        if self.home.sunward.is_none() && !matches!(step, Step::Retained(..)) {
            self.home.start().await;
        }
        match step {
            Step::Retained(topic, payload) => self.home.retain(topic, payload).await,
            Step::Reads { key, topic, file, factor } => {
                let payload = payload(file);
                let watts = payload.expect.iter().find_map(|expect| expect.watts);
                let watts = watts.unwrap_or_else(|| panic!("{}: the file expects no watts", self.now));
                self.expected.insert(key.to_owned(), watts * factor);
                self.say(topic, &payload.payload).await;
            }
            Step::Feeds { topic, file } => {
                let payload = payload(file);
                let watts = payload.expect.iter().find_map(|expect| expect.watts);
                assert_eq!(watts, None, "{}: the file expects watts", self.now);
                self.say(topic, &payload.payload).await;
            }
            Step::Task { id, topic, file, status } => {
                let payload = payload(file);
                agrees(&payload.expect, status, &self.now);
                self.say(topic, &payload.payload).await;
                self.home.report(id, |report| report["status"] == status).await;
            }
            Step::Says(topic, payload) => self.say(topic, payload).await,
            Step::Cycle(besides) => {
                self.expected.extend(besides.iter().map(|(key, watts)| ((*key).to_owned(), *watts)));
                self.cycle().await;
            }
            Step::NoRecord => {
                let cycle = self.home.cycle().await;
                assert_eq!(cycle.report["skipped"], "no_record", "{}: {}", self.now, cycle.report);
                self.said.clear();
            }
            Step::Sends(topic, payload) => self.sends(&format!("{topic}={payload}")).await,
            Step::Never(topic, payload) => {
                let sent = format!("{topic}={payload}");
                assert!(!self.home.all.contains(&sent), "{}: {:?}", self.now, self.home.all);
            }
        }
    }

    async fn say(&mut self, topic: &str, payload: &str) {
        self.said.push((topic.to_owned(), payload.to_owned()));
        self.home.say(topic, payload).await;
    }

    /// Has cycles run until one has the expected record: what belongs together may have come in two of them.
    async fn cycle(&mut self) {
        let started = Instant::now();
        loop {
            let cycle = self.home.cycle().await;
            let wrong = wrong(&cycle.report["record"], &self.expected);
            if wrong.is_empty() {
                break;
            }
            assert!(
                started.elapsed() < PATIENCE,
                "{}: {}\n{}\n{}",
                self.now,
                wrong.join(", "),
                cycle.report,
                self.home
            );
            for (topic, payload) in &self.said {
                self.home.say(topic, payload.as_str()).await;
            }
        }
        self.said.clear();
    }

    async fn sends(&mut self, message: &str) {
        let now = self.now.clone();
        let sent = |home: &Home| home.all.iter().position(|sent| sent == message);
        let at = self.home.until(&now, sent).await;
        self.home.all.remove(at);
    }
}

/// What of the expected isn't in the record, in words.
fn wrong(record: &Value, expected: &BTreeMap<String, f64>) -> Vec<String> {
    let differs = |key: &str, watts: f64| record[key].as_f64().is_none_or(|found| (found - watts).abs() > 0.06);
    let wrong = expected.iter().filter(|(key, watts)| differs(key, **watts));
    wrong.map(|(key, watts)| format!("{key}: expected {watts}, found {}", record[key])).collect()
}

/// A file and a step must not contradict each other.
fn agrees(expect: &[Expectation], status: &str, now: &str) {
    let says = |what: fn(&Expectation) -> Option<bool>| expect.iter().find_map(what);
    let agrees = match status {
        "running" => says(|e| e.running) != Some(false) && says(|e| e.available) != Some(false),
        "stopped" => says(|e| e.running) != Some(true) && says(|e| e.available) != Some(false),
        "unrunnable" => says(|e| e.runnable) != Some(true) && says(|e| e.available) != Some(false),
        "unreachable" => says(|e| e.available) != Some(true),
        _ => false,
    };
    assert!(agrees, "{now}: {expect:?}");
}
