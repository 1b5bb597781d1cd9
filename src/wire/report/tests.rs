//! The exact bytes of every message, and how what another version wrote is read.

use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::core::{
    Action, Activity, Consumption, CycleReport, DailyView, Decision, Mode, Priority, Rule, Skipped, Source, Status,
    TaskId, TaskView,
};
use crate::units::{KilowattHours, Quantity, Share, Watts};

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

/// A task of which there is nothing to tell.
fn plain_task() -> TaskView {
    TaskView {
        id: TaskId::new("boiler").unwrap(),
        name: "Boiler".into(),
        status: Status::Stopped,
        reason: "needs ratio 1.00, has 0.62: 760 W short".into(),
        ratio: None,
        power: Watts(-0.04),
        priority: Priority::Low,
        preferred: None,
        mode: Mode::Auto,
        mode_until: None,
        hold: None,
        since: None,
        rests_until: None,
        daily: None,
        has_setpoint: false,
        setpoint: None,
        on_today: Duration::ZERO,
        energy_today: KilowattHours::ZERO,
        starts_today: 0,
        unanswered: 0,
        deaf: false,
        claim_doubted: false,
        error: None,
    }
}

/// A task of which there is everything to tell.
fn full_task() -> TaskView {
    TaskView {
        status: Status::Running,
        reason: "it \"runs\"\n☀".into(),
        ratio: Some(Share(0.2999)),
        power: Watts(1400.26),
        priority: Priority::High,
        preferred: Some(Priority::High),
        mode: Mode::On,
        mode_until: Some(at("2026-06-21T12:00:00Z")),
        hold: Some((Mode::Off, at("2026-06-21T11:00:00.5Z"))),
        since: Some(at("2026-06-21T07:12:30.1209Z")),
        rests_until: Some(at("2026-06-21T13:00:00.001Z")),
        daily: Some(DailyView { by: at("2026-06-22T04:30:00Z"), ran: Duration::from_millis(1_800_900), settled: true }),
        has_setpoint: true,
        setpoint: Some(Watts(1399.5)),
        on_today: Duration::from_millis(5_400_999),
        energy_today: KilowattHours(1.23456),
        starts_today: 2,
        unanswered: 1,
        error: Some("power: missing".into()),
        ..plain_task()
    }
}

/// A cycle in which nothing happened.
fn skipped_cycle() -> CycleReport {
    CycleReport {
        time: at("2026-06-21T09:00:00Z"),
        skipped: Some(Skipped::NoRecord),
        source: None,
        consumption: None,
        no_data: true,
        decisions: Vec::new(),
    }
}

/// A cycle that started one task and stopped another.
fn busy_cycle() -> CycleReport {
    let decision = |id: &str, action, rule, reason: &str| {
        let task = TaskId::new(id).unwrap();
        Decision { task, action, rule, reason: reason.to_owned() }
    };
    CycleReport {
        time: at("2026-06-21T09:01:00.0029Z"),
        skipped: None,
        source: Some(Source::Meter),
        consumption: Some(Consumption { power: Watts(2000.0), covered: Some(Share(1.0)) }),
        no_data: false,
        decisions: vec![
            decision("ev", Action::Stop, Rule::FailingCriteria, "its ratio is 0.20"),
            decision("boiler", Action::Start, Rule::Elected, "2500 W are available for its 2000 W, ratio 1.25"),
        ],
    }
}

/// The record of the busy cycle, out of order.
fn record() -> [(&'static str, Quantity); 5] {
    [
        ("solar", Quantity(3000.04)),
        ("net", Quantity(-2500.06)),
        ("boiler", Quantity(-0.0)),
        ("ev", Quantity(0.25)),
        ("ä\"", Quantity(1e7)),
    ]
}

fn written(message: &impl serde::Serialize) -> String {
    serde_json::to_string(message).unwrap()
}

/// These bytes are what a message is, and what is read of them is written alike.
fn check<T>(message: &T, expect: &str)
where
    T: serde::Serialize + serde::de::DeserializeOwned,
{
    assert_eq!(written(message), expect);
    assert_eq!(written(&serde_json::from_str::<T>(expect).unwrap()), expect);
}

#[test]
fn a_task_report_is_these_bytes() {
    check(
        &TaskReport::from(&plain_task()),
        concat!(
            r#"{"daily":null,"energy_today":0.0,"error":null,"held":null,"#,
            r#""mode":"auto","mode_until":null,"on_today":0,"power":0,"priority":"low","ratio":null,"#,
            r#""reason":"needs ratio 1.00, has 0.62: 760 W short","rests_until":null,"setpoint":null,"#,
            r#""since":null,"starts_today":0,"status":"stopped","unanswered":0}"#,
        ),
    );
    check(
        &TaskReport::from(&full_task()),
        concat!(
            r#"{"daily":{"by":"2026-06-22T04:30:00.000Z","on_for":1800,"settled":true},"energy_today":1.235,"#,
            r#""error":"power: missing","held":{"mode":"off","until":"2026-06-21T11:00:00.500Z"},"#,
            r#""mode":"on","mode_until":"2026-06-21T12:00:00.000Z","on_today":5400,"#,
            r#""power":1400.3,"priority":"high","ratio":0.29,"#,
            r#""reason":"it \"runs\"\n☀","rests_until":"2026-06-21T13:00:00.001Z","setpoint":1400,"#,
            r#""since":"2026-06-21T07:12:30.120Z","starts_today":2,"status":"running","unanswered":1}"#,
        ),
    );
}

#[test]
fn a_cycle_is_these_bytes() {
    check(
        &SchedulerCycle::new(&skipped_cycle(), record().into_iter(), LastSwitches::default(), None),
        concat!(
            r#"{"last_started":null,"last_stopped":null,"no_data":true,"online_since":null,"record":null,"#,
            r#""skipped":"no_record","source":null,"started":[],"stopped":[],"#,
            r#""task_power":null,"task_ratio":null,"time":"2026-06-21T09:00:00.000Z"}"#,
        ),
    );
    let mut last = LastSwitches::default();
    last.note(&busy_cycle(), |id| (id.as_str() == "boiler").then(|| "Boiler".to_owned()));
    let online_since = Some(at("2026-06-21T06:30:12.3459Z"));
    check(
        &SchedulerCycle::new(&busy_cycle(), record().into_iter(), last, online_since),
        concat!(
            r#"{"last_started":{"name":"Boiler","#,
            r#""reason":"2500 W are available for its 2000 W, ratio 1.25","rule":"elected","task":"boiler","time":"2026-06-21T09:01:00.002Z"},"#,
            r#""last_stopped":{"name":"ev","#,
            r#""reason":"its ratio is 0.20","rule":"failing_criteria","task":"ev","time":"2026-06-21T09:01:00.002Z"},"#,
            r#""no_data":false,"online_since":"2026-06-21T06:30:12.345Z","#,
            r#""record":{"boiler":0,"ev":0.3,"net":-2500.1,"solar":3000,"ä\"":10000000},"#,
            r#""skipped":null,"source":"meter","#,
            r#""started":[{"reason":"2500 W are available for its 2000 W, ratio 1.25","rule":"elected","task":"boiler"}],"#,
            r#""stopped":[{"reason":"its ratio is 0.20","rule":"failing_criteria","task":"ev"}],"#,
            r#""task_power":2000,"task_ratio":1.0,"time":"2026-06-21T09:01:00.002Z"}"#,
        ),
    );
}

#[test]
fn a_state_is_these_bytes() {
    let last_error = LastError {
        topic: "sunward/power".into(),
        error: "expected \"x\"".into(),
        time: at("2026-06-21T08:59:59.9999Z").into(),
    };
    let state = SchedulerState {
        state: Activity::NoData.into(),
        paused: Some(false),
        since: at("2026-06-21T09:00:00.004Z").into(),
        version: "0.1.0".into(),
        cycle: Duration::from_secs(90),
        tasks: 2,
        rejected: 1,
        last_error: Some(last_error),
        problem: Some("no power record arrives".into()),
        warnings: vec!["a".into(), "b".into()],
    };
    check(
        &state,
        concat!(
            r#"{"state":"no_data","paused":false,"since":"2026-06-21T09:00:00.004Z","#,
            r#""version":"0.1.0","cycle":"1m 30s","tasks":2,"rejected":1,"#,
            r#""last_error":{"topic":"sunward/power","#,
            r#""error":"expected \"x\"","time":"2026-06-21T08:59:59.999Z"},"#,
            r#""problem":"no power record arrives","warnings":["a","b"]}"#,
        ),
    );
    let state = SchedulerState {
        state: Activity::Active.into(),
        rejected: 0,
        last_error: None,
        problem: None,
        warnings: Vec::new(),
        ..state
    };
    check(
        &state,
        concat!(
            r#"{"state":"active","paused":false,"since":"2026-06-21T09:00:00.004Z","#,
            r#""version":"0.1.0","cycle":"1m 30s","tasks":2,"rejected":0,"last_error":null,"#,
            r#""problem":null,"warnings":[]}"#,
        ),
    );
}

#[test]
fn a_set_point_is_whole_watts() {
    for (watts, expect) in [(1399.5, "1400"), (-0.4, "0"), (0.0, "0"), (1e7, "10000000"), (-12.6, "-13")] {
        assert_eq!(setpoint(Watts(watts)), expect);
    }
}

#[test]
fn what_is_not_finite_is_null() {
    let endless = TaskView { power: Watts(f64::INFINITY), ratio: Some(Share(f64::NAN)), ..plain_task() };
    let written = written(&TaskReport::from(&endless));
    assert!(written.contains(r#""power":null"#) && written.contains(r#""ratio":null"#), "{written}");
}

#[test]
fn what_is_absent_has_its_default_and_what_is_unknown_is_ignored() {
    let report: TaskReport = serde_json::from_str(r#"{"status": "running", "worth": 0.27, "mode": null}"#).unwrap();
    assert_eq!(report.running(), Some(true));
    assert_eq!(report, TaskReport { status: Status::Running.into(), ..TaskReport::default() });
    let state: SchedulerState = serde_json::from_str("{}").unwrap();
    assert_eq!((state.paused, state.since.value()), (None, None));
    assert_eq!(serde_json::from_str::<SchedulerCycle>("{}").unwrap(), SchedulerCycle::default());
}

#[test]
fn words_and_times_of_another_version_are_kept_as_text() {
    let state: SchedulerState = serde_json::from_str(r#"{"state": "odd", "since": "then"}"#).unwrap();
    assert_eq!((state.state.value(), state.since.value()), (None, None));
    assert_eq!(format!("{:5}|{}", state.state, state.since), "odd  |then");
    let report: TaskReport =
        serde_json::from_str(r#"{"status": "resting", "mode": "ON", "priority": "high"}"#).unwrap();
    assert_eq!((report.running(), report.mode.value()), (None, Some(Mode::On)));
    assert_eq!(report.priority.value(), Some(Priority::High));
}

#[test]
fn a_field_of_another_type_costs_that_field_unless_the_message_hangs_on_it() {
    for report in ["", "7", r#"{"status": 1}"#, r#"{"on_today": "1h"}"#] {
        assert!(serde_json::from_str::<TaskReport>(report).is_err(), "{report}");
    }
    let report: TaskReport =
        serde_json::from_str(r#"{"status": "running", "held": {"mode": "on"}, "ratio": "all"}"#).unwrap();
    assert_eq!(report, TaskReport { status: Status::Running.into(), ..TaskReport::default() });
    let state: SchedulerState =
        serde_json::from_str(r#"{"paused": true, "warnings": [{"text": "new"}], "cycle": 60.5, "tasks": "many"}"#)
            .unwrap();
    assert_eq!((state.paused, state.warnings.len(), state.tasks), (Some(true), 0, 0));
    assert!(serde_json::from_str::<SchedulerState>(r#"{"paused": "yes"}"#).is_err());
    for cycle in [r#"{"online_since": "then"}"#, r#"{"record": {"net": "1"}}"#, r#"{"last_started": {"task": "ev"}}"#] {
        assert!(serde_json::from_str::<SchedulerCycle>(cycle).is_err(), "{cycle}");
    }
}

#[test]
fn every_word_is_read_as_it_is_written() {
    fn check<T: Word + Copy + PartialEq + std::fmt::Debug>(words: &[&str]) {
        for word in words {
            let read = T::read(word).map(|value| value.write().into_owned());
            assert_eq!(read.as_deref(), Some(*word));
        }
    }
    check::<Activity>(&["active", "paused", "no_data"]);
    check::<Status>(&["running", "stopped", "unrunnable", "unreachable", "invalid"]);
    check::<Skipped>(&["paused", "no_record"]);
    check::<Source>(&["meter", "fallback"]);
    check::<Mode>(&["auto", "on", "off"]);
    check::<Priority>(&["low", "medium", "high", "urgent"]);
    let rules = "conflicting_keys failing_criteria diminishing_adjustable lower_priority elected mode daily finished \
                 stop_all no_data";
    check::<Rule>(&rules.split_whitespace().collect::<Vec<_>>());
}
