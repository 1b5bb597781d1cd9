//! Sensors: configurations and messages in, values and errors out, on a clock of their own.

use std::fmt::Write as _;
use std::time::Duration;

use proptest::prelude::*;

use super::derived_tests::PHASES;
use super::{Outcome, SensorReading, Sensors};
use crate::config::{Config, ConfigError, Setup};
use crate::core::{Event, Expiry, Instant, Sensed};
use crate::units::Quantity;

fn config(toml: &str) -> Result<Setup, ConfigError> {
    let file = ::config::File::from_str(toml, ::config::FileFormat::Toml);
    let config: Config = ::config::Config::builder().add_source(file).build().unwrap().try_deserialize().unwrap();
    Setup::new(config)
}

/// The sensors of a configuration, and every value and error that they have returned.
pub(super) struct TestSensors {
    pub(super) sensors: Sensors,
    pub(super) now: Instant,
    pub(super) log: Vec<String>,
}

impl TestSensors {
    pub(super) fn new(toml: &str) -> Self {
        let sensors = config(toml).unwrap_or_else(|problems| panic!("{problems}")).sensors;
        Self { sensors, now: Instant::START + Duration::from_secs(86_400), log: Vec::new() }
    }

    /// Lets time pass, and wakes the sensors when they are due.
    pub(super) fn wait(&mut self, milliseconds: u64) -> &mut Self {
        let end = self.now + Duration::from_millis(milliseconds);
        while let Some(wakeup) = self.sensors.next_wakeup().filter(|wakeup| *wakeup <= end) {
            self.now = self.now.max(wakeup);
            self.sensors.wake(self.now);
            self.drain();
        }
        self.now = end;
        self
    }

    pub(super) fn say(&mut self, topic: &str, payload: &str) -> &mut Self {
        self.sensors.receive(topic, payload.as_bytes(), false, self.now);
        self.drain();
        self
    }

    fn retained(&mut self, topic: &str, payload: &str) -> &mut Self {
        self.sensors.receive(topic, payload.as_bytes(), true, self.now);
        self.drain();
        self
    }

    /// Takes a whole record.
    pub(super) fn record(&mut self, values: &[(&str, f64)]) -> &mut Self {
        let mut values = values.iter().map(|(key, value)| ((*key).to_owned(), Quantity(*value))).collect();
        let inputs = self.sensors.remove_derived(&mut values);
        self.log.extend(values.iter().map(|(key, value)| format!("{key}={}", value.0)));
        self.sensors.note_record(inputs, self.now, self.now);
        self.drain();
        self
    }

    fn drain(&mut self) {
        while let Some((from, received)) = self.sensors.next_output() {
            self.log.push(match received {
                Ok(Event::Sensed(Sensed { key, value, measured, expiry })) => {
                    let mut line = format!("{key}={}", value.0);
                    if measured == Instant::START {
                        line.push_str(" of the past");
                    }
                    if let Some(end) = expiry.end(self.now).filter(|_| matches!(expiry, Expiry::At(_))) {
                        write!(line, " for {}s", end.since(self.now).as_secs_f64()).unwrap();
                    }
                    line
                }
                Ok(event) => format!("{event:?}"),
                Err(error) => format!("{from}: {error}"),
            });
        }
    }

    #[track_caller]
    pub(super) fn expect(&mut self, log: &[&str]) -> &mut Self {
        assert_eq!(std::mem::take(&mut self.log), log);
        self
    }
}

fn sensor(rest: &str) -> String {
    format!("[[power.sensor]]\n{rest}")
}

#[test]
fn a_sensor_reads_units_scales_and_templates() {
    let check = |rest: &str, payload: &str, expect: &[&str]| {
        TestSensors::new(&sensor(&format!("key = 'net'\ntopic = 't'\n{rest}"))).say("t", payload).expect(expect);
    };
    check("", "-1077", &["net=-1077"]);
    check("", " 12.5 \n", &["net=12.5"]);
    check("unit_of_measurement = 'W'", "7", &["net=7"]);
    check("unit_of_measurement = 'kW'", "0.424", &["net=424"]);
    check("scale = -1", "120", &["net=-120"]);
    check("scale = -0.5\nunit_of_measurement = 'kW'", "1", &["net=-500"]);
    check("value_template = '{{ value_json.p }}'", r#"{"p": "894.5"}"#, &["net=894.5"]);
    check("value_template = '{{ value_json.p[1] }}'", r#"{"p": [1, 2]}"#, &["net=2"]);
    for absent in [r#"{"p": null}"#, r#"{"q": 1}"#, r#"{"p": "unavailable"}"#, "", "{}", "null"] {
        check("value_template = '{{ value_json.p }}'", absent, &[]);
    }
    check("", "unavailable", &[]);
    check("", "off", &["t: expected a number, found \"off\""]);
    check(
        "",
        r#"{"p":1}"#,
        &["t: expected a number, found \"{\"p\":1}\": a value_template says where in it the number is"],
    );
    check(
        "value_template = '{{ value_json.p }}'",
        "off",
        &["t: the payload is not JSON: expected value at line 1 column 1"],
    );
    check("value_template = '{{ value_json.p }}'", r#"{"p": "off"}"#, &["t: expected a number, found \"off\""]);
}

#[test]
fn bytes_that_are_no_text_are_a_fault_of_each_sensor() {
    let mut home = TestSensors::new(&sensor("key = 'net'\ntopic = 't'"));
    let readings = home.sensors.receive("t", &[0xff, 0xfe], false, home.now);
    assert!(
        matches!(&readings[..], [SensorReading { sensor: 0, key: Some(key), outcome: Outcome::Failed(_) }] if key == "net")
    );
    home.drain();
    home.expect(&["t: expected text, found bytes that are not UTF-8"]);
}

#[test]
fn one_message_feeds_every_sensor_that_listens() {
    let toml = "
        [[power.sensor]]
        key = 'ev'
        topic = 'house'
        value_template = '{{ value_json.ev }}'
        [[power.sensor]]
        key = 'solar'
        topic = 'house'
        value_template = '{{ value_json.pv }}'
        unit_of_measurement = 'kW'";
    let mut home = TestSensors::new(toml);
    assert_eq!(home.sensors.filters(), ["house"]);
    home.say("house", r#"{"ev": 3, "pv": 4}"#).expect(&["ev=3", "solar=4000"]);
    home.say("house", r#"{"pv": 5}"#).expect(&["solar=5000"]);
    home.say("other", "{}").expect(&[]);
}

#[test]
fn what_the_broker_replays_is_no_news_unless_it_never_expires() {
    let mut home = TestSensors::new(
        "
        [[power.sensor]]
        key = 'grid'
        topic = 'grid'
        [[power.sensor]]
        key = 'soc'
        topic = 'soc'
        expire_after = 0
        [power.derived]
        net = 'grid if soc > 50 else 0'",
    );
    let readings = home.sensors.receive("grid", b"5", true, home.now);
    assert_eq!(readings[0].outcome, Outcome::Retained(Quantity(5.0)));
    home.retained("grid", "5").retained("soc", "55").expect(&["soc=55 of the past"]);
    home.say("grid", "-700").wait(200).expect(&["grid=-700", "net=-700 for 299.8s"]);
    // A state of charge that comes again with a connection says nothing new about the grid.
    home.wait(1_000).retained("soc", "40").wait(1_000).expect(&["soc=40 of the past"]);
    home.say("soc", "41").wait(1_000).expect(&["soc=41", "net=0 for 297.6s"]);
}

#[test]
fn each_topic_of_a_wildcard_has_its_own_key() {
    let mut home = TestSensors::new(&sensor(
        "key = \"{{ topic.split('/')[1] if topic != 'z/bridge' }}\"\ntopic = 'z/+'\nvalue_template = '{{ value_json.power }}'",
    ));
    home.say("z/heater", r#"{"power": 5}"#).expect(&["heater=5"]);
    home.say("z/pump", r#"{"power": 6}"#).say("z/lamp", "{}").expect(&["pump=6"]);
    home.say("z/bridge", "offline").expect(&[]);
    home.say("z/", "{}").expect(&[]);
    home.say("z/time", "{}")
        .expect(&["z/time: the key `time` says in records when they were measured: expected another name"]);
    let mut home = TestSensors::new(&sensor("key = '{{ topic | length }}'\ntopic = '#'"));
    home.say("ab", "1")
        .say("cd", "2")
        .expect(&["2=1", "cd: the key `2` is that of ab already: each topic needs its own"]);
}

#[test]
fn a_template_that_never_finds_anything_is_suspicious() {
    let mut home = TestSensors::new(&sensor("key = 'net'\ntopic = 't'\nvalue_template = '{{ value_json.pwoer }}'"));
    for _ in 0..19 {
        home.say("t", r#"{"power": 1}"#);
    }
    assert!(home.sensors.warnings().is_empty());
    home.say("t", r#"{"power": 1}"#).expect(&[]);
    assert_eq!(home.sensors.warnings(), ["t: none of 20 messages had a value, is the value_template right?"]);
}

#[test]
fn what_can_not_be_meant_is_refused_by_its_key() {
    let files = [
        "[[power.sensor]]\nkey = 'net'\ntopic = 'a/+/b'",
        "[[power.sensor]]\nkey = '{{ value }}'\ntopic = 'a/#'",
        "[[power.sensor]]\nkey = '{{ 1 }}'\ntopic = 'a/#'",
        "[[power.sensor]]\nkey = 'a'\ntopic = 'a#'",
        "[[power.sensor]]\nkey = ''\ntopic = ''\nscale = 0\nunit_of_measurement = 'kWh'\nvalue_template = 'power'",
        "[[power.sensor]]\nkey = 'a'\ntopic = 'a'\n[[power.sensor]]\nkey = 'b'\ntopic = 'b'\nvalue_template = '{{ vlaue }}'",
        "[[power.sensor]]\nkey = 'soc'\ntopic = 'a'\nunit_of_measurement = '%'\nscale = nan",
        "[[power.sensor]]\nkey = 'net'\ntopic = 'a'\nexpire_after = 0",
        "[[power.sensor]]\nkey = 'net'\ntopic = 'a'\n[[power.sensor]]\nkey = 'net'\ntopic = 'b'",
        "[[power.sensor]]\nkey = 'net'\ntopic = 'a'\n[power.derived]\nnet = 'house - solar'",
        "[power.derived]\nnet = 'net + 1'",
        "[power.derived]\na = 'b + 1'\nb = 'c'\nc = 'a'\nd = 'a'",
        "[power.derived]\nnet = '{{ a }}'",
        "[power.derived]\nnet = 'a +'",
        "[power.derived]\nnet = '5'",
        "[power.derived]\nnet = 'a | rond'",
        "[power.derived]\n'@a' = 'a'",
    ];
    let said: Vec<String> = files.iter().map(|toml| config(toml).map(drop).unwrap_err().to_string()).collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
        power.sensor[0].key: `net` would be the key of every topic that fits: expected a template over `topic`, as in "{{ topic.split('/')[1] }}"
        power.sensor[0].key: `value` is unknown: expected one of topic
        power.sensor[0].key: expected a template over `topic`, as in "{{ topic.split('/')[1] }}"
        power.sensor[0].topic: expected # alone and at the end, as in "shellies/#", found "a#"
        power.sensor[0].topic: expected a topic, without spaces at its ends, found ""
        power.sensor[0].value_template: "power" is plain text: expected a template such as "{{ power }}"
        power.sensor[0].unit_of_measurement: expected "W" or "kW", found "kWh": that is energy, which only ever grows; look for the field with the power of the moment
        power.sensor[0].scale: expected a number other than 0, such as -1, found 0
        power.sensor[0].key: `` is empty: expected a name such as "ev"
        power.sensor[1].value_template: `vlaue` is unknown: expected one of value, value_json, topic
        power.sensor[0].unit_of_measurement: expected "W" or "kW", found "%": leave it out for what is no power, such as a state of charge
        power.sensor[0].scale: expected a number other than 0, such as -1, found NaN
        power.sensor[0].expire_after: expected more than 0s: without a new value of `net` nobody knows what the grid delivers
        power.sensor[1].key: power.sensor[0] measures `net` too: give each its own key, and add them up with [power.derived] net = "…"
        power.derived.net: power.sensor[0] measures `net` already: give one of them another name
        power.derived.net: is made of itself
        power.derived.a: is made of itself: a ← b ← c ← a
        power.derived.net: expected an expression over keys such as "house - solar", without {{ }}
        power.derived.net: expected an expression over keys such as "house - solar": syntax error: unexpected end of input, expected expression
        power.derived.net: expected an expression over keys such as "house - solar", found none in "5"
        power.derived.net: there is no filter or test `rond`
        power.derived.@a: `@a` begins with @, which Sunward keeps for itself
        "#);
}

#[test]
fn the_page_about_sensors_can_be_copied() {
    let page = include_str!("../../../docs/sensors.md");
    let blocks = |language: &str| {
        let fence = format!("```{language}\n");
        let blocks = page.split(&fence).skip(1).filter_map(|rest| rest.split_once("\n```"));
        blocks.map(|(block, _)| block.to_owned()).collect::<Vec<_>>()
    };
    let configurations = blocks("toml");
    assert!(configurations.len() >= 5);
    for toml in configurations {
        assert_eq!(config(&toml).err(), None, "{toml}");
    }
    for line in blocks("jinja").iter().flat_map(|block| block.lines()) {
        let end = line.find("}}").unwrap() + 2;
        assert!(crate::devices::template::Template::new(&line[..end]).is_ok(), "{line}");
    }
}

proptest! {
    #[test]
    fn no_payload_panics(payload in proptest::collection::vec(any::<u8>(), 0..80), retain: bool) {
        let mut home = TestSensors::new(PHASES);
        home.sensors.receive("shellies/em/emeter/0/power", &payload, retain, home.now);
        home.wait(1_000);
    }
}
