//! Configured tasks as a whole: messages of devices in, events and messages to devices out, without a broker or a clock.

use std::time::Duration;

use super::DeviceTask;
use super::Devices;
use crate::core::{Action, Criteria, Event, Instant, TaskId};
use crate::devices::Received;

const BEGIN: Instant = Instant::START;

/// The tasks of these lines of TOML, each with a power.
pub(super) fn tasks(toml: &str) -> Devices {
    let toml = toml.replace("[[task]]", "[[task]]\npower = 1000\n");
    let file = config::File::from_str(&toml, config::FileFormat::Toml);
    let config: crate::config::Config =
        config::Config::builder().add_source(file).build().unwrap().try_deserialize().unwrap();
    let read = |table| DeviceTask::read(table, &Criteria::default()).unwrap_or_else(|problem| panic!("{problem}"));
    Devices::new(config.task.iter().map(read))
}

/// An event or an error in a few words.
fn brief(received: Received) -> String {
    match received {
        Ok(Event::State(id, state)) => {
            let runs = if state.running { "on" } else { "off" };
            let runnable = if state.runnable { "" } else { " unrunnable" };
            let stoppable = match state.stoppable {
                Some(false) => " unstoppable",
                Some(true) => " stoppable",
                None => "",
            };
            format!("{id} {runs}{runnable}{stoppable}")
        }
        Ok(Event::StateCleared(id)) => format!("{id} unknown"),
        Ok(Event::StateRefused(id, _)) => format!("{id} refused"),
        Ok(Event::Availability(id, Some(true))) => format!("{id} here"),
        Ok(Event::Availability(id, Some(false))) => format!("{id} away"),
        Ok(other) => format!("{other:?}"),
        Err(why) => format!("! {why}"),
    }
}

/// What each of these messages comes to; `R` before the topic: retained.
fn check(toml: &str, table: &[(&str, &str, &[&str])]) {
    let mut tasks = tasks(toml);
    for (topic, payload, expect) in table {
        let (retained, topic) = match topic.strip_prefix("R ") {
            Some(topic) => (true, topic),
            None => (false, *topic),
        };
        let received = tasks.receive(topic, payload.as_bytes(), retained, BEGIN).unwrap_or_else(|| panic!("{topic}"));
        assert_eq!(received.into_iter().map(brief).collect::<Vec<_>>(), *expect, "{topic} {payload}");
    }
}

pub(super) fn id(id: &str) -> TaskId {
    TaskId::new(id).unwrap()
}

pub(super) const TASMOTA: &str = r#"
    [[task]]
    id = "a"
    command_topic = "cmnd/a/POWER"
    state_topic = "stat/a/RESULT"
    value_template = "{{ value_json.POWER }}"
    availability_topic = "tele/a/LWT"
    payload_available = "Online"
    payload_not_available = "Offline"
    query_topic = "cmnd/a/POWER"
    "#;

#[test]
fn a_tasmota_tells_its_state_its_power_and_its_last_will() {
    check(
        TASMOTA,
        &[
            ("R tele/a/LWT", "Online", &["a here"]),
            ("stat/a/RESULT", r#"{"POWER":"OFF"}"#, &["a off"]),
            ("stat/a/RESULT", r#"{"TelePeriod":300}"#, &["a off"]),
            ("stat/a/RESULT", r#"{"POWER":"ON"}"#, &["a on"]),
            ("stat/a/RESULT", r#"{"POWER":"ON"}"#, &["a on"]),
            (
                "stat/a/RESULT",
                r#"{"POWER":"TOGGLE"}"#,
                &["a refused", "! task a: expected \"ON\" (state_on) or \"OFF\" (state_off), found \"TOGGLE\""],
            ),
            ("R tele/a/LWT", "Offline", &["a away"]),
            (
                "tele/a/LWT",
                "gone",
                &["! task a: availability: expected \"Online\" (payload_available) or \"Offline\" \
                   (payload_not_available), found \"gone\""],
            ),
            ("tele/a/LWT", "", &[]),
            ("stat/a/RESULT", "{}", &[]),
        ],
    );
}

#[test]
fn a_shelly_tells_in_parts_and_repeats_nothing() {
    let toml = r#"
        [[task]]
        id = "a"
        command_topic = "shellies/plus1pm/command/switch:0"
        payload_on = "on"
        payload_off = "off"
        state_topic = "shellies/plus1pm/events/rpc"
        value_template = "{{ value_json.params['switch:0'].output }}"
        state_on = "true"
        state_off = "false"
        availability_topic = "shellies/plus1pm/online"
        payload_available = "true"
        payload_not_available = "false"
        "#;
    let on = r#"{"src":"x","method":"NotifyStatus","params":{"ts":1661517432.85,"switch:0":{"id":0,"output":true}}}"#;
    let power =
        r#"{"src":"x","method":"NotifyStatus","params":{"ts":1661517433.01,"switch:0":{"id":0,"apower":27.1}}}"#;
    check(
        toml,
        &[
            ("shellies/plus1pm/events/rpc", power, &[]),
            ("shellies/plus1pm/events/rpc", on, &["a on"]),
            ("shellies/plus1pm/events/rpc", power, &["a on"]),
            ("shellies/plus1pm/online", "false", &["a away"]),
        ],
    );
}

#[test]
fn one_topic_may_tell_everything_of_several_tasks() {
    let toml = r#"
        [[task]]
        id = "a"
        command_topic = "a/set"
        state_topic = "strip"
        value_template = "{{ value_json.l1 }}"
        runnable_template = "{{ value_json.plugged }}"
        stoppable_topic = "strip"
        stoppable_template = "{{ not value_json.busy }}"
        [[task]]
        id = "b"
        command_topic = "b/set"
        state_topic = "strip"
        value_template = "{{ value_json.l2 }}"
        "#;
    assert_eq!(tasks(toml).topics().collect::<Vec<_>>(), ["strip"]);
    check(
        toml,
        &[
            ("strip", r#"{"l1":"OFF","l2":"ON"}"#, &["a off unrunnable stoppable", "b on"]),
            ("strip", r#"{"plugged":true}"#, &["a off stoppable", "b on"]),
            ("strip", r#"{"plugged":1,"busy":true,"l1":"ON"}"#, &["a on unstoppable", "b on"]),
            ("strip", r#"{"l2":"None"}"#, &["a on stoppable", "b unknown"]),
        ],
    );
}

#[test]
fn what_it_must_be_runnable_by_has_to_be_told_first() {
    let toml = r#"
        [[task]]
        id = "ev"
        command_topic = "frc/set"
        state_topic = "state"
        runnable_topic = "car"
        runnable_template = "{{ value | int > 1 }}"
        "#;
    check(
        toml,
        &[
            ("state", "OFF", &["ev off unrunnable"]),
            ("car", "2", &["ev off"]),
            ("car", "2", &["ev off"]),
            ("car", "1", &["ev off unrunnable"]),
            (
                "car",
                "?",
                &["ev refused", "! task ev: runnable: invalid operation: expected a number, found the text \"?\""],
            ),
            ("car", "unknown", &[]),
        ],
    );
    check(toml, &[("car", "2", &[]), ("state", "ON", &["ev on"])]);
}

#[test]
fn what_the_broker_replays_is_as_old_as_it_was() {
    check(
        TASMOTA,
        &[
            ("R stat/a/RESULT", r#"{"POWER":"ON"}"#, &["a on"]),
            ("R stat/a/RESULT", r#"{"POWER":"ON"}"#, &[]),
            ("stat/a/RESULT", r#"{"POWER":"ON"}"#, &["a on"]),
            ("R stat/a/RESULT", r#"{"POWER":"OFF"}"#, &["a off"]),
        ],
    );
}

#[test]
fn criteria_see_the_fields_of_its_messages() {
    let mut tasks = tasks(TASMOTA);
    let mut fields = |payload: &str| {
        let received = tasks.receive("stat/a/RESULT", payload.as_bytes(), false, BEGIN).unwrap();
        match received.into_iter().next() {
            Some(Ok(Event::State(_, state))) => state.fields.to_string(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        fields(r#"{"POWER":"ON","t":null,"Wifi":{"RSSI":70,"x":null}}"#),
        "{'POWER': 'ON', 'Wifi': {'RSSI': 70}, 'running': True}"
    );
    assert_eq!(
        fields(r#"{"temp":41,"POWER":"OFF"}"#),
        "{'POWER': 'OFF', 'Wifi': {'RSSI': 70}, 'running': False, 'temp': 41}"
    );
    assert_eq!(fields(r#"{"temp":null}"#), "{'POWER': 'OFF', 'Wifi': {'RSSI': 70}, 'running': False}");
    let many: String = (0..300).map(|n| format!("\"f{n}\":{n},")).collect();
    assert!(fields(&format!("{{{many}\"POWER\":\"ON\"}}")).matches(": ").count() <= 257);
}

#[test]
fn a_command_that_left_is_the_state_of_what_never_answers() {
    let mut tasks =
        tasks("[[task]]\nid = \"a\"\ncommand_topic = \"a/set\"\n[[task]]\nid = \"b\"\ncommand_topic = \"b/set\"");
    tasks.recall(&id("b"), true);
    let settled: Vec<String> = tasks.end_start_up(BEGIN).into_iter().map(|event| brief(Ok(event))).collect();
    assert_eq!(settled, ["a off", "b on"]);
    let mut left = |topic: &str, payload: &str| {
        tasks.command_sent(topic, payload.as_bytes(), BEGIN).map(|event| brief(Ok(event))).unwrap_or_default()
    };
    assert_eq!(left("a/set", "ON"), "a on");
    assert_eq!(left("a/set", "OFF"), "a off");
    assert_eq!(left("a/set", ""), "");
    assert_eq!(left("c/set", "ON"), "");
}

#[test]
fn a_command_that_left_is_not_the_state_of_what_answers() {
    let mut answers = tasks(TASMOTA);
    assert_eq!(answers.end_start_up(BEGIN), []);
    assert_eq!(answers.command_sent("cmnd/a/POWER", b"ON", BEGIN), None);
    // Unless it is told so: then the newest counts.
    let optimistic = format!("{TASMOTA}optimistic = true");
    let mut answers = tasks(&optimistic);
    assert_eq!(answers.end_start_up(BEGIN).len(), 1);
    assert!(answers.command_sent("cmnd/a/POWER", b"ON", BEGIN).is_some());
    check(&optimistic, &[("stat/a/RESULT", r#"{"POWER":"OFF"}"#, &["a off"])]);
}

#[test]
fn every_task_is_registered_first_with_the_defaults_of_a_plain_relay() {
    let tasks = tasks(TASMOTA);
    let [Event::Registered(_, registration)] = &tasks.register()[..] else { panic!() };
    let commands = &tasks.iter().next().unwrap().commands;
    assert_eq!((commands.on.as_str(), commands.off.as_str()), ("ON", "OFF"));
    assert_eq!((registration.min_on, registration.min_off), (Duration::from_secs(300), Duration::from_secs(300)));
    assert!(registration.configured && registration.awaits_availability);
    let start = tasks.command(&id("a"), Action::Start).unwrap();
    assert_eq!((start.topic.as_str(), start.payload.as_str()), ("cmnd/a/POWER", "ON"));
    assert_eq!(tasks.command(&id("b"), Action::Start), None);
}
