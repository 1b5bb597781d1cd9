//! What modes and guards ask for, whatever the rules say.

use crate::core::directives::directive::Directive;
use crate::core::output::Rule;
use crate::core::registry::Registry;
use crate::core::settings::Settings;
use crate::core::task::mode::Mode;
use crate::core::task::task::Task;
use crate::core::time::{Now, WholeSeconds};

/// What modes and guards ask for, one directive for each task at most, the most important task first. A task that is
/// finished is settled, and begins to rest.
pub(crate) fn by_modes_and_guards(registry: &mut Registry, settings: &Settings, now: Now) -> Vec<Directive> {
    let mut directives = Vec::new();
    for place in 0..registry.order().len() {
        let slot = registry.order()[place];
        let finished = stop_if_finished(slot, registry.task_mut(slot), settings, now);
        let task = registry.task(slot);
        let directive = finished
            .or_else(|| by_mode(slot, task, settings, now))
            .or_else(|| stop_if_exhausted(slot, task, settings, now));
        directives.extend(directive);
    }
    directives
}

/// What a task's mode asks for.
pub(crate) fn by_mode(slot: usize, task: &Task, settings: &Settings, now: Now) -> Option<Directive> {
    if task.mode() == Mode::Auto || !task.is_reachable(now.at, settings) {
        return None;
    }
    let reason = || task.mode_in_words(&settings.time_zone);
    match task.mode() {
        Mode::On if !task.running() && task.runnable(now.at) => Some(Directive::start(slot, Rule::Mode, reason())),
        Mode::Off if task.running() && task.stoppable(now.at) => Some(Directive::stop(slot, Rule::Mode, reason())),
        _ => None,
    }
}

/// Stops a task that is finished, settles what it owed, and sends it to rest.
fn stop_if_finished(slot: usize, task: &mut Task, settings: &Settings, now: Now) -> Option<Directive> {
    let finished = task.finished().copied().filter(|_| task.is_finished(now.at) && task.mode() != Mode::On)?;
    if !task.is_reachable(now.at, settings) {
        return None;
    }
    task.settle(finished.rest, now);
    let (below, lasting) = (finished.below, WholeSeconds(finished.lasting));
    let reason = format!("it is done: it used less than {below} for {lasting}");
    task.stoppable(now.at).then(|| Directive::stop(slot, Rule::Finished, reason))
}

/// Stops a task that ran as long as it may.
fn stop_if_exhausted(slot: usize, task: &Task, settings: &Settings, now: Now) -> Option<Directive> {
    let is = task.is_exhausted(now.at) && task.mode() == Mode::Auto && task.running();
    let can = is && task.stoppable(now.at) && task.is_reachable(now.at, settings);
    can.then(|| Directive::stop(slot, Rule::Daily, task.maximum_in_words(now.at, &settings.time_zone)))
}
