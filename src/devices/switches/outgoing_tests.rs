//! Messages to devices: questions, and set-points in their own units.

use std::time::Duration;

use super::Devices;
use super::tests::{TASMOTA, id, tasks};
use crate::core::Instant;
use crate::units::Watts;

const BEGIN: Instant = Instant::START;

/// What is to be published now.
fn sent(tasks: &mut Devices) -> Vec<String> {
    std::iter::from_fn(|| tasks.next_message()).map(|sent| format!("{}={}", sent.topic, sent.payload)).collect()
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
        assert_eq!(tasks.set_setpoint(&id("ev"), Watts(watts)), Ok(true));
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
    assert_eq!(tasks.set_setpoint(&id("other"), Watts(2000.0)), Ok(false));
    assert_eq!(tasks.set_setpoint(&id("ev"), Watts(2000.0)), Ok(true));
    assert_eq!(sent(&mut tasks), ["amp/set=2000"]);
    tasks.receive("lwt", b"offline", false, BEGIN);
    tasks.receive("lwt", b"online", false, BEGIN);
    assert_eq!(sent(&mut tasks), ["amp/set=2000"]);
}

#[test]
fn a_set_point_that_its_template_makes_nothing_of_is_reported() {
    let mut tasks = tasks(&format!("{CHARGER}setpoint_template = \"{{{{ value if value > 99999 }}}}\""));
    let (topic, problem) = tasks.set_setpoint(&id("ev"), Watts(2000.0)).unwrap_err();
    assert_eq!((topic.as_str(), sent(&mut tasks).len()), ("amp/set", 0));
    assert!(problem.starts_with("task ev: setpoint_template made nothing of 2000 W"), "{problem}");
}
