//! What is told of what came: messages in, sentences out.

use std::time::Duration;

use insta::assert_snapshot;

use super::{Diagnosis, Listener};
use crate::config::{Config, Setup};
use crate::core::{Instant, Now, Settings};

/// One message: after so many seconds, where, what, and whether the broker had kept it.
type Message<'a> = (f64, &'a str, &'a str, bool);

fn live<'a>(at: f64, topic: &'a str, payload: &'a str) -> Message<'a> {
    (at, topic, payload, false)
}

fn kept<'a>(topic: &'a str, payload: &'a str) -> Message<'a> {
    (0.0, topic, payload, true)
}

/// A record every two seconds.
fn records(payload: &str, until: f64) -> Vec<Message<'_>> {
    let times = std::iter::successors(Some(0.5), |at| Some(at + 2.0)).take_while(|at| *at < until);
    times.map(|at| live(at, "sunward/power", payload)).collect()
}

fn diagnose(toml: &str, wall: &str, seconds: u64, messages: &[Message<'_>]) -> Diagnosis {
    let file = ::config::File::from_str(toml, ::config::FileFormat::Toml);
    let config: Config = ::config::Config::builder().add_source(file).build().unwrap().try_deserialize().unwrap();
    let begin = Now { at: Instant::START + Duration::from_secs(100_000), wall: wall.parse().unwrap() };
    let settings = Settings { max_record_gap: Duration::from_secs(180), ..Settings::default() };
    let setup = Setup { settings, ..Setup::new(config).unwrap() };
    let mut listener = Listener::new(setup, begin.at);
    let mut messages = messages.to_vec();
    messages.sort_by(|a, b| a.0.total_cmp(&b.0));
    let at = |seconds: f64| begin + Duration::from_secs_f64(seconds);
    for (time, topic, payload, retain) in messages {
        wake(&mut listener, at(time));
        listener.receive(topic, payload.as_bytes(), retain, at(time));
    }
    let end = begin + Duration::from_secs(seconds);
    wake(&mut listener, end);
    listener.end(end)
}

fn wake(listener: &mut Listener, now: Now) {
    while let Some(due) = listener.next_wakeup().filter(|due| *due <= now.at) {
        listener.wake(due);
    }
}

/// The problems that are told at noon, by their beginnings, after half a minute.
#[track_caller]
fn check(toml: &str, messages: &[Message<'_>], expect: &[&str]) {
    check_at("2026-06-21T12:00:00Z", 30, toml, messages, expect);
}

#[track_caller]
fn check_at(wall: &str, seconds: u64, toml: &str, messages: &[Message<'_>], expect: &[&str]) {
    let found = diagnose(toml, wall, seconds, messages).problems;
    let alike = found.len() == expect.len() && found.iter().zip(expect).all(|(found, start)| found.starts_with(start));
    assert!(alike, "{found:#?}\ninstead of {expect:#?}");
}

const CONFIG: &str = "sunward/task/boiler/config";
const STATE: &str = "sunward/task/boiler/state";
const BOILER: &str = r#"{"power": 2000, "keys": ["boiler"]}"#;
const FINE: &str = r#"{"net": -1200, "solar": 3000, "boiler": 0}"#;

const PLUG: &str = "[[task]]\nid = 'plug'\npower = 1000\ncommand_topic = 'plug/set'\nstate_topic = 'plug/state'\n";
const METER: &str = "[[power.sensor]]\nkey = 'net'\ntopic = 'meter'\nvalue_template = '{{ value_json.power }}'\n";

#[test]
fn a_home_that_works_has_no_problem() {
    let mut messages = records(FINE, 30.0);
    messages.extend([kept(CONFIG, BOILER), kept(STATE, "OFF")]);
    check("", &messages, &[]);
    let meter: Vec<_> = (1..30).map(|at| live(f64::from(at), "meter", r#"{"power": 300}"#)).collect();
    check(METER, &meter, &[]);
    let derived = "[power.derived]\nnet = 'house - solar'";
    check(derived, &records(r#"{"house": 500, "solar": 800}"#, 30.0), &[]);
}

#[test]
fn without_net_nothing_is_decided() {
    check(
        "",
        &[],
        &["Nothing measures `net`, and without it nothing is ever decided: publish records on sunward/power"],
    );
    check("", &records(r#"{"grid": 5}"#, 30.0), &["The records on sunward/power have no `net`"]);
    check("", &[kept("sunward/power", r#"{"net": 5}"#)], &["`net` came only as a message that the broker had kept"]);
    check(METER, &[], &["`net` never came (meter)", "power.sensor[0], `net`: nothing was published on meter."]);
    let derived = "[power.derived]\nnet = 'house - solar'";
    let expect = ["`net` never came (power.derived.net)", "power.derived.net"];
    check(derived, &records(r#"{"house": 5}"#, 30.0), &expect);
}

#[test]
fn a_template_that_yields_nothing_is_named_with_its_reason() {
    let messages = [live(1.0, "meter", r#"{"pwoer": 5}"#), live(2.0, "meter", r#"{"pwoer": 6}"#)];
    let none = "power.sensor[0], `net`: none of 2 messages on meter had a value: the message does not have what the template asks for. Is its value_template right? The last message was {\"pwoer\": 6}";
    check(METER, &messages, &["`net` never came (meter)", none]);
    let no_json = [live(1.0, "meter", "300")];
    check(
        METER,
        &no_json,
        &["`net` never came (meter)", "power.sensor[0], `net`: the only message on meter had no value: "],
    );
    // One that has a value now and then is fine: a Shelly tells other things on the same topic.
    let some = [live(1.0, "meter", r#"{"pwoer": 5}"#), live(2.0, "meter", r#"{"power": 6}"#)];
    check(METER, &some, &[]);
}

#[test]
fn records_that_can_not_be_read_are_counted() {
    let mut messages = records(FINE, 30.0);
    messages.extend([live(1.0, "sunward/power", "nonsense"), live(2.0, "sunward/power", "{}x")]);
    check("", &messages, &["sunward/power: expected a JSON object"]);
    let found = diagnose("", "2026-06-21T12:00:00Z", 30, &messages).problems;
    assert!(found[0].ends_with("(2 times)."), "{found:?}");
    let with = |record: &'static str| {
        let mut messages = records(FINE, 30.0);
        messages.push(live(29.9, "sunward/power", record));
        messages
    };
    check(
        "",
        &with(r#"{"net": 5, "time": "2026-06-21T11:00:00Z"}"#),
        &["sunward/power: the record is 1h 29s old, at most 3m"],
    );
    check("", &with(r#"{"net": 1e9}"#), &["sunward/power: `net` is 1000000000 W: expected a finite number"]);
}

#[test]
fn what_is_too_slow_is_named_with_the_setting_that_it_misses() {
    let at = |times: &[f64]| times.iter().map(|at| live(*at, "sunward/power", FINE)).collect::<Vec<_>>();
    let noon = "2026-06-21T12:00:00Z";
    let slow =
        "`net` was silent for 4m, scheduler.max_record_gap is 3m: whatever runs will be stopped for want of data.";
    check_at(noon, 600, "", &at(&[10.0, 250.0, 490.0]), &[slow]);
    check_at(noon, 600, "", &at(&[10.0, 190.0, 370.0, 550.0]), &[]);
    // It fell silent, and the end came before its next value.
    check_at(
        noon,
        400,
        "",
        &at(&[10.0]),
        &["`boiler` was silent for 6m 30s", "`net` was silent for 6m 30s", "`solar` was"],
    );
    let sensor = format!("{METER}[[power.sensor]]\nkey = 'ev'\ntopic = 'ev'\nexpire_after = '1m'\n");
    let mut messages: Vec<_> = (0..60).map(|n| live(f64::from(n) * 5.0, "meter", r#"{"power": 300}"#)).collect();
    messages.extend([live(1.0, "ev", "0"), live(91.0, "ev", "0"), live(181.0, "ev", "0"), live(271.0, "ev", "0")]);
    check_at(noon, 300, &sensor, &messages, &["`ev` was silent for 1m 30s, its expire_after is 1m"]);
}

#[test]
fn export_and_import_that_look_swapped_are_told_by_what_else_is_known() {
    let looks = "Import and export look swapped: ";
    // Three clouds, and `net` goes along with the sun.
    let sun = [3000, 1000, 2500, 500, 2800];
    let with = |sign: i32| -> Vec<String> {
        sun.iter().map(|solar| format!(r#"{{"net": {}, "solar": {solar}}}"#, 400 + sign * solar)).collect()
    };
    let cloudy = |sign: i32, expect: &[&str]| {
        let payloads = with(sign);
        let messages: Vec<_> =
            payloads.iter().zip(1..).map(|(payload, n)| live(f64::from(n) * 5.0, "sunward/power", payload)).collect();
        check("", &messages, expect);
    };
    cloudy(-1, &[]);
    cloudy(1, &[&format!("{looks}`net` rose and fell together with `solar`, 4 times.")]);
    // More is exported than there is.
    check(
        "",
        &records(r#"{"net": -900, "pv": 0}"#, 30.0),
        &[&format!("{looks}`net` exports 900 W, and `pv` produced no more than 0 W.")],
    );
    check("", &records(r#"{"net": -900, "pv": 800}"#, 30.0), &[]);
    check("", &records(r#"{"net": -900, "pv": 0, "battery": -900}"#, 30.0), &[]);
    // At night nothing but a battery exports.
    let night = "2026-06-21T01:00:00Z";
    check_at(
        night,
        30,
        "",
        &records(r#"{"net": -900}"#, 30.0),
        &[&format!("{looks}`net` exports 900 W in the middle of the night")],
    );
    check("", &records(r#"{"net": -900}"#, 30.0), &[]);
}

#[test]
fn a_start_that_moves_net_the_wrong_way_looks_swapped() {
    let expect = "Import and export look swapped: when boiler started, `net` fell by 2000 W.";
    for (after, expect) in [("-1200", vec![expect]), ("2800", vec![])] {
        let before = records(r#"{"net": 800, "boiler": 0}"#, 10.0);
        let payload = format!(r#"{{"net": {after}, "boiler": 2000}}"#);
        let mut messages = before;
        messages.extend(records(&payload, 30.0).into_iter().filter(|(at, ..)| *at > 11.0));
        messages.extend([kept(CONFIG, BOILER), kept(STATE, "OFF"), live(10.0, STATE, "ON")]);
        check("", &messages, &expect);
    }
}

#[test]
fn a_key_that_does_not_move_with_its_task_is_named() {
    let of = |record: &'static str, state: &'static str| {
        let mut messages = records(record, 30.0);
        messages.extend([kept(CONFIG, BOILER), kept(STATE, state)]);
        messages
    };
    let idle = r#"{"net": 0, "boiler": 1}"#;
    check("", &of(idle, "ON"), &["task boiler: it says that it runs, and `boiler` stays at 1 W"]);
    check("", &of(idle, "OFF"), &[]);
    let mut started = of(idle, "OFF");
    started.push(live(5.0, STATE, "ON"));
    check("", &started, &["task boiler: it started, and `boiler` stays at 1 W"]);
    // Nothing was measured since it had time to show.
    let mut just_started = of(idle, "OFF");
    just_started.push(live(25.0, STATE, "ON"));
    check("", &just_started, &[]);
    check(
        "",
        &of(r#"{"net": 0, "boiler": 1990}"#, "OFF"),
        &["task boiler: it says that it doesn't run, and `boiler` is 1990 W"],
    );
    check(
        "",
        &of(r#"{"net": 0, "boiler": 1.99}"#, "ON"),
        &["task boiler: it says that it runs, and `boiler` is 1.99: that looks like kilowatts"],
    );
    check(
        "",
        &of(r#"{"net": 0, "boilr": 0}"#, "OFF"),
        &["task boiler: nothing measures its key `boiler`: its declared power stands in for it. Did you mean `boilr`?"],
    );
}

#[test]
fn tasks_that_can_not_take_part_are_named() {
    let with = |more: &[Message<'static>]| {
        let mut messages = records(FINE, 30.0);
        messages.extend(more);
        messages
    };
    check("", &with(&[kept(CONFIG, BOILER)]), &["task boiler: it registered and told no state"]);
    check("", &with(&[kept(STATE, "OFF")]), &["task boiler: it tells its state and never registered"]);
    check(
        "",
        &with(&[kept(CONFIG, r#"{"pwer": 1}"#)]),
        &["task boiler: its registration was refused: pwer: unknown field"],
    );
    check("", &with(&[kept(CONFIG, BOILER), kept(STATE, "maybe")]), &["task boiler: what it says was refused: "]);
    check(PLUG, &with(&[]), &["task plug, its state: nothing was published on plug/state"]);
    check(PLUG, &with(&[kept("plug/state", "OFF")]), &[]);
}

#[test]
fn what_the_broker_refused_comes_first() {
    let mut listener = Listener::new(Setup::new(Config::default()).unwrap(), Instant::START);
    listener.refused("the broker refused subscribing to meter: not authorized".into());
    let end = Now { at: Instant::START, wall: "2026-06-21T12:00:00Z".parse().unwrap() };
    assert_eq!(listener.end(end).problems[0], "the broker refused subscribing to meter: not authorized.");
}

#[test]
fn a_page_fits_a_terminal() {
    let toml = format!(
        "{METER}{PLUG}[[power.sensor]]\nkey = 'roof'\ntopic = 'a/very/long/topic/of/an/inverter/on/the/roof/power'\n"
    );
    let mut messages: Vec<_> = (1..30).map(|at| live(f64::from(at), "meter", r#"{"power": 300.04}"#)).collect();
    messages.extend([
        kept("plug/state", "OFF"),
        kept(CONFIG, BOILER),
        live(3.0, STATE, "ON"),
        kept("sunward/power", r#"{"boiler": 1.5}"#),
    ]);
    let page = diagnose(&toml, "2026-06-21T12:00:00Z", 30, &messages).to_string();
    assert!(page.lines().all(|line| line.chars().count() <= 80), "{page}");
    assert_snapshot!(page, @r#"
    power, in watts     heard  every  now      age  from
    boiler           retained      -  1.5  unknown  sunward/power
    net                    29     1s  300       1s  meter
    roof              nothing      -    -        -
        a/very/long/topic/of/an/inverter/on/the/roof/power

    task     is      told  needs  uses  from
    boiler   on   27s ago   2000     -  sunward/task/boiler/state
    plug    off  retained   1000     -  plug/state

    This will hurt:
    - power.sensor[1], `roof`: nothing was published on
      a/very/long/topic/of/an/inverter/on/the/roof/power. Compare it with what
      mosquitto_sub -v -t '#' shows; the broker may also keep this user from reading
      it.

    This could not be told:
    - `boiler` came only as the broker had kept it. Of what is older than the start
      Sunward knows no age: it counts as unmeasured until a new value comes.
    - No task started or stopped. Switch one by hand while this listens: it shows
      whether its key and `net` move.
    "#);
}
