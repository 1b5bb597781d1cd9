//! From what the meter and the plugs say to the record of a cycle.

use std::time::Duration;

use sunward::core::{Event, Expiry, Refusal, Sensed, Settings, Source};
use sunward::units::{Quantity, Watts};

use super::{Appliance, Do, Home, plain};

/// The record of the last of some steps, as `key watts …`. After each `Cycle` a new one is made.
#[track_caller]
fn check(appliances: Vec<Appliance>, steps: &[Do], expect: &str) {
    check_with(Settings::default(), appliances, steps, expect);
}

#[track_caller]
fn check_with(settings: Settings, appliances: Vec<Appliance>, steps: &[Do], expect: &str) {
    // Whatever is decided, nobody follows.
    let mut home = Home::with(settings, appliances.into_iter().map(Appliance::deaf).collect());
    for step in steps {
        home.apply(step);
    }
    assert_eq!(record(&mut home), expect);
}

fn record(home: &mut Home) -> String {
    if home.cycle().source.is_none() {
        return "none".into();
    }
    let mut record: Vec<_> = home.scheduler.latest_record().collect();
    record.sort_by_key(|(key, _)| *key);
    record.iter().map(|(key, watts)| format!("{key} {}", watts.0)).collect::<Vec<_>>().join(", ")
}

use Do::{Cycle, Meter, Off, On, Say, Wait};

fn boiler() -> Appliance {
    plain("boiler", 1000.0)
}

#[test]
fn values_of_one_cycle_are_averaged_and_those_of_the_one_before_are_not() {
    check(vec![], &[Meter(&[("net", -100.0)]), Wait(20), Meter(&[("net", -200.0)]), Wait(20)], "net -150");
    check(vec![], &[Meter(&[("net", 900.0)]), Cycle, Wait(60), Meter(&[("net", -200.0)])], "net -200");
    // Each key by itself.
    let steps = [Meter(&[("net", 100.0), ("solar", 30.0)]), Meter(&[("net", 200.0)])];
    check(vec![], &steps, "net 150, solar 30");
}

#[test]
fn without_a_new_net_there_is_no_record() {
    check(vec![], &[], "none");
    check(vec![], &[Meter(&[("solar", 100.0)])], "none");
    check(vec![], &[Meter(&[("net", 100.0)]), Cycle, Wait(60), Meter(&[("solar", 100.0)])], "none");
}

#[test]
fn a_key_keeps_its_last_value_until_it_expires() {
    let after = |seconds: u64, expect: &str| {
        let later = [Meter(&[("net", 7.0), ("solar", 20.0)]), Meter(&[("solar", 40.0)]), Cycle];
        let waits = [Wait(seconds - 60), Meter(&[("net", 1.0)]), Wait(60), Meter(&[("net", 3.0)])];
        check(vec![], &[&later[..], &waits].concat(), expect);
    };
    // The last one, not the mean.
    after(299, "net 2, solar 40");
    after(300, "net 2, solar 40");
    after(301, "net 2");
}

#[test]
fn a_silent_key_counts_as_the_power_of_a_running_task_and_as_nothing_of_a_stopped_one() {
    let silent = |seconds| [Meter(&[("net", 0.0), ("boiler", 700.0)]), Cycle, Wait(seconds), Meter(&[("net", 0.0)])];
    check(vec![boiler().running()], &silent(300), "boiler 700, net 0");
    check(vec![boiler().running()], &silent(301), "boiler 1000, net 0");
    check(vec![boiler()], &silent(300), "boiler 700, net 0");
    check(vec![boiler()], &silent(301), "boiler 0, net 0");
    // Never heard of.
    check(vec![boiler().running()], &[Meter(&[("net", 0.0)])], "boiler 1000, net 0");
    check(vec![boiler()], &[Meter(&[("net", 0.0)])], "boiler 0, net 0");
}

#[test]
fn a_silent_key_of_several_counts_as_its_equal_share() {
    let two = || plain("ev", 1400.0).running().with(|registration| registration.keys = vec!["l1".into(), "l2".into()]);
    check(vec![two()], &[Meter(&[("net", 0.0), ("l1", 500.0)])], "l1 500, l2 700, net 0");
    check(vec![two()], &[Meter(&[("net", 0.0)])], "l1 700, l2 700, net 0");
    // A small share is no standby: who has fallen silent must not look idle.
    let phases = || ["l1", "l2", "l3"].map(str::to_owned).to_vec();
    let small = plain("ev", 240.0).running().with(|registration| registration.keys = phases());
    check(vec![small], &[Meter(&[("net", 0.0), ("l3", 80.0)])], "l1 80, l2 80, l3 0, net 0");
}

#[test]
fn of_several_tasks_on_a_silent_key_those_that_run_count() {
    let on = |id: &str, power: f64| plain(id, power).with(|registration| registration.keys = vec!["tank".into()]);
    check(vec![on("a", 1000.0).running(), on("b", 2000.0)], &[Meter(&[("net", 0.0)])], "net 0, tank 1000");
    check(vec![on("a", 1000.0), on("b", 2000.0).running()], &[Meter(&[("net", 0.0)])], "net 0, tank 2000");
}

#[test]
fn a_value_from_before_a_task_started_or_stopped_does_not_speak_of_it() {
    let before = |state: Do| [Meter(&[("net", 0.0), ("boiler", 700.0)]), Cycle, Wait(10), state, Wait(50)];
    let net: &[Do] = &[Meter(&[("net", 0.0)])];
    let and_boiler: &[Do] = &[Meter(&[("net", 0.0), ("boiler", 600.0)])];
    check(vec![boiler()], &[&before(On("boiler")), net].concat(), "boiler 1000, net 0");
    check(vec![boiler()], &[&before(On("boiler")), and_boiler].concat(), "boiler 600, net 0");
    check(vec![boiler().running()], &[&before(Off("boiler")), net].concat(), "boiler 0, net 0");
    check(vec![boiler().running()], &[&before(Off("boiler")), and_boiler].concat(), "boiler 600, net 0");
    // A state that says the same again is no start.
    check(vec![boiler().running()], &[&before(On("boiler")), net].concat(), "boiler 700, net 0");
}

#[test]
fn little_counts_as_nothing_on_the_keys_of_tasks_alone() {
    let values = |watts: &'static [(&'static str, f64)]| [Meter(watts)];
    let big = || vec![plain("big", 1000.0).running()];
    check(big(), &values(&[("net", 0.0), ("big", 100.0)]), "big 100, net 0");
    check(big(), &values(&[("net", 0.0), ("big", 99.0)]), "big 0, net 0");
    // Half the power of the smallest owner, if that is less.
    let small = |power: f64| vec![plain("small", power).running()];
    check(small(60.0), &values(&[("net", 0.0), ("small", 30.0)]), "net 0, small 30");
    check(small(60.0), &values(&[("net", 0.0), ("small", 29.0)]), "net 0, small 0");
    let both = || {
        let on = |id: &str, power: f64| plain(id, power).with(|registration| registration.keys = vec!["k".into()]);
        vec![on("big", 1000.0).running(), on("small", 60.0)]
    };
    check(both(), &values(&[("net", 0.0), ("k", 30.0)]), "k 30, net 0");
    check(both(), &values(&[("net", 0.0), ("k", 29.0)]), "k 0, net 0");
    // Negative values of a task are nothing; those of others stay.
    check(big(), &values(&[("net", 0.0), ("big", -500.0)]), "big 0, net 0");
    check(big(), &values(&[("net", -5.0), ("big", 0.0), ("solar", -3.0)]), "big 0, net -5, solar -3");
    let no_threshold = Settings { ignore_power_threshold: Watts::ZERO, ..Settings::default() };
    check_with(no_threshold.clone(), big(), &values(&[("net", 0.0), ("big", 1.0)]), "big 1, net 0");
    check_with(no_threshold, big(), &values(&[("net", 0.0), ("big", -1.0)]), "big 0, net 0");
}

#[test]
fn a_task_without_keys_counts_at_the_usage_it_reports_or_else_at_its_power() {
    let keyless = || plain("lamp", 300.0).with(|registration| registration.keys.clear());
    let net = Meter(&[("net", 0.0)]);
    let uses = Say("lamp", |state| state.usage = Some(Watts(250.0)));
    check(vec![keyless().running()], std::slice::from_ref(&net), "@lamp 300, net 0");
    check(vec![keyless()], std::slice::from_ref(&net), "@lamp 0, net 0");
    check(vec![keyless().running()], &[uses.clone(), net.clone()], "@lamp 250, net 0");
    check(vec![keyless()], &[uses, net.clone()], "@lamp 0, net 0");
    check(vec![keyless().running()], &[Off("lamp"), net], "@lamp 0, net 0");
}

/// A task is told to the scheduler in every order; its usage counts all the same.
#[test]
fn a_task_counts_whenever_its_registration_comes() {
    for keys in [vec![], vec!["boiler".to_owned()]] {
        let expect = if keys.is_empty() { "@boiler 1000, net 0" } else { "boiler 1000, net 0" };
        let Appliance { id, mut registration, state, .. } = boiler().running();
        registration.keys = keys;
        let register = || Event::Registered(id.clone(), Box::new(registration.clone()));
        let state = || Event::State(id.clone(), Box::new(state.clone()));
        let unregister = || Event::Unregistered(id.clone());
        for events in [
            vec![vec![register(), state()]],
            vec![vec![state(), register()]],
            vec![vec![state()], vec![register()]],
            vec![vec![register()], vec![state()]],
            vec![vec![register(), state()], vec![unregister()], vec![register()]],
        ] {
            let mut home = Home::new(vec![]);
            let mut last = String::new();
            for events in events {
                for event in events {
                    home.scheduler.handle(event, home.now).unwrap();
                }
                home.wait(60);
                home.meter(&[("net", 0.0)]);
                last = record(&mut home);
            }
            assert_eq!(last, expect);
        }
    }
}

#[test]
fn keys_that_a_state_names_are_the_tasks_own_until_the_state_is_cleared() {
    let mut home = Home::new(vec![boiler().running()]);
    home.says("boiler", |state| state.keys = Some(vec!["l2".into()]));
    home.meter(&[("net", 0.0), ("boiler", 70.0), ("l2", -80.0)]);
    assert_eq!(record(&mut home), "boiler 70, l2 0, net 0");
    home.scheduler.handle(Event::StateCleared(home.appliances[0].id.clone()), home.now).unwrap();
    home.meter(&[("net", 0.0), ("boiler", 70.0), ("l2", -80.0)]);
    assert_eq!(record(&mut home), "boiler 0, l2 -80, net 0");
}

#[test]
fn an_old_record_is_refused_and_a_younger_one_counts_from_when_it_was_measured() {
    let old = |seconds: u64| {
        let mut home = Home::new(vec![]);
        let measured = Some(home.now.wall - Duration::from_secs(seconds));
        let values = vec![("net".to_owned(), Quantity(-9.0)), ("solar".to_owned(), Quantity(5.0))];
        let refused = home.scheduler.handle(Event::Power { source: Source::Meter, values, measured }, home.now);
        (refused.is_err(), record(&mut home))
    };
    assert_eq!(old(179), (false, "net -9, solar 5".into()));
    assert_eq!(old(180), (false, "net -9, solar 5".into()));
    assert_eq!(old(181), (true, "none".into()));

    // `solar` is 100 s old when it comes: 200 s later it expires.
    let mut home = Home::new(vec![]);
    let values = vec![("solar".to_owned(), Quantity(5.0))];
    let measured = Some(home.now.wall - Duration::from_secs(100));
    home.scheduler.handle(Event::Power { source: Source::Meter, values, measured }, home.now).unwrap();
    home.cycle();
    for (wait, expect) in [(200, "net 0, solar 5"), (1, "net 0")] {
        home.wait(wait);
        home.meter(&[("net", 0.0)]);
        assert_eq!(record(&mut home), expect);
    }
    // A clock that goes ahead does no harm.
    let values = vec![("net".to_owned(), Quantity(5.0))];
    let measured = Some(home.now.wall + Duration::from_secs(3600));
    home.scheduler.handle(Event::Power { source: Source::Meter, values, measured }, home.now).unwrap();
    assert_eq!(record(&mut home), "net 5");
}

#[test]
fn values_that_can_not_be_are_refused_one_by_one() {
    for (watts, believed) in [
        (10e6, true),
        (10e6 + 1.0, false),
        (-10e6, true),
        (-10e6 - 1.0, false),
        (f64::NAN, false),
        (f64::INFINITY, false),
        (f64::NEG_INFINITY, false),
    ] {
        let mut home = Home::new(vec![]);
        let refused = home.power(Source::Meter, &[("net", -1.0), ("solar", watts), ("house", 2.0)]);
        assert_eq!(matches!(refused, Err(Refusal::Implausible { .. })), !believed, "{watts}");
        let solar = if believed { format!(", solar {watts}") } else { String::new() };
        assert_eq!(record(&mut home), format!("house 2, net -1{solar}"));
        // Without a believable net there is no record, but the other keys count for the next.
        let mut home = Home::new(vec![]);
        let _ = home.power(Source::Meter, &[("net", watts), ("house", 2.0)]);
        assert_eq!(record(&mut home) == "none", !believed, "{watts}");
        home.meter(&[("net", 0.0)]);
        assert_eq!(record(&mut home), "house 2, net 0");
    }
}

/// A sensor's value, measured so many seconds ago.
fn sensed(key: &str, value: f64, ago: u64, expiry: Expiry) -> impl Fn(&mut Home) -> Result<(), Refusal> + use<> {
    let key = key.to_owned();
    move |home| {
        let measured = home.now.at - Duration::from_secs(ago);
        let sensed = Sensed { key: key.clone(), value: Quantity(value), measured, expiry };
        home.scheduler.handle(Event::Sensed(sensed), home.now)
    }
}

#[test]
fn values_of_sensors_and_of_records_meet_in_one_record() {
    let mut home = Home::new(vec![]);
    let minute = Expiry::After(Duration::from_secs(60));
    home.meter(&[("solar", 30.0)]);
    assert_eq!(record(&mut home), "none");
    sensed("net", -100.0, 0, minute)(&mut home).unwrap();
    sensed("solar", 50.0, 0, minute)(&mut home).unwrap();
    home.meter(&[("net", -200.0)]);
    assert_eq!(record(&mut home), "net -150, solar 50");
    assert_eq!(
        sensed("net", 1e9, 0, minute)(&mut home).unwrap_err().to_string(),
        "`net` is 1000000000 W: expected a finite number within ±10 MW"
    );
}

#[test]
fn each_sensor_has_its_own_expiry() {
    let after = |seconds: u64, expect: &str| {
        let mut home = Home::new(vec![]);
        let until = Expiry::At(home.now.at + Duration::from_secs(200));
        sensed("quick", 1.0, 10, Expiry::After(Duration::from_secs(60)))(&mut home).unwrap();
        sensed("made", 2.0, 0, until)(&mut home).unwrap();
        sensed("soc", 55.0, 100_000, Expiry::Never)(&mut home).unwrap();
        home.meter(&[("net", 0.0), ("plain", 3.0)]);
        home.cycle();
        home.wait(seconds);
        home.meter(&[("net", 0.0)]);
        assert_eq!(record(&mut home), expect, "after {seconds} s");
    };
    after(50, "made 2, net 0, plain 3, quick 1, soc 55");
    after(51, "made 2, net 0, plain 3, soc 55");
    after(200, "made 2, net 0, plain 3, soc 55");
    after(201, "net 0, plain 3, soc 55");
    after(301, "net 0, soc 55");
    after(100_000, "net 0, soc 55");
}

#[test]
fn a_sensor_of_a_task_speaks_of_the_time_since_it_was_switched() {
    let mut home = Home::new(vec![boiler().deaf()]);
    let minute = Expiry::After(Duration::from_secs(60));
    home.apply(&On("boiler"));
    sensed("boiler", 3.0, 0, minute)(&mut home).unwrap();
    home.wait(20);
    home.apply(&Off("boiler"));
    home.apply(&On("boiler"));
    sensed("boiler", 4.0, 10, minute)(&mut home).unwrap();
    home.meter(&[("net", 0.0)]);
    assert_eq!(record(&mut home), "boiler 1000, net 0");
    home.wait(20);
    sensed("boiler", 900.0, 0, minute)(&mut home).unwrap();
    home.meter(&[("net", 0.0)]);
    assert_eq!(record(&mut home), "boiler 900, net 0");
}
