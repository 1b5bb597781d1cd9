//! Configured tasks as a whole: messages of devices in, events and messages for them out, without a broker and a clock.

use std::time::Duration;

use super::Heard;
use super::tasks::Tasks;
use crate::core::{Action, Criteria, Event, Instant, TaskId};
use crate::units::Watts;

const BEGIN: Instant = Instant::START;

/// The tasks of these lines of TOML, each with a power.
fn tasks(toml: &str) -> Tasks {
    let toml = toml.replace("[[task]]", "[[task]]\npower = 1000\n");
    let file = config::File::from_str(&toml, config::FileFormat::Toml);
    let config: crate::config::Config =
        config::Config::builder().add_source(file).build().unwrap().try_deserialize().unwrap();
    Tasks::new(&config.task, &Criteria::default()).unwrap_or_else(|problem| panic!("{problem}"))
}

/// An event or a fault in a few letters.
fn brief(heard: Heard) -> String {
    match heard {
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
        let heard = tasks.receive(topic, payload.as_bytes(), retained, BEGIN).unwrap_or_else(|| panic!("{topic}"));
        assert_eq!(heard.into_iter().map(brief).collect::<Vec<_>>(), *expect, "{topic} {payload}");
    }
}

fn sent(tasks: &mut Tasks) -> Vec<String> {
    std::iter::from_fn(|| tasks.next_message()).map(|sent| format!("{}={}", sent.topic, sent.payload)).collect()
}

fn id(id: &str) -> TaskId {
    TaskId::new(id).unwrap()
}

const TASMOTA: &str = r#"
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
        let heard = tasks.receive("stat/a/RESULT", payload.as_bytes(), false, BEGIN).unwrap();
        match heard.into_iter().next() {
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
    let settled: Vec<String> = tasks.settle(BEGIN).into_iter().map(|event| brief(Ok(event))).collect();
    assert_eq!(settled, ["a off", "b on"]);
    let mut left = |topic: &str, payload: &str| {
        tasks.sent(topic, payload.as_bytes(), BEGIN).map(|event| brief(Ok(event))).unwrap_or_default()
    };
    assert_eq!(left("a/set", "ON"), "a on");
    assert_eq!(left("a/set", "OFF"), "a off");
    assert_eq!(left("a/set", ""), "");
    assert_eq!(left("c/set", "ON"), "");
}

#[test]
fn a_command_that_left_is_not_the_state_of_what_answers() {
    let mut answers = tasks(TASMOTA);
    assert_eq!(answers.settle(BEGIN), []);
    assert_eq!(answers.sent("cmnd/a/POWER", b"ON", BEGIN), None);
    // Unless it is told so: then the newest counts.
    let optimistic = format!("{TASMOTA}optimistic = true");
    let mut answers = tasks(&optimistic);
    assert_eq!(answers.settle(BEGIN).len(), 1);
    assert!(answers.sent("cmnd/a/POWER", b"ON", BEGIN).is_some());
    check(&optimistic, &[("stat/a/RESULT", r#"{"POWER":"OFF"}"#, &["a off"])]);
}

#[test]
fn a_device_is_asked_on_connect_and_before_its_state_expires() {
    let mut tasks = tasks(&format!("{TASMOTA}expire_after = \"15m\""));
    let minute = |minutes: u64| BEGIN + Duration::from_secs(60 * minutes);
    let asked = ["cmnd/a/POWER="];
    assert_eq!(tasks.next_wakeup(), None);
    tasks.connected(minute(0));
    assert_eq!(sent(&mut tasks), asked);
    tasks.receive("stat/a/RESULT", br#"{"POWER":"OFF"}"#, false, minute(1));
    assert_eq!(tasks.next_wakeup(), Some(minute(11)));
    tasks.wake(minute(10));
    assert_eq!(sent(&mut tasks).len(), 0);
    tasks.wake(minute(11));
    assert_eq!(sent(&mut tasks), asked);
    // Without an answer it is asked again, for as long as there is a broker.
    assert_eq!(tasks.next_wakeup(), Some(minute(16)));
    tasks.disconnected();
    assert_eq!(tasks.next_wakeup(), None);
    tasks.wake(minute(20));
    assert_eq!(sent(&mut tasks).len(), 0);
    tasks.connected(minute(21));
    assert_eq!(sent(&mut tasks), asked);
    // Back from a power cut, too.
    for (word, expect) in [("Offline", 0), ("Online", 1), ("Online", 0)] {
        tasks.receive("tele/a/LWT", word.as_bytes(), false, minute(22));
        assert_eq!(sent(&mut tasks).len(), expect, "{word}");
    }
}

#[test]
fn a_device_that_was_not_there_when_it_was_asked_is_asked_again() {
    let mut tasks = tasks(TASMOTA);
    let after = |seconds| BEGIN + Duration::from_secs(seconds);
    // What the broker had kept is no sign of life.
    tasks.receive("tele/a/LWT", b"Online", true, after(0));
    tasks.connected(after(0));
    assert_eq!(sent(&mut tasks).len(), 1);
    tasks.receive("tele/a/LWT", b"Online", true, after(0));
    assert_eq!((sent(&mut tasks).len(), tasks.next_wakeup()), (0, Some(after(60))));
    tasks.receive("tele/a/LWT", b"Online", false, after(30));
    assert_eq!((sent(&mut tasks).len(), tasks.next_wakeup()), (1, Some(after(90))));
    tasks.wake(after(90));
    assert_eq!((sent(&mut tasks).len(), tasks.next_wakeup()), (1, Some(after(150))));
    // Once it is known it tells what changes.
    tasks.receive("stat/a/RESULT", br#"{"POWER":"OFF"}"#, false, after(91));
    tasks.receive("tele/a/LWT", b"Online", false, after(92));
    assert_eq!((sent(&mut tasks).len(), tasks.next_wakeup()), (0, None));
}

const CHARGER: &str = "[[task]]\nid = \"ev\"\ncommand_topic = \"frc/set\"\nauto_adjust = true\nmax_power = 11040\n\
    setpoint_topic = \"amp/set\"\navailability_topic = \"lwt\"\n";

#[test]
fn a_set_point_is_told_in_the_units_of_the_device() {
    let told = |template: &str, watts: f64| {
        let mut tasks = tasks(&format!("{CHARGER}{template}"));
        assert_eq!(tasks.allow(&id("ev"), Watts(watts)), Ok(true));
        sent(&mut tasks).concat()
    };
    let (one, three) = ("{{ max(6, value // 230) }}", "{{ max(6, value // 690) }}");
    assert_eq!(told("", 1380.6), "amp/set=1381");
    for (template, watts, expect) in [
        (one, 1000.0, "6"),
        ("{{ value }}", 1380.4, "1380"),
        (one, 1379.9, "6"),
        (one, 3679.0, "15"),
        (one, 3680.0, "16"),
        (three, 4140.0, "6"),
        (three, 11_040.0, "16"),
        ("{\\\"current\\\": {{ (value / 230) | round(1, 'floor') }}}", 1500.0, "{\"current\": 6.5}"),
    ] {
        let line = format!("setpoint_template = \"{template}\"");
        assert_eq!(told(&line, watts), format!("amp/set={expect}"), "{template}");
    }
}

#[test]
fn a_charger_that_comes_back_is_told_again_what_it_may_use() {
    let mut tasks = tasks(CHARGER);
    tasks.connected(BEGIN);
    tasks.receive("lwt", b"online", true, BEGIN);
    assert_eq!(sent(&mut tasks).len(), 0);
    assert_eq!(tasks.allow(&id("other"), Watts(2000.0)), Ok(false));
    assert_eq!(tasks.allow(&id("ev"), Watts(2000.0)), Ok(true));
    assert_eq!(sent(&mut tasks), ["amp/set=2000"]);
    tasks.receive("lwt", b"offline", false, BEGIN);
    tasks.receive("lwt", b"online", false, BEGIN);
    assert_eq!(sent(&mut tasks), ["amp/set=2000"]);
}

#[test]
fn a_set_point_that_its_template_makes_nothing_of_is_reported() {
    let mut tasks = tasks(&format!("{CHARGER}setpoint_template = \"{{{{ value if value > 99999 }}}}\""));
    let (topic, problem) = tasks.allow(&id("ev"), Watts(2000.0)).unwrap_err();
    assert_eq!((topic.as_str(), sent(&mut tasks).len()), ("amp/set", 0));
    assert!(problem.starts_with("task ev: setpoint_template made nothing of 2000 W"), "{problem}");
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
