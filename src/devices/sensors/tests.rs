//! Configurations and messages through the whole module, on a clock of their own.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::config::{Config, ConfigError, Setup};

fn config(toml: &str) -> Result<Setup, ConfigError> {
    let file = ::config::File::from_str(toml, ::config::FileFormat::Toml);
    let config: Config = ::config::Config::builder().add_source(file).build().unwrap().try_deserialize().unwrap();
    Setup::new(config)
}

/// A home's sensors, and everything that came of what was said to them.
struct Home {
    sensors: Sensors,
    now: Instant,
    log: Vec<String>,
}

impl Home {
    fn new(toml: &str) -> Self {
        let sensors = config(toml).unwrap_or_else(|problems| panic!("{problems}")).sensors;
        Self { sensors, now: Instant::START + Duration::from_secs(86_400), log: Vec::new() }
    }

    /// Waits, waking the sensors when they want to be woken.
    fn wait(&mut self, milliseconds: u64) -> &mut Self {
        let end = self.now + Duration::from_millis(milliseconds);
        while let Some(wakeup) = self.sensors.next_wakeup().filter(|wakeup| *wakeup <= end) {
            self.now = self.now.max(wakeup);
            self.sensors.wake(self.now);
            self.drain();
        }
        self.now = end;
        self
    }

    fn say(&mut self, topic: &str, payload: &str) -> &mut Self {
        self.sensors.receive(topic, payload.as_bytes(), false, self.now);
        self.drain();
        self
    }

    fn retained(&mut self, topic: &str, payload: &str) -> &mut Self {
        self.sensors.receive(topic, payload.as_bytes(), true, self.now);
        self.drain();
        self
    }

    /// A whole record.
    fn record(&mut self, values: &[(&str, f64)]) -> &mut Self {
        let mut values = values.iter().map(|(key, value)| ((*key).to_owned(), Watts(*value))).collect();
        let inputs = self.sensors.sift(&mut values);
        self.log.extend(values.iter().map(|(key, value)| format!("{key}={}", value.0)));
        self.sensors.note(inputs, self.now, self.now);
        self.drain();
        self
    }

    fn drain(&mut self) {
        while let Some((from, heard)) = self.sensors.next_output() {
            self.log.push(match heard {
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
    fn expect(&mut self, log: &[&str]) -> &mut Self {
        assert_eq!(std::mem::take(&mut self.log), log);
        self
    }
}

fn sensor(rest: &str) -> String {
    format!("[[power.sensor]]\n{rest}")
}

const PHASES: &str = "
    [[power.sensor]]
    key = 'l1'
    topic = 'shellies/em/emeter/0/power'
    [[power.sensor]]
    key = 'l2'
    topic = 'shellies/em/emeter/1/power'
    [[power.sensor]]
    key = 'l3'
    topic = 'shellies/em/emeter/2/power'
    [power.derived]
    net = 'l1 + l2 + l3'";

#[test]
fn a_sensor_reads_units_scales_and_templates() {
    let check = |rest: &str, payload: &str, expect: &[&str]| {
        Home::new(&sensor(&format!("key = 'net'\ntopic = 't'\n{rest}"))).say("t", payload).expect(expect);
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
    let mut home = Home::new(&sensor("key = 'net'\ntopic = 't'"));
    let readings = home.sensors.receive("t", &[0xff, 0xfe], false, home.now);
    assert!(
        matches!(&readings[..], [Reading { sensor: 0, key: Some(key), outcome: Outcome::Failed(_) }] if key == "net")
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
    let mut home = Home::new(toml);
    assert_eq!(home.sensors.filters(), ["house"]);
    home.say("house", r#"{"ev": 3, "pv": 4}"#).expect(&["ev=3", "solar=4000"]);
    home.say("house", r#"{"pv": 5}"#).expect(&["solar=5000"]);
    home.say("other", "{}").expect(&[]);
}

#[test]
fn what_the_broker_replays_is_no_news_unless_it_never_expires() {
    let mut home = Home::new(
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
    assert_eq!(readings[0].outcome, Outcome::Retained(Watts(5.0)));
    home.retained("grid", "5").retained("soc", "55").expect(&["soc=55 of the past"]);
    home.say("grid", "-700").wait(200).expect(&["grid=-700", "net=-700 for 299.8s"]);
    // A state of charge that comes again with a connection says nothing new about the grid.
    home.wait(1_000).retained("soc", "40").wait(1_000).expect(&["soc=40 of the past"]);
    home.say("soc", "41").wait(1_000).expect(&["soc=41", "net=0 for 297.6s"]);
}

#[test]
fn each_topic_of_a_wildcard_has_its_own_key() {
    let mut home = Home::new(&sensor(
        "key = \"{{ topic.split('/')[1] if topic != 'z/bridge' }}\"\ntopic = 'z/+'\nvalue_template = '{{ value_json.power }}'",
    ));
    home.say("z/heater", r#"{"power": 5}"#).expect(&["heater=5"]);
    home.say("z/pump", r#"{"power": 6}"#).say("z/lamp", "{}").expect(&["pump=6"]);
    home.say("z/bridge", "offline").expect(&[]);
    home.say("z/", "{}").expect(&[]);
    home.say("z/time", "{}")
        .expect(&["z/time: the key `time` says in records when they were measured: expected another name"]);
    let mut home = Home::new(&sensor("key = '{{ topic | length }}'\ntopic = '#'"));
    home.say("ab", "1")
        .say("cd", "2")
        .expect(&["2=1", "cd: the key `2` is that of ab already: each topic needs its own"]);
}

#[test]
fn the_phases_of_one_instant_are_added_once() {
    let mut home = Home::new(PHASES);
    assert_eq!(home.sensors.filters().len(), 3);
    let phase = |number: u8| format!("shellies/em/emeter/{number}/power");
    home.say(&phase(0), "100").wait(50).say(&phase(1), "200").expect(&["l1=100", "l2=200"]);
    // All are new: nobody has to wait.
    home.wait(50).say(&phase(2), "-700").expect(&["l3=-700", "net=-400 for 299.9s"]);
    home.wait(10_000).say(&phase(1), "0").wait(199).expect(&["l2=0"]);
    home.wait(1).expect(&["net=-600 for 289.7s"]);
    home.wait(10_000).expect(&[]);
}

#[test]
fn without_one_phase_there_is_no_sum() {
    let mut home = Home::new(PHASES);
    let phase = |number: u8| format!("shellies/em/emeter/{number}/power");
    home.say(&phase(0), "100").say(&phase(1), "200").wait(1_000).expect(&["l1=100", "l2=200"]);
    assert_eq!(home.sensors.warnings(), ["power.derived.net: no value, as `l3` has not come yet"]);
    home.say(&phase(2), "300").wait(200).expect(&["l3=300", "net=600 for 298.8s"]);
    assert!(home.sensors.warnings().is_empty());
    // The third falls silent: 5 minutes after its last value it is missing.
    for _ in 0..4 {
        home.wait(60_000).say(&phase(0), "1").say(&phase(1), "2").wait(200).log.clear();
    }
    home.wait(58_800).say(&phase(0), "1").wait(200).expect(&["l1=1", "net=303 for 0s"]);
    home.wait(1_000).say(&phase(0), "1").wait(200).expect(&["l1=1"]);
    assert_eq!(home.sensors.warnings(), ["power.derived.net: no value, as `l3` has expired"]);
}

#[test]
fn keys_are_made_of_records_sensors_and_other_keys() {
    let mut home = Home::new(
        "
        [[power.sensor]]
        key = 'solar'
        topic = 'pv'
        expire_after = '1m'
        [power.derived]
        net = 'used - (solar + roof)'
        used = 'house + garage'",
    );
    home.say("pv", "1000").record(&[("house", 300.0), ("garage", 50.0), ("roof", 10.0), ("net", 4.0), ("used", 9.0)]);
    // `used` and `net` of the record give way; nobody waits, as everything is new.
    home.expect(&["solar=1000", "house=300", "garage=50", "roof=10", "used=350 for 300s", "net=-660 for 60s"]);
    home.wait(5_000).record(&[("house", 400.0)]).expect(&["house=400"]);
    home.wait(200).expect(&["used=450 for 294.8s", "net=-560 for 54.8s"]);
    // What comes late in a chain waits no longer than its first change.
    home.wait(5_000).say("pv", "1").wait(150).record(&[("house", 1.0)]).wait(50).expect(&[
        "solar=1",
        "house=1",
        "net=439 for 59.8s",
    ]);
    home.wait(150).expect(&["used=51 for 289.45s", "net=40 for 59.65s"]);
}

#[test]
fn a_result_that_is_no_finite_number_changes_nothing_and_is_told() {
    let check = |expression: &str, expect: &str| {
        let toml = format!("[power.derived]\nnet = \"{expression}\"");
        Home::new(&toml).record(&[("a", 1.0), ("b", 0.0)]).wait(200).expect(&["a=1", "b=0", expect]);
    };
    check("max(a, b) - min(a, b) + abs(-a)", "net=2 for 300s");
    check("a if b > 0 else -a", "net=-1 for 300s");
    check("a / b", "power.derived.net: invalid operation: unable to calculate 1.0 / 0.0");
    check("a * 1e308 * 10", "power.derived.net: expected a finite number, the result is inf");
    check("a > b", "power.derived.net: expected a number, the result is a bool");
    check("[a, b]", "power.derived.net: expected a number, the result is a sequence");
    check("a if b", "power.derived.net: expected a number, the result is a undefined");
    check("b.c.d + a", "power.derived.net: undefined value");
    check("range(100000) | list | length + a + b", "power.derived.net: takes more than 10000 steps: a loop too many?");
}

#[test]
fn implausible_values_do_not_spread() {
    let mut home = Home::new("[[power.sensor]]\nkey = 'a'\ntopic = 'a'\n[power.derived]\nnet = 'a * 2'");
    home.say("a", "1e9").record(&[("a", 1e9)]).wait(200).expect(&["a=1000000000", "a=1000000000"]);
    home.say("a", "3").expect(&["a=3", "net=6 for 300s"]);
}

#[test]
fn a_template_that_never_finds_anything_is_suspicious() {
    let mut home = Home::new(&sensor("key = 'net'\ntopic = 't'\nvalue_template = '{{ value_json.pwoer }}'"));
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
        let mut home = Home::new(PHASES);
        home.sensors.receive("shellies/em/emeter/0/power", &payload, retain, home.now);
        home.wait(1_000);
    }

    #[test]
    fn no_order_of_values_makes_a_sum_of_what_is_missing(
        steps in proptest::collection::vec((0_u8..3, 0_u64..400_000, -5_000_i32..5_000), 1..40),
    ) {
        let mut home = Home::new(PHASES);
        let mut last: [Option<(i32, Instant)>; 3] = [None; 3];
        for (phase, pause, value) in steps {
            home.say(&format!("shellies/em/emeter/{phase}/power"), &value.to_string());
            last[usize::from(phase)] = Some((value, home.now));
            let due = home.now + Duration::from_millis(200);
            home.wait(pause.max(200));
            let alive = last.iter().flatten().filter(|(_, at)| due.since(*at) <= Duration::from_secs(300));
            let sum = (alive.clone().count() == 3).then(|| alive.map(|(value, _)| f64::from(*value)).sum::<f64>());
            let told: Vec<f64> = home.log.drain(..).filter_map(|line| {
                line.strip_prefix("net=")?.split(' ').next()?.parse().ok()
            }).collect();
            prop_assert_eq!(told, sum.into_iter().collect::<Vec<_>>());
        }
    }
}
