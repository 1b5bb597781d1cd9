//! Missing data, and who is to blame for it.

use std::time::Duration;

use super::input::{Input, Timer};
use super::service_tests::TestService;
use crate::core::Activity;
use crate::mqtt::Incoming;

const SECOND: Duration = Duration::from_secs(1);

/// Waits for timers until so much has passed. Returns the commands that were published.
fn pass(home: &mut TestService, time: Duration) -> Vec<String> {
    let until = home.now + time;
    let mut commands = Vec::new();
    while let Some((at, timer)) = home.service.next_wakeup(home.now).filter(|(at, _)| *at <= until.at) {
        home.now = home.now + at.since(home.now.at);
        commands.extend(commanded(home.feed(Input::Timer(timer))));
    }
    home.now = home.now + until.at.since(home.now.at);
    commands
}

fn commanded(published: Vec<(String, String)>) -> Vec<String> {
    let commands = published.into_iter().filter(|(topic, _)| topic.ends_with("/set"));
    commands.map(|(_, payload)| payload).collect()
}

/// One task runs, and the meter has just spoken.
fn running() -> TestService {
    let mut home = TestService::online(&["ev"]);
    home.message("sunward/power", r#"{"net": -300}"#, false);
    home
}

#[test]
fn a_broker_that_answers_at_once_has_a_silent_meter() {
    let mut home = running();
    assert_eq!(pass(&mut home, 181 * SECOND), [""; 0]);
    let stops = commanded(home.feed(Input::Incoming(Incoming::Answered)));
    assert_eq!((stops, home.service.scheduler.activity()), (vec!["stop".to_owned()], Activity::NoData));
}

#[test]
fn a_broker_that_answers_late_was_frozen_and_missing_data_counts_from_there() {
    let mut home = running();
    assert_eq!(pass(&mut home, 200 * SECOND), [""; 0]);
    assert_eq!(commanded(home.feed(Input::Incoming(Incoming::Answered))), [""; 0]);
    assert_eq!(pass(&mut home, 180 * SECOND), [""; 0]);
    assert_eq!(home.wait().1, Timer::Scheduler);
    assert_eq!(commanded(home.feed(Input::Incoming(Incoming::Answered))), ["stop"]);
}

#[test]
fn a_connection_that_never_answers_does_not_run_for_ever() {
    let mut home = running();
    assert_eq!(pass(&mut home, 400 * SECOND).first().map(String::as_str), Some("stop"));
}

#[test]
fn missing_data_counts_from_the_reconnection_and_not_without_one() {
    let mut home = running();
    home.feed(Input::Incoming(Incoming::Disconnected { reason: "the broker".into() }));
    assert_eq!(pass(&mut home, 3_600 * SECOND), [""; 0]);
    home.feed(Input::Incoming(Incoming::Connected { session_present: false, first: false }));
    home.now = home.now + 60 * SECOND;
    home.feed(Input::Incoming(Incoming::Subscribed));
    assert_eq!(pass(&mut home, 180 * SECOND), [""; 0]);
    home.now = home.now + SECOND;
    home.feed(Input::Timer(Timer::Scheduler));
    assert_eq!(commanded(home.feed(Input::Incoming(Incoming::Answered))), ["stop"]);
}
