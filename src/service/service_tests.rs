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

struct TestService {
    service: Service,
    now: Now,
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
    fn online(tasks: &[&str]) -> Self {
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
    fn feed(&mut self, input: Input) -> Vec<(String, String)> {
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

    fn message(&mut self, topic: &str, payload: &str, retain: bool) -> Vec<(String, String)> {
        self.feed(Input::Incoming(Incoming::Message(Message { topic: topic.into(), payload: payload.into(), retain })))
    }

    /// Waits for the next timer and feeds it. Returns how long that took, and which it was.
    fn wait(&mut self) -> (Duration, Timer) {
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
