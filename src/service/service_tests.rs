//! The service without a broker: inputs at moments of the test's own, outputs as they come.

use std::time::Duration;

use super::input::{Input, Timer};
use super::output::Output;
use super::pace::Pace;
use super::service::Service;
use super::set_up::Sources;
use crate::config::{Config, Setup};
use crate::core::{Instant, Now};
use crate::mqtt::{Incoming, Message};

const SECOND: Duration = Duration::from_secs(1);

pub(super) struct TestService {
    pub(super) service: Service,
    pub(super) now: Now,
}

impl TestService {
    fn new() -> Self {
        let now = Now { at: Instant::START + 999 * SECOND, wall: "2026-06-21T10:00:00.5Z".parse().unwrap() };
        let config = Config::default();
        let sources = Sources::new(Setup::new(config).unwrap());
        let service = Service::new(sources, "a broker".into(), Pace::REAL, now);
        Self { service, now }
    }

    /// With these tasks, online.
    pub(super) fn online(tasks: &[&str]) -> Self {
        let mut home = Self::new();
        home.feed(Input::Incoming(Incoming::Connected { session_present: false, first: true }));
        home.feed(Input::Incoming(Incoming::Subscribed));
        for id in tasks {
            home.retained(&format!("sunward/task/{id}/config"), EV);
            home.retained(&format!("sunward/task/{id}/state"), "ON");
        }
        assert_eq!(home.wait(), (SECOND, Timer::Settle));
        home
    }

    /// Feeds an input. Returns what is published and cleared: topic and payload.
    pub(super) fn feed(&mut self, input: Input) -> Vec<(String, String)> {
        self.service.step(input, self.now);
        self.service.report();
        self.published()
    }

    fn published(&mut self) -> Vec<(String, String)> {
        let text = |payload| String::from_utf8(payload).unwrap();
        let outputs = self.service.take_outputs().filter_map(|output| match output {
            Output::State { topic, payload } => Some((topic, text(payload))),
            Output::Clear { topic } => Some((topic, String::new())),
            Output::Command { topic, payload, .. } => Some((topic, payload)),
            _ => None,
        });
        outputs.collect()
    }

    fn retained(&mut self, topic: &str, payload: &str) -> Vec<(String, String)> {
        self.message(topic, payload, true)
    }

    pub(super) fn message(&mut self, topic: &str, payload: &str, retain: bool) -> Vec<(String, String)> {
        self.feed(Input::Incoming(Incoming::Message(Message { topic: topic.into(), payload: payload.into(), retain })))
    }

    /// Waits for the next timer and feeds it. Returns how long that took, and which it was.
    pub(super) fn wait(&mut self) -> (Duration, Timer) {
        let (at, timer) = self.service.next_wakeup(self.now).unwrap();
        let wait = at.since(self.now.at);
        self.now = self.now + wait;
        self.feed(Input::Timer(timer));
        (wait, timer)
    }
}

/// A task that gets set-points.
const EV: &str = r#"{"power": 1400, "max_power": 7400, "auto_adjust": true, "expire_after": "1d"}"#;

fn topics(published: &[(String, String)]) -> Vec<&str> {
    published.iter().map(|(topic, _)| topic.as_str()).collect()
}

#[test]
fn a_start_up_ends_when_it_is_quiet_and_publishes_nothing_before() {
    let mut home = TestService::new();
    assert_eq!(home.service.next_wakeup(home.now), None, "there is no connection yet");
    home.feed(Input::Incoming(Incoming::Subscribed));
    for _ in 0..3 {
        home.now = home.now + SECOND / 2;
        assert_eq!(home.retained("sunward/task/ev/config", EV), []);
    }
    let (at, timer) = home.service.next_wakeup(home.now).unwrap();
    assert_eq!((at.since(home.now.at), timer), (SECOND, Timer::Settle));
    home.now = home.now + SECOND;
    let published = home.feed(Input::Timer(Timer::Settle));
    assert_eq!(published[0], ("sunward/scheduler/availability".into(), "online".into()));
    assert!(topics(&published).contains(&"sunward/task/ev/report"), "{published:?}");
}

#[test]
fn cycles_begin_at_multiples_of_their_length_on_the_wall_clock() {
    let mut home = TestService::online(&[]);
    // 30 s past ten, by default every minute.
    let mut cycles = Vec::new();
    while cycles.len() < 2 {
        if home.wait().1 == Timer::Cycle {
            cycles.push(home.now.wall.to_string());
        }
    }
    assert_eq!(cycles, ["2026-06-21T10:01:00Z", "2026-06-21T10:02:00Z"]);
}

#[test]
fn a_message_of_one_task_makes_the_report_of_no_other() {
    let mut home = TestService::online(&["a", "b", "c"]);
    home.now = home.now + SECOND;
    let published = home.message("sunward/task/b/state", "OFF", false);
    let reports: Vec<_> = topics(&published).into_iter().filter(|topic| topic.ends_with("/report")).collect();
    assert_eq!(reports, ["sunward/task/b/report"]);
    assert_eq!(home.service.next_wakeup(home.now).map(|(_, timer)| timer), Some(Timer::Cycle), "nothing is left to do");
}

#[test]
fn a_setpoint_that_is_due_goes_out_with_the_record_that_made_it_due() {
    let mut home = TestService::online(&["ev"]);
    let setpoint = |published: &[(String, String)]| {
        let of_ev = published.iter().find(|(topic, _)| topic == "sunward/task/ev/setpoint");
        of_ev.map(|(_, watts)| watts.clone())
    };
    home.now = home.now + 20 * SECOND;
    let published = home.message("sunward/power", r#"{"net": -2000}"#, false);
    let first = setpoint(&published);
    assert!(first.is_some(), "{published:?}");
    // Within the interval it waits for its time.
    home.now = home.now + SECOND;
    assert_eq!(setpoint(&home.message("sunward/power", r#"{"net": -4000}"#, false)), None);
    let (at, timer) = home.service.next_wakeup(home.now).unwrap();
    assert_eq!(timer, Timer::Scheduler);
    home.now = home.now + at.since(home.now.at);
    let second = setpoint(&home.feed(Input::Timer(timer)));
    assert!(second.is_some() && second != first, "{second:?}");
}

#[test]
fn commands_come_before_reports() {
    let mut home = TestService::online(&["ev"]);
    home.service.step(
        Input::Incoming(Incoming::Message(Message {
            topic: "sunward/scheduler/set".into(),
            payload: "stop_all".into(),
            retain: false,
        })),
        home.now,
    );
    let at_once = home.published();
    assert!(at_once.contains(&("sunward/task/ev/set".into(), "stop".into())), "{at_once:?}");
    assert!(!topics(&at_once).contains(&"sunward/task/ev/report"), "{at_once:?}");
    home.service.report();
    assert!(topics(&home.published()).contains(&"sunward/scheduler/state"));
}

#[test]
fn what_an_earlier_run_left_of_a_task_that_is_gone_is_cleared() {
    let mut home = TestService::new();
    home.feed(Input::Incoming(Incoming::Subscribed));
    for kind in ["report", "mode", "setpoint"] {
        home.retained(&format!("sunward/task/gone/{kind}"), "5000");
    }
    home.now = home.now + SECOND;
    let published = home.feed(Input::Timer(Timer::Settle));
    for kind in ["report", "mode", "setpoint"] {
        assert!(published.contains(&(format!("sunward/task/gone/{kind}"), String::new())), "{kind}: {published:?}");
    }
}

#[test]
fn a_setpoint_makes_the_report_of_its_task_only() {
    let mut home = TestService::online(&["ev"]);
    home.message("sunward/task/boiler/config", r#"{"power": 2000}"#, false);
    home.message("sunward/task/boiler/state", "OFF", false);
    home.now = home.now + 20 * SECOND;
    let published = home.message("sunward/power", r#"{"net": -2000}"#, false);
    assert!(topics(&published).contains(&"sunward/task/ev/setpoint"), "{published:?}");
    assert!(!topics(&published).contains(&"sunward/task/boiler/report"), "{published:?}");
}

#[test]
fn a_report_that_says_no_status_restores_nothing() {
    let mut home = TestService::new();
    home.feed(Input::Incoming(Incoming::Subscribed));
    home.retained("sunward/task/pump/config", r#"{"power": 500, "min_off": "5m"}"#);
    home.retained("sunward/task/pump/state", "OFF");
    home.retained("sunward/task/pump/report", "{}");
    home.now = home.now + SECOND;
    let published = home.feed(Input::Timer(Timer::Settle));
    let report = &published.iter().find(|(topic, _)| topic == "sunward/task/pump/report").unwrap().1;
    assert!(report.contains("\"status\":\"stopped\""), "nothing holds it: {report}");
}

#[test]
fn a_pause_survives_a_state_whose_other_fields_read_otherwise() {
    let mut home = TestService::new();
    home.feed(Input::Incoming(Incoming::Subscribed));
    let state = r#"{"state": "paused", "paused": true, "since": "2026-06-21T09:00:00Z", "cycle": 60, "tasks": "many",
        "warnings": [{"text": "of a later version"}]}"#;
    home.retained("sunward/scheduler/state", state);
    home.now = home.now + SECOND;
    let published = home.feed(Input::Timer(Timer::Settle));
    let state = &published.iter().find(|(topic, _)| topic == "sunward/scheduler/state").unwrap().1;
    assert!(state.contains("\"paused\":true") && state.contains("2026-06-21T09:00:00"), "{state}");
}

#[test]
fn another_payload_of_its_command_ends_the_back_off_of_a_task() {
    let mut home = TestService::online(&[]);
    let register = |home: &mut TestService, on: &str| {
        home.message("sunward/task/lamp/config", &format!(r#"{{"power": 100, "payload_on": "{on}"}}"#), false);
    };
    register(&mut home, "no");
    home.message("sunward/task/lamp/state", "OFF", false);
    home.message("sunward/task/lamp/mode/set", "on", false);
    for _ in 0..4 {
        home.now = home.now + Duration::from_secs(60);
        home.message("sunward/scheduler/set", "schedule", false);
    }
    let unanswered = |home: &TestService| home.service.scheduler.tasks(home.now)[0].unanswered;
    assert!(unanswered(&home) >= 3);
    register(&mut home, "yes");
    assert_eq!(unanswered(&home), 0);
}

#[test]
fn a_start_waits_for_no_more_records_than_the_window_holds() {
    use crate::core::{Registration, Scheduler, Settings, Source, TaskId, TaskState};
    let now = Now { at: Instant::START, wall: "2026-06-21T10:00:00Z".parse().unwrap() };
    let mut scheduler = Scheduler::new(Settings { window_size: 1, ..Settings::default() }, now);
    let id = TaskId::new("lamp").unwrap();
    let registration = Registration::new(&id, crate::units::Watts(100.0));
    scheduler.handle(crate::core::Event::Registered(id.clone(), Box::new(registration)), now).unwrap();
    scheduler.handle(crate::core::Event::State(id, Box::new(TaskState::plain(false))), now).unwrap();
    let started = (0..2).map(|minute| {
        let now = now + Duration::from_secs(60 * minute);
        scheduler.measure(Source::Meter, [("net", crate::units::Quantity(-500.0))], None, now).unwrap();
        scheduler.cycle(now).decisions.len()
    });
    assert_eq!(started.collect::<Vec<_>>(), [0, 1]);
}
