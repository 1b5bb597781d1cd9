//! Two tasks on one key: it is said, and where keys are exclusive whoever comes later waits. And one task that names ever new
//! ones.

use sunward::core::{
    Event, Instant, Now, Refusal, Registration, Scheduler, Settings, Snapshot, Source, Status, TaskId, TaskSnapshot,
    TaskState,
};
use sunward::units::{Quantity, Watts};

fn now() -> Now {
    Now { at: Instant::START, wall: "2026-06-21T10:00:00Z".parse().unwrap() }
}

fn id(id: &str) -> TaskId {
    TaskId::new(id).unwrap()
}

fn registered(name: &str, keys: &[&str]) -> Event {
    let registration = Registration {
        name: name.to_uppercase(),
        keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        ..Registration::new(&id(name), Watts(1000.0))
    };
    Event::Registered(id(name), Box::new(registration))
}

fn scheduler(exclusive_keys: bool) -> Scheduler {
    Scheduler::new(Settings { exclusive_keys, ..Settings::default() }, now())
}

/// What a task is, and why it is refused.
fn is(scheduler: &Scheduler, name: &str) -> (Status, Option<String>) {
    let view = scheduler.task(&id(name), now()).unwrap();
    (view.status, view.error)
}

fn taken(key: &str, owner: &str) -> Option<String> {
    Some(Refusal::KeyTaken { key: key.into(), owner: id(owner) }.to_string())
}

#[test]
fn tasks_on_one_key_are_named_in_a_warning() {
    let mut scheduler = scheduler(false);
    for event in [registered("ev", &["ev"]), registered("thief", &["x", "ev"]), registered("other", &["y"])] {
        scheduler.handle(event, now()).unwrap();
    }
    let net = Event::Power { source: Source::Meter, values: vec![("net".into(), Quantity(0.0))], measured: None };
    scheduler.handle(net, now()).unwrap();
    scheduler.cycle(now());
    assert_eq!(
        scheduler.warnings(now()),
        [
            "several tasks have the key `ev`: EV (ev), THIEF (thief); one keeps the others from running. If that is not meant, \
          scheduler.exclusive_keys = true refuses whoever comes later"
        ]
    );
    scheduler.handle(registered("thief", &["x"]), now()).unwrap();
    scheduler.cycle(now());
    assert_eq!(scheduler.warnings(now()), [] as [&str; 0]);
}

#[test]
fn whoever_comes_later_is_refused_until_the_key_is_free() {
    let mut scheduler = scheduler(true);
    scheduler.handle(registered("ev", &["ev"]), now()).unwrap();
    let refusal = scheduler.handle(registered("thief", &["x", "ev"]), now()).unwrap_err();
    assert_eq!(Some(refusal.to_string()), taken("ev", "ev"));
    assert_eq!(is(&scheduler, "thief"), (Status::Invalid, taken("ev", "ev")));
    // The owner may say it again, and say more.
    scheduler.handle(registered("ev", &["ev", "ev_2"]), now()).unwrap();
    // A state can't take what a registration can't.
    scheduler.handle(registered("heater", &["heater"]), now()).unwrap();
    let state = TaskState { keys: Some(vec!["ev_2".into()]), ..TaskState::plain(true) };
    let refusal = scheduler.handle(Event::State(id("heater"), Box::new(state)), now()).unwrap_err();
    assert_eq!(Some(refusal.to_string()), taken("ev_2", "ev"));
    assert_eq!(is(&scheduler, "heater").1, taken("ev_2", "ev").map(|why| format!("state: {why}")));

    scheduler.handle(registered("ev", &["ev_2"]), now()).unwrap();
    assert_eq!(is(&scheduler, "thief").1, None);
    assert_eq!(scheduler.registration(&id("thief")).unwrap().keys, ["x", "ev"]);
    scheduler.handle(registered("late", &["x"]), now()).unwrap_err();
    scheduler.handle(Event::Unregistered(id("late")), now()).unwrap();
    scheduler.handle(Event::Unregistered(id("thief")), now()).unwrap();
    assert!(scheduler.task(&id("late"), now()).is_none() && scheduler.task(&id("thief"), now()).is_none());
}

#[test]
fn after_a_restart_a_key_stays_whose_it_was_whatever_comes_first() {
    let known = |names: &[&str]| Snapshot {
        tasks: names.iter().map(|name| (id(name), TaskSnapshot { registered: true, ..Default::default() })).collect(),
        ..Snapshot::default()
    };
    let owner = |earlier: &[&str], order: [&str; 2]| {
        let mut scheduler = scheduler(true);
        for name in order {
            let _ = scheduler.handle(registered(name, &["ev"]), now());
        }
        scheduler.restore(known(earlier), now());
        let owners: Vec<_> = ["a_thief", "ev"].into_iter().filter(|name| is(&scheduler, name).1.is_none()).collect();
        let refused = if owners == ["ev"] { "a_thief" } else { "ev" };
        assert_eq!(is(&scheduler, refused), (Status::Invalid, taken("ev", owners[0])));
        // It gets the key when that is free.
        scheduler.handle(Event::Unregistered(id(owners[0])), now()).unwrap();
        assert_eq!(is(&scheduler, refused).1, None);
        owners[0]
    };
    for order in [["ev", "a_thief"], ["a_thief", "ev"]] {
        assert_eq!(owner(&["ev"], order), "ev");
        assert_eq!(owner(&["a_thief"], order), "a_thief");
        // Nobody knows: the first by id.
        assert_eq!(owner(&[], order), "a_thief");
    }
}

#[test]
fn a_task_that_names_ever_new_keys_leaves_room_for_the_others() {
    let mut scheduler = scheduler(false);
    scheduler.handle(registered("plug", &["plug"]), now()).unwrap();
    for round in 0..200 {
        let keys: Vec<String> = (0..64).map(|key| format!("k{round}_{key}")).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let told = scheduler.handle(registered("evil", &keys), now()).map_err(|refusal| refusal.to_string());
        let expect = "this task has named 128 keys that nobody else has";
        assert_eq!(told.is_ok(), round < 2, "{told:?}");
        assert!(told.is_ok() || told.is_err_and(|told| told.contains(expect)));
        // To be forgotten in between doesn't help it.
        if round % 2 == 1 {
            scheduler.handle(Event::Unregistered(id("evil")), now()).unwrap();
        }
    }
    scheduler.handle(registered("plug", &["plug", "wash"]), now()).unwrap();
    let values = vec![("net".into(), Quantity(0.0)), ("solar".into(), Quantity(1.0)), ("wash".into(), Quantity(1.0))];
    scheduler.handle(Event::Power { source: Source::Meter, values, measured: None }, now()).unwrap();
}

/// A state with these keys, or one that names none.
fn state(name: &str, keys: Option<&[&str]>) -> Event {
    let keys = keys.map(|keys| keys.iter().map(|key| (*key).to_owned()).collect());
    Event::State(id(name), Box::new(TaskState { keys, ..TaskState::plain(true) }))
}

#[test]
fn a_key_that_a_state_steps_aside_from_stays_claimed() {
    let mut scheduler = scheduler(true);
    scheduler.handle(registered("thief", &["ev"]), now()).unwrap();
    scheduler.handle(state("thief", Some(&["x"])), now()).unwrap();
    // Else the thief would have the key again as soon as its state names none.
    let refusal = scheduler.handle(registered("ev", &["ev"]), now()).unwrap_err();
    assert_eq!(Some(refusal.to_string()), taken("ev", "thief"));
    let refusal = scheduler.handle(registered("other", &["x"]), now()).unwrap_err();
    assert_eq!(Some(refusal.to_string()), taken("x", "thief"));
    // Both are free when nothing of the task names them any more.
    scheduler.handle(registered("thief", &["y"]), now()).unwrap();
    assert_eq!(is(&scheduler, "ev").1, None);
    scheduler.handle(state("thief", None), now()).unwrap();
    assert_eq!(is(&scheduler, "other").1, None);
}

#[test]
fn keys_of_a_state_that_came_before_its_registration_are_no_way_around() {
    for clear in [state("thief", None), Event::StateCleared(id("thief"))] {
        let mut scheduler = scheduler(true);
        scheduler.handle(state("thief", Some(&["ev"])), now()).unwrap();
        scheduler.handle(registered("ev", &["ev"]), now()).unwrap();
        let refusal = scheduler.handle(registered("thief", &["x"]), now()).unwrap_err();
        assert_eq!(Some(refusal.to_string()), taken("ev", "ev"));
        scheduler.handle(clear, now()).unwrap();
        assert_eq!(is(&scheduler, "thief").1, None, "its registration alone takes nothing");
        assert_eq!(scheduler.registration(&id("thief")).unwrap().keys, ["x"]);
    }
}

#[test]
fn who_waits_is_registered_when_keys_are_no_longer_exclusive() {
    let mut scheduler = scheduler(true);
    scheduler.handle(registered("ev", &["ev"]), now()).unwrap();
    scheduler.handle(registered("second", &["ev"]), now()).unwrap_err();
    scheduler.reconfigure(Settings::default());
    scheduler.handle(state("ev", None), now()).unwrap();
    assert_eq!(is(&scheduler, "second").1, None);
}
