//! The oracle, each question by hand.

use super::*;

fn settings() -> NaiveSettings {
    NaiveSettings { window_size: 3, confirm_records: 2, headroom: 200.0, ignore_power_threshold: 100.0, reserve: 0.0 }
}

fn runs(id: &str, priority: u8, power: f64) -> NaiveTask {
    NaiveTask { running: true, ..NaiveTask::idle(id, priority, power) }
}

fn adjusts(task: NaiveTask) -> NaiveTask {
    NaiveTask { adjustable: true, ..task }
}

fn with_keys(keys: &[&str], task: NaiveTask) -> NaiveTask {
    NaiveTask { keys: keys.iter().map(|key| (*key).to_owned()).collect(), ..task }
}

fn values(record: &[(&str, f64)]) -> BTreeMap<String, f64> {
    record.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect()
}

/// A window of these records, oldest first, made while the tasks were as they are.
fn window(tasks: &[NaiveTask], records: &[&[(&str, f64)]]) -> Naive {
    let mut naive = Naive::new(settings());
    for record in records {
        naive.update(values(record), tasks);
    }
    naive
}

/// One cycle, told as `stop pump failing_criteria`, `start boiler elected`.
fn told(naive: &mut Naive, tasks: &[NaiveTask]) -> Vec<String> {
    let decisions = naive.cycle(tasks);
    let stops = decisions.stopped.iter().map(|(id, rule)| format!("stop {id} {rule}"));
    let starts = decisions.started.iter().map(|(id, rule)| format!("start {id} {rule}"));
    stops.chain(starts).collect()
}

/// A single record is there twice, as two confirm a start.
fn check(tasks: &[NaiveTask], records: &[&[(&str, f64)]], expected: &[&str]) {
    let records = if let [record] = records { &[*record, *record] } else { records };
    assert_eq!(told(&mut window(tasks, records), tasks), expected, "{records:?}");
}

#[test]
fn values_below_the_threshold_or_half_the_smallest_owner_count_as_zero() {
    // boiler: min(100, 1000 / 2) = 100. fan: min(100, 60 / 2) = 30, shared with the larger boiler's key `fan`.
    let tasks = [with_keys(&["boiler", "fan"], runs("boiler", 1, 1000.0)), runs("fan", 1, 60.0)];
    let stored = |key: &str, value: f64| window(&tasks, &[&[("net", 0.0), (key, value)]]).window[0].values[key];
    assert_eq!((stored("boiler", 99.0), stored("boiler", 100.0)), (0.0, 100.0));
    assert_eq!((stored("fan", 29.0), stored("fan", 30.0)), (0.0, 30.0));
    assert_eq!((stored("boiler", -500.0), stored("house", -5.0), stored("net", -5.0)), (0.0, -5.0, -5.0));
}

#[test]
fn the_window_keeps_the_newest_and_a_task_without_keys_counts_at_its_report_or_power() {
    let lamp = with_keys(&["@lamp"], runs("lamp", 1, 300.0));
    let tasks = [lamp.clone()];
    let mut naive = window(&tasks, &[&[("net", 1.0)], &[("net", 2.0)], &[("net", 3.0)], &[("net", 4.0)]]);
    assert_eq!(naive.window.iter().map(net).collect::<Vec<_>>(), [2.0, 3.0, 4.0]);
    assert_eq!(naive.power_used_by(&lamp), 300.0);
    naive.update(values(&[("net", 0.0), ("@lamp", 250.0)]), &tasks);
    assert_eq!(naive.power_used_by(&lamp), 250.0);
    naive.update(values(&[("net", 0.0), ("@lamp", 250.0)]), &[NaiveTask { running: false, ..lamp.clone() }]);
    assert_eq!(naive.power_used_by(&lamp), 0.0);
}

#[test]
fn what_is_available_is_export_after_suppressing_and_minimising() {
    let tasks = [runs("boiler", 1, 1000.0), with_keys(&["l1", "l2"], adjusts(runs("ev", 2, 1400.0)))];
    let naive = window(&tasks, &[&[("net", -500.0), ("boiler", 900.0), ("l1", 1500.0), ("l2", 500.0)]]);
    // -500 - 900 (boiler suppressed) + (1400 - 2000) (ev minimised) = -2000, of 1000.
    assert_eq!(naive.available_for(&NaiveTask::idle("heater", 1, 1000.0), &[&tasks[1]], &[&tasks[0]]), 2.0);
    // -500 + 1400 = 900: nothing.
    assert_eq!(
        naive.available_for(&NaiveTask::idle("heater", 1, 1000.0), &[&NaiveTask::idle("other", 1, 1400.0)], &[]),
        0.0
    );
}

#[test]
fn yesterdays_export_does_not_pay_for_todays_import() {
    let tasks = [runs("boiler", 1, 1000.0)];
    let naive = window(
        &tasks,
        &[&[("net", -3000.0)], &[("net", -900.0), ("boiler", 1000.0)], &[("net", 750.0), ("boiler", 1000.0)]],
    );
    // min(1000, 1000 + 900) + min(1000, 1000 - 750) = 1000 + 250, of 2000. The first record ends the walk.
    assert_eq!(naive.covered_by_production(&tasks[0], &[], &[]), 0.625);
    // It uses nothing now.
    assert_eq!(naive.covered_by_production(&NaiveTask::idle("other", 1, 500.0), &[], &[]), 1.0);
}

#[test]
fn of_two_tasks_on_one_key_the_less_important_is_stopped() {
    let one = |id: &str, priority: u8| with_keys(&["tank"], runs(id, priority, 1000.0));
    let record: &[(&str, f64)] = &[("net", 0.0), ("tank", 1000.0)];
    check(&[one("a", 1), one("b", 2)], &[record], &["stop a conflicting_keys"]);
    // One that can't be heard, or is in mode on, comes before the more important.
    let away = NaiveTask { reachable: false, ..one("a", 1) };
    check(&[away, one("b", 2)], &[record], &["stop b conflicting_keys"]);
    let on = NaiveTask { mode: Mode::On, ..one("a", 1) };
    check(&[on, one("b", 2)], &[record], &["stop b conflicting_keys"]);
    // Neither can be stopped: nothing.
    let held = |id: &str| NaiveTask { stoppable: false, held_by_min_on: true, ..one(id, 1) };
    check(&[held("a"), held("b")], &[record], &[]);
}

#[test]
fn a_task_whose_keep_is_not_met_is_stopped() {
    let tasks = [runs("boiler", 1, 1000.0)];
    // (1000 - 250) / 1000 = 0.75; (1000 - 251) / 1000 = 0.749.
    check(&tasks, &[&[("net", 250.0), ("boiler", 1000.0)]], &[]);
    check(&tasks, &[&[("net", 251.0), ("boiler", 1000.0)]], &["stop boiler failing_criteria"]);
    // The state's own answer stands instead of the ratio.
    let says = |meets: bool| [NaiveTask { meets_criteria: Some(meets), ..tasks[0].clone() }];
    check(&says(true), &[&[("net", 251.0), ("boiler", 1000.0)]], &[]);
    check(&says(false), &[&[("net", -250.0), ("boiler", 1000.0)]], &["stop boiler failing_criteria"]);
}

#[test]
fn the_less_important_is_stopped_first_and_only_one_in_a_cycle() {
    let boiler = runs("boiler", 2, 1000.0);
    let pump = runs("pump", 1, 500.0);
    // pump: 500 - 1400 < 0: ratio 0. boiler: net without pump 900, (1000 - 900) / 1000 = 0.1, but that's for later.
    let record: &[(&str, f64)] = &[("net", 1400.0), ("boiler", 1000.0), ("pump", 500.0)];
    check(&[boiler.clone(), pump.clone()], &[record], &["stop pump failing_criteria"]);
    // pump is held by its min_on: not stopped, yet ignored for boiler: 400 - 500 < 0, so boiler is covered.
    let record: &[(&str, f64)] = &[("net", 400.0), ("boiler", 1000.0), ("pump", 500.0)];
    let held = NaiveTask { stoppable: false, held_by_min_on: true, ..pump.clone() };
    check(&[boiler.clone(), held], &[record], &[]);
    // pump is not stoppable at all: (1000 - 400) / 1000 = 0.6 for boiler.
    let fixed = NaiveTask { stoppable: false, ..pump };
    check(&[boiler, fixed], &[record], &["stop boiler failing_criteria"]);
}

#[test]
fn an_adjustable_task_is_judged_by_its_minimum() {
    let ev = adjusts(runs("ev", 1, 1400.0));
    // Minimised, net is 1950 - (3000 - 1400) = 350: (1400 - 350) / 1400 = 0.75. One watt more fails.
    check(std::slice::from_ref(&ev), &[&[("net", 1950.0), ("ev", 3000.0)]], &[]);
    check(&[ev], &[&[("net", 1951.0), ("ev", 3000.0)]], &["stop ev failing_criteria"]);
}

#[test]
fn a_task_in_the_way_of_an_adjustable_one_is_stopped_and_its_power_left_to_that() {
    let ev = NaiveTask { max_power: Some(7400.0), ..adjusts(runs("ev", 3, 1400.0)) };
    let washer = runs("washer", 1, 800.0);
    // Nothing is exported, ev uses 2000 of 7400 and more than 700, and stopping gives 0 + 800 >= 100.
    // toaster beside ev: net stays 0, as washer is not ignored. Ignored, it would have 800 - 200 >= 500.
    let tasks = [ev.clone(), washer.clone(), NaiveTask::idle("toaster", 1, 500.0)];
    let record: &[(&str, f64)] = &[("net", 0.0), ("ev", 2000.0), ("washer", 800.0)];
    check(&tasks, &[record], &["stop washer diminishing_adjustable"]);
    // 100 W are left for ev in both records, half of headroom; 99 W are not.
    let left = |net: f64| -> [(&str, f64); 3] { [("net", -net), ("ev", 2000.0), ("washer", 800.0)] };
    check(&tasks, &[&left(100.0), &left(100.0)], &[]);
    check(&tasks, &[&left(100.0), &left(99.0)], &["stop washer diminishing_adjustable"]);
    // ev uses less than half its power: it is not the washer that holds it up.
    check(&[ev, washer], &[&[("net", 0.0), ("ev", 699.0), ("washer", 800.0)]], &[]);
}

#[test]
fn a_car_that_was_learned_to_be_nearly_full_holds_nobody_up() {
    let tasks = [adjusts(runs("ev", 3, 1400.0)), runs("washer", 1, 800.0)];
    let record = |net: f64, ev: f64| values(&[("net", net), ("ev", ev), ("washer", 800.0)]);
    let mut naive = window(&tasks, &[]);
    naive.update(record(-100.0, 3000.0), &tasks);
    assert_eq!(told(&mut naive, &tasks), [""; 0]);
    assert_eq!(naive.learned, values(&[("ev", 3000.0)]));
    // Nothing is left any more, but 2850 is not less than 95 % of 3000; 2849 is.
    naive.update(record(0.0, 2850.0), &tasks);
    assert_eq!(told(&mut naive.clone(), &tasks), [""; 0]);
    naive.update(record(0.0, 2849.0), &tasks);
    assert_eq!(told(&mut naive.clone(), &tasks), ["stop washer diminishing_adjustable"]);
    // It uses more than was learned, or stops: forgotten.
    naive.update(record(0.0, 3001.0), &tasks);
    assert_eq!(told(&mut naive.clone(), &tasks), ["stop washer diminishing_adjustable"]);
    naive.learn(&tasks);
    assert_eq!(naive.learned, BTreeMap::new());
    naive.learned = values(&[("ev", 3000.0)]);
    naive.learn(&[NaiveTask { running: false, ..tasks[0].clone() }]);
    assert_eq!(naive.learned, BTreeMap::new());
}

#[test]
fn a_more_important_task_takes_the_place_of_as_few_as_it_needs() {
    let tasks = [NaiveTask::idle("boiler", 3, 1000.0), runs("lamp", 1, 600.0), runs("pump", 1, 500.0)];
    let net = |net: f64| -> [(&str, f64); 3] { [("net", net), ("lamp", 600.0), ("pump", 500.0)] };
    // Beside both 200; without pump 200 + 500 = 700; without lamp too 1300. Sparing lamp leaves 700, pump 800.
    let both = ["stop pump lower_priority", "stop lamp lower_priority", "start boiler lower_priority"];
    check(&tasks, &[&net(-200.0)], &both);
    // Without pump 900, without lamp too 1500. Sparing lamp leaves 900; sparing pump 1000: enough.
    check(&tasks, &[&net(-400.0)], &["stop lamp lower_priority", "start boiler lower_priority"]);
    // Without pump 1000: enough.
    check(&tasks, &[&net(-500.0)], &["stop pump lower_priority", "start boiler lower_priority"]);
    // Nothing prevents it.
    check(&tasks, &[&net(-1000.0)], &["start boiler elected"]);
    // 1100 + -101 is not enough: nobody is stopped in vain (both are kept: (500 - 101) / 500 = 0.798).
    check(&tasks, &[&net(101.0)], &[]);
}

#[test]
fn who_shares_a_key_is_replaced_by_the_more_important_only() {
    let quick = with_keys(&["tank"], NaiveTask::idle("quick", 2, 2000.0));
    let slow = with_keys(&["tank"], runs("slow", 2, 1000.0));
    let record: &[(&str, f64)] = &[("net", -1000.0), ("tank", 1000.0)];
    // Without slow 1000 + 1000 are there for quick, which is more important by its power alone.
    check(&[quick.clone(), slow.clone()], &[record], &["stop slow lower_priority", "start quick lower_priority"]);
    // Enough is there, but K can't be stopped.
    check(&[quick.clone(), NaiveTask { stoppable: false, ..slow.clone() }], &[record], &[]);
    check(&[quick.clone(), NaiveTask { reachable: false, ..slow.clone() }], &[record], &[]);
    check(&[quick, NaiveTask { mode: Mode::On, ..slow.clone() }], &[record], &[]);
    // The other way round slow is the less important.
    let small = with_keys(&["tank"], NaiveTask::idle("small", 2, 500.0));
    check(&[small, slow], &[record], &[]);
}

#[test]
fn the_most_important_is_elected_first_and_the_next_keeps_the_headroom() {
    let tasks = [NaiveTask::idle("boiler", 2, 1000.0), NaiveTask::idle("pump", 1, 500.0)];
    // boiler 1700 of 1000. Then pump: 1700 - 1000 - 200 (1 < mean 2) = 500 of 500. One watt less is not enough.
    check(&tasks, &[&[("net", -1700.0)]], &["start boiler elected", "start pump elected"]);
    check(&tasks, &[&[("net", -1699.0)]], &["start boiler elected"]);
    // Of the same priority, pump keeps no headroom.
    let equals = [NaiveTask::idle("boiler", 1, 1000.0), NaiveTask::idle("pump", 1, 500.0)];
    check(&equals, &[&[("net", -1500.0)]], &["start boiler elected", "start pump elected"]);
    // Both newest records must have enough, older ones need not.
    check(&tasks[..1], &[&[("net", -1000.0)], &[("net", -999.0)]], &[]);
    check(&tasks[..1], &[&[("net", 0.0)], &[("net", -1000.0)], &[("net", -1000.0)]], &["start boiler elected"]);
    // Nobody elects what left its starts unanswered.
    check(&[NaiveTask { blocked: true, ..tasks[0].clone() }], &[&[("net", -2000.0)]], &[]);
}

#[test]
fn a_running_task_counts_at_its_power_unless_it_was_idle_through_the_full_window() {
    let tasks = [runs("heater", 1, 2000.0), NaiveTask::idle("pump", 1, 500.0)];
    let sun: &[(&str, f64)] = &[("net", -600.0)];
    // heater uses nothing but may take 2000 again; after three of three records it counts at 0.
    check(&tasks, &[sun, sun], &[]);
    check(&tasks, &[sun, sun, sun], &["start pump elected"]);
}

#[test]
fn a_less_important_adjustable_task_gives_what_is_above_its_minimum() {
    let boiler = NaiveTask::idle("boiler", 2, 1500.0);
    let record: &[(&str, f64)] = &[("net", 0.0), ("ev", 2900.0)];
    // Minimised, ev gives 2900 - 1400 = 1500.
    check(&[boiler.clone(), adjusts(runs("ev", 1, 1400.0))], &[record], &["start boiler elected"]);
    // A more important one gives nothing.
    check(&[boiler, adjusts(runs("ev", 3, 1400.0))], &[record], &[]);
}

#[test]
fn beside_a_higher_adjustable_task_above_its_power_a_plain_one_must_be_covered_whole() {
    let pump = NaiveTask { start: 0.5, ..NaiveTask::idle("pump", 1, 500.0) };
    let tasks = [pump, adjusts(runs("ev", 2, 1400.0))];
    // 699 - 200 (headroom) = 499 of 500, more than the half it asks for.
    check(&tasks, &[&[("net", -699.0), ("ev", 1401.0)]], &[]);
    check(&tasks, &[&[("net", -700.0), ("ev", 1401.0)]], &["start pump elected"]);
    check(&tasks, &[&[("net", -699.0), ("ev", 1400.0)]], &["start pump elected"]);
}

#[test]
fn tasks_in_mode_on_and_unreachable_ones_are_base_load() {
    let pump = NaiveTask::idle("pump", 1, 500.0);
    let on = NaiveTask { mode: Mode::On, ..runs("fan", 4, 300.0) };
    // Made before fan ran: 799 - 300 = 499 of 500; 800 - 300 = 500. It is not in R: no headroom.
    let before = [pump.clone(), NaiveTask { running: false, ..on.clone() }];
    let now = [pump.clone(), on];
    let net = |net: &'static [(&str, f64)]| window(&before, &[net; 2]);
    assert_eq!(told(&mut net(&[("net", -799.0)]), &now), [""; 0]);
    assert_eq!(told(&mut net(&[("net", -800.0)]), &now), ["start pump elected"]);
    // One that ran when the record was made and doesn't any more gives its power back, if it can be heard.
    let gone = NaiveTask { runnable: false, ..NaiveTask::idle("fan", 4, 300.0) };
    let then = [pump.clone(), runs("fan", 4, 300.0)];
    let record: &[(&str, f64)] = &[("net", -200.0), ("fan", 300.0)];
    assert_eq!(told(&mut window(&then, &[record; 2]), &[pump.clone(), gone.clone()]), ["start pump elected"]);
    let away = NaiveTask { reachable: false, ..gone };
    assert_eq!(told(&mut window(&then, &[record; 2]), &[pump, away]), [""; 0]);
}

#[test]
fn a_start_needs_enough_records_of_one_source_and_a_deadline_needs_none() {
    use NaiveSource::{Fallback, Meter};
    let pump = NaiveTask::idle("pump", 1, 500.0);
    let starts = |task: &NaiveTask, sources: &[NaiveSource]| {
        let mut naive = window(&[], &[]);
        for source in sources {
            naive.update_from(*source, values(&[("net", -500.0)]), std::slice::from_ref(task));
        }
        !told(&mut naive, std::slice::from_ref(task)).is_empty()
    };
    for (sources, expect) in [
        (&[Meter][..], false),
        (&[Meter, Meter], true),
        (&[Meter, Meter, Fallback], false),
        (&[Meter, Fallback, Fallback], true),
        (&[Fallback, Fallback, Meter], false),
        (&[Meter, Fallback, Meter], false),
    ] {
        assert_eq!(starts(&pump, sources), expect, "{sources:?}");
    }
    assert!(!starts(&NaiveTask { meets_criteria: Some(true), ..pump.clone() }, &[Meter]));
    assert!(starts(&NaiveTask { deadline: true, ..pump }, &[Meter]));
}

#[test]
fn an_import_takes_what_a_stop_frees_before_it_reaches_the_adjustable_task() {
    let washer = NaiveTask { meets_criteria: Some(true), ..runs("washer", 1, 800.0) };
    let ev = NaiveTask { meets_criteria: Some(true), ..adjusts(runs("ev", 3, 1400.0)) };
    let record = |net: f64| -> [(&str, f64); 3] { [("net", net), ("ev", 2000.0), ("washer", 800.0)] };
    // 800 - 700 is half of headroom; 800 - 701 is not.
    let tasks = [ev, washer];
    check(&tasks, &[&record(700.0)], &["stop washer diminishing_adjustable"]);
    check(&tasks, &[&record(701.0)], &[]);
    // What a less important car draws above its minimum is left for ev, less what is imported: 1600 - 1500, 1600 - 1501.
    let tasks = [
        tasks[0].clone(),
        tasks[1].clone(),
        // It can use no more itself.
        NaiveTask { max_power: Some(2000.0), meets_criteria: Some(true), ..adjusts(runs("bike", 2, 400.0)) },
    ];
    let record =
        |net: f64| -> [(&str, f64); 4] { [("net", net), ("ev", 2000.0), ("washer", 1700.0), ("bike", 2000.0)] };
    check(&tasks, &[&record(1500.0)], &[]);
    check(&tasks, &[&record(1501.0)], &["stop washer diminishing_adjustable"]);
}
