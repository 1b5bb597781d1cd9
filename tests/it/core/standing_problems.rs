//! What stands in the scheduler's state is counted as tasks come, change and go. It is what counting from scratch gives.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use sunward::core::{Event, Instant, Now, Registration, Scheduler, Settings, Source, TaskId, TaskState};
use sunward::units::{Quantity, Watts};

#[derive(Debug, Clone)]
enum Happens {
    Registers(usize, usize),
    Unregisters(usize),
    Says(usize, bool),
    Clears(usize),
    IsAvailable(usize, Option<bool>),
    IsMeasured(usize),
    Cycle,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        (0..4_usize, 0..6_usize).prop_map(|(task, key)| Happens::Registers(task, key)),
        (0..4_usize).prop_map(Happens::Unregisters),
        (0..4_usize, any::<bool>()).prop_map(|(task, running)| Happens::Says(task, running)),
        (0..4_usize).prop_map(Happens::Clears),
        (0..4_usize, prop_oneof![Just(None), Just(Some(true))]).prop_map(|(task, is)| Happens::IsAvailable(task, is)),
        (0..6_usize).prop_map(Happens::IsMeasured),
        Just(Happens::Cycle),
    ]
}

/// A task, as this test keeps it.
#[derive(Debug, Default)]
struct Known {
    registered: Option<String>,
    running: Option<bool>,
    key: String,
}

fn task(number: usize) -> TaskId {
    TaskId::new(format!("t{number}")).unwrap()
}

fn event(happens: &Happens, known: &mut BTreeMap<usize, Known>, measured: &mut BTreeSet<String>) -> Option<Event> {
    let owned = |number: usize, known: &Known| known.registered.clone().unwrap_or_else(|| format!("@t{number}"));
    Some(match *happens {
        Happens::Registers(number, key) => {
            let it = known.entry(number).or_default();
            it.registered = Some(format!("k{key}"));
            it.key = owned(number, it);
            let mut registration = Registration::new(&task(number), Watts(1000.0));
            registration.keys = vec![format!("k{key}")];
            Event::Registered(task(number), Box::new(registration))
        }
        Happens::Unregisters(number) => {
            known.entry(number).or_default().registered = None;
            Event::Unregistered(task(number))
        }
        Happens::Says(number, running) => {
            let it = known.entry(number).or_default();
            it.running = Some(running);
            it.key = owned(number, it);
            Event::State(task(number), Box::new(TaskState::plain(running)))
        }
        Happens::Clears(number) => {
            known.entry(number).or_default().running = None;
            Event::StateCleared(task(number))
        }
        Happens::IsAvailable(number, is) => Event::Availability(task(number), is),
        Happens::IsMeasured(key) => {
            measured.insert(format!("k{key}"));
            let values = vec![("net".into(), Quantity(100.0)), (format!("k{key}"), Quantity(10.0))];
            Event::Power { source: Source::Meter, values, measured: None }
        }
        Happens::Cycle => return None,
    })
}

proptest! {
    #[test]
    fn tasks_and_unmeasured_keys_are_counted_as_if_from_scratch(all in prop::collection::vec(happens(), 0..60)) {
        let mut now = Now {
            at: Instant::START + Duration::from_secs(100_000),
            wall: "2026-06-01T10:00:00Z".parse().unwrap(),
        };
        let day = Duration::from_secs(86_400);
        let settings = Settings { task_expire_after: day, max_record_gap: day, ..Settings::default() };
        let mut scheduler = Scheduler::new(settings, now);
        let (mut known, mut measured) = (BTreeMap::new(), BTreeSet::new());
        let net = Event::Power { source: Source::Meter, values: vec![("net".into(), Quantity(1.0))], measured: None };
        scheduler.handle(net, now).unwrap();
        for happens in &all {
            now = now + Duration::from_secs(1);
            match event(happens, &mut known, &mut measured) {
                Some(event) => scheduler.handle(event, now).unwrap(),
                None => drop(scheduler.cycle(now)),
            }
            let registered = known.values().filter(|it| it.registered.is_some()).count();
            prop_assert_eq!(scheduler.task_count(), registered);
        }
        // Each has run for long enough by then to show in its key.
        now = now + Duration::from_secs(600);
        let expected: BTreeSet<String> = known
            .iter()
            .filter(|(_, it)| it.registered.is_some() && it.running == Some(true) && !measured.contains(&it.key))
            .map(|(number, it)| format!("task t{number}: nothing has measured its key `{}`", it.key))
            .collect();
        let warned: BTreeSet<String> = scheduler
            .warnings(now)
            .into_iter()
            .filter(|warning| warning.starts_with("task "))
            .map(|warning| warning.split(": its declared").next().unwrap_or_default().to_owned())
            .collect();
        prop_assert_eq!(warned, expected);
    }
}
