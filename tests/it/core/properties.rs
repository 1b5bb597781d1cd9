//! What holds for every home and every day.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use sunward::core::{Action, Criterion, Decision, Mode, Priority, Rule};
use sunward::units::{Share, Watts};

use super::random_days::{Condition, Step, days};
use super::{Appliance, Home, plain};

/// A cycle as somebody outside sees it.
struct Cycle<'a> {
    appliances: &'a [Appliance],
    step: &'a Step,
    /// Who ran in it: those of the step, or who followed.
    running: Vec<bool>,
    /// How long each has been as it is.
    since_switch: Vec<Duration>,
    decisions: Vec<Decision>,
}

impl Cycle<'_> {
    fn decided(&self, action: Action) -> Vec<usize> {
        let index = |decision: &Decision| {
            self.appliances.iter().position(|appliance| appliance.id == decision.task).expect("it is known")
        };
        self.decisions.iter().filter(|decision| decision.action == action).map(index).collect()
    }
}

/// Runs through the days and asks about every cycle.
fn check(
    appliances: &[Appliance],
    steps: &[Step],
    holds: impl FnMut(&Cycle<'_>) -> Result<(), TestCaseError>,
) -> Result<(), TestCaseError> {
    check_in_modes(appliances, steps, &[], holds)
}

/// With the modes that users have set before.
fn check_in_modes(
    appliances: &[Appliance],
    steps: &[Step],
    modes: &[Mode],
    mut holds: impl FnMut(&Cycle<'_>) -> Result<(), TestCaseError>,
) -> Result<(), TestCaseError> {
    let mut home = Home::new(appliances.to_vec());
    for (appliance, mode) in appliances.iter().zip(modes) {
        let set = sunward::core::Event::Mode(appliance.id.clone(), *mode, None);
        home.scheduler.handle(set, home.now).unwrap();
        while home.scheduler.next_instruction().is_some() {}
    }
    let mut switched: Vec<Option<Duration>> = vec![None; appliances.len()];
    let mut followed = vec![false; appliances.len()];
    let first_seen = home.now.at;
    for step in steps {
        home.wait(60);
        home.log.clear();
        let passed = home.now.at.since(first_seen);
        let mut values = vec![("net".to_owned(), step.net)];
        for (index, condition) in step.conditions.iter().enumerate() {
            let appliance = &mut home.appliances[index];
            let running = if step.follow { followed[index] } else { condition.running };
            if running != appliance.state.running {
                switched[index] = Some(passed);
            }
            values.extend(appliance.registration.keys.iter().map(|key| (key.clone(), condition.usage)));
            let id = appliance.id.clone();
            let available = sunward::core::Event::Availability(id.clone(), Some(condition.reachable));
            home.scheduler.handle(available, home.now).unwrap();
            home.appliances[index].state.running = running;
            home.appliances[index].state.runnable = condition.runnable;
            home.appliances[index].state.stoppable = condition.stoppable;
            let event = sunward::core::Event::State(id, Box::new(home.appliances[index].state.clone()));
            home.scheduler.handle(event, home.now).unwrap();
        }
        let values: Vec<_> = values.iter().map(|(key, value)| (key.as_str(), *value)).collect();
        home.meter(&values);
        let running: Vec<bool> = home.appliances.iter().map(|appliance| appliance.state.running).collect();
        let decisions = home.scheduler.cycle(home.now).decisions;
        followed.clone_from(&running);
        while let Some(instruction) = home.scheduler.next_instruction() {
            let Some(decision) = instruction.decision() else { continue };
            let index = appliances.iter().position(|appliance| appliance.id == decision.task).unwrap();
            followed[index] = decision.action == Action::Start;
        }
        let since_switch =
            switched.iter().map(|switched| passed.saturating_sub(switched.unwrap_or_default())).collect();
        holds(&Cycle { appliances, step, running, since_switch, decisions })?;
    }
    Ok(())
}

/// Its state, else its registration says that it may be stopped, and its `min_on` is over.
fn may_be_stopped(cycle: &Cycle<'_>, index: usize) -> bool {
    let Condition { stoppable, reachable, .. } = cycle.step.conditions[index];
    let registration = &cycle.appliances[index].registration;
    cycle.running[index]
        && reachable
        && stoppable.unwrap_or(registration.interruptible)
        && cycle.since_switch[index] >= registration.min_on
}

/// What could be given to a task that is to be started: export, what ran and doesn't (or is stopped now), and what
/// adjustable tasks take above their `power`.
fn could_be_given(cycle: &Cycle<'_>) -> f64 {
    let stopped = cycle.decided(Action::Stop);
    let mut value_of = std::collections::BTreeMap::new();
    for (appliance, condition) in cycle.appliances.iter().zip(&cycle.step.conditions) {
        // Several tasks on one key: the record holds the last value, or the mean of all.
        for key in &appliance.registration.keys {
            value_of.entry(key.as_str()).or_insert_with(Vec::new).push(condition.usage);
        }
    }
    let mean = |values: &Vec<f64>| values.iter().sum::<f64>() / f64::from(u32::try_from(values.len()).unwrap());
    let mut freed = BTreeSet::new();
    let mut excess = 0.0;
    for (index, appliance) in cycle.appliances.iter().enumerate() {
        let keys = appliance.registration.keys.iter().map(String::as_str);
        if !cycle.running[index] || stopped.contains(&index) {
            freed.extend(keys);
        } else if appliance.registration.auto_adjust {
            excess += (keys.map(|key| mean(&value_of[key])).sum::<f64>() - appliance.registration.power.0).max(0.0);
        }
    }
    Watts(cycle.step.net).export().0 + freed.iter().map(|key| mean(&value_of[key])).sum::<f64>() + excess
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn nobody_is_stopped_who_may_not_be((appliances, steps) in days()) {
        check(&appliances, &steps, |cycle| {
            for index in cycle.decided(Action::Stop) {
                prop_assert!(may_be_stopped(cycle, index), "{:?}", cycle.decisions);
            }
            Ok(())
        })?;
    }

    #[test]
    fn nobody_is_started_who_runs_or_can_not((appliances, steps) in days()) {
        check(&appliances, &steps, |cycle| {
            for index in cycle.decided(Action::Start) {
                let Condition { runnable, reachable, .. } = cycle.step.conditions[index];
                prop_assert!(runnable && reachable && !cycle.running[index], "{:?}", cycle.decisions);
            }
            Ok(())
        })?;
    }

    #[test]
    fn nobody_moves_who_has_a_mode_against_it_and_only_the_mode_moves_it(
        (appliances, steps) in days(),
        modes in prop::collection::vec(prop::sample::select(Mode::ALL.to_vec()), 10),
    ) {
        // What was told before the first cycle stands in its report, whatever has become of it.
        let mut first = true;
        check_in_modes(&appliances, &steps, &modes, |cycle| {
            if std::mem::take(&mut first) {
                return Ok(());
            }
            for decision in &cycle.decisions {
                let index = appliances.iter().position(|appliance| appliance.id == decision.task).unwrap();
                let start = decision.action == Action::Start;
                let against = if start { Mode::Off } else { Mode::On };
                prop_assert_ne!(modes[index], against, "{}", decision);
                prop_assert_eq!(modes[index] == Mode::Auto, decision.rule != Rule::Mode, "{}", decision);
                let Condition { runnable, reachable, .. } = cycle.step.conditions[index];
                let may = if start { runnable && reachable && !cycle.running[index] } else { may_be_stopped(cycle, index) };
                prop_assert!(may, "{}", decision);
            }
            Ok(())
        })?;
    }

    #[test]
    fn two_tasks_on_one_key_are_never_both_started_nor_one_beside_another((appliances, steps) in days()) {
        check(&appliances, &steps, |cycle| {
            let stopped = cycle.decided(Action::Stop);
            let mut holders: Vec<usize> =
                (0..appliances.len()).filter(|index| cycle.running[*index] && !stopped.contains(index)).collect();
            for index in cycle.decided(Action::Start) {
                let keys = &appliances[index].registration.keys;
                let taken = |other: &usize| appliances[*other].registration.keys.iter().any(|key| keys.contains(key));
                prop_assert!(!holders.iter().any(taken), "{:?}", cycle.decisions);
                holders.push(index);
            }
            Ok(())
        })?;
    }

    #[test]
    fn who_is_stopped_in_a_cycle_is_not_started_in_it_and_nobody_is_told_twice((appliances, steps) in days()) {
        check(&appliances, &steps, |cycle| {
            let told: BTreeSet<_> = cycle.decisions.iter().map(|decision| &decision.task).collect();
            prop_assert_eq!(told.len(), cycle.decisions.len(), "{:?}", cycle.decisions);
            Ok(())
        })?;
    }

    #[test]
    fn every_stop_comes_before_the_first_start((appliances, steps) in days()) {
        check(&appliances, &steps, |cycle| {
            let starts = cycle.decisions.iter().map(|decision| decision.action == Action::Start);
            prop_assert!(starts.is_sorted(), "{:?}", cycle.decisions);
            Ok(())
        })?;
    }

    #[test]
    fn the_same_events_give_the_same_decisions((appliances, steps) in days()) {
        let decide = || {
            let mut all = Vec::new();
            check(&appliances, &steps, |cycle| {
                all.push(cycle.decisions.clone());
                Ok(())
            })?;
            Ok::<_, TestCaseError>(all)
        };
        prop_assert_eq!(decide()?, decide()?);
    }

    #[test]
    fn nothing_is_started_when_there_is_nothing_to_give((appliances, steps) in days()) {
        check(&appliances, &steps, |cycle| {
            let started = cycle.decided(Action::Start);
            prop_assert!(started.is_empty() || could_be_given(cycle) > 0.0, "{:?}", cycle.decisions);
            Ok(())
        })?;
    }

    #[test]
    fn a_start_needs_its_share_to_the_watt(power in 200_i32..20_000, percent in 10_i32..200) {
        let needed = f64::from(power) * f64::from(percent) / 100.0;
        for (short, expect) in [(0.0, 1), (1.0, 0), (-1.0, 1)] {
            let mut home = Home::new(vec![plain("task", power.into()).criteria(f64::from(percent) / 100.0, 0.0)]);
            home.steady(&[("net", short - needed)]);
            home.cycle();
            prop_assert_eq!(home.log.len(), expect, "{} W short", short);
        }
    }

    #[test]
    fn a_task_keeps_running_to_the_watt(power in 200_i32..20_000, percent in 1_i32..=100) {
        let allowed = f64::from(power) * f64::from(100 - percent) / 100.0;
        for (over, expect) in [(0.0, 0), (1.0, 1), (-1.0, 0)] {
            let task = plain("task", power.into()).criteria(2.0, f64::from(percent) / 100.0).running();
            let mut home = Home::new(vec![task]);
            home.meter(&[("net", allowed + over), ("task", power.into())]);
            home.cycle();
            prop_assert_eq!(home.log.len(), expect, "{} W over", over);
        }
    }

    /// Between priorities rule 3 and rule 4 may undo one: `tables` has what must settle.
    #[test]
    fn among_equals_a_start_is_not_undone_by_the_next_cycle((appliances, steps) in days(), sun in 0_u32..200) {
        let undone = undone_starts(appliances, &steps[0], f64::from(sun) * 75.0);
        prop_assert!(undone.is_empty(), "{:#?}", undone);
    }
}

/// Which stops, under a constant sun, undo a start of the cycle before. Everybody draws its `power`, every start asks to
/// be covered whole and everything can be stopped: who starts for less, or can't be stopped, takes from others what they
/// reckoned with.
fn undone_starts(mut appliances: Vec<Appliance>, step: &Step, sun: f64) -> Vec<Decision> {
    for (index, appliance) in appliances.iter_mut().enumerate() {
        appliance.registration.keys = vec![format!("k{index}")];
        appliance.registration.priority = Priority::Medium;
        appliance.registration.interruptible = true;
        appliance.registration.criteria.start = Criterion::AtLeast(Share::FULL);
        appliance.state.running = step.conditions[index].running;
        appliance.at_most = appliance.draws;
    }
    let mut home = Home::new(appliances);
    home.sun = sun;
    let mut started = BTreeSet::new();
    let mut undone = Vec::new();
    for _ in 0..40 {
        let decisions = home.minute().decisions;
        let (starts, stops): (Vec<_>, Vec<_>) =
            decisions.into_iter().partition(|decision| decision.action == Action::Start);
        undone.extend(stops.into_iter().filter(|stop| started.contains(&stop.task)));
        started = starts.into_iter().map(|start| start.task).collect();
    }
    undone
}
