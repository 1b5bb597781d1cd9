//! Deadlines without a record: a task whose deadline is due starts, and takes its keys from less important ones.

use crate::core::directives::directive::Directive;
use crate::core::output::{Action, Rule};
use crate::core::registry::Registry;
use crate::core::settings::Settings;
use crate::core::task::mode::Mode;
use crate::core::time::Now;

/// Adds the starts of tasks whose deadlines are due, and the stops of those that hold their keys.
pub(crate) fn start_for_deadlines(directives: &mut Vec<Directive>, registry: &Registry, settings: &Settings, now: Now) {
    for slot in registry.order().iter().copied() {
        let task = registry.task(slot);
        let could =
            task.deadline_due() && task.mode() == Mode::Auto && !task.running() && task.is_reachable(now.at, settings);
        if !could || !task.runnable(now.at) || task.back_off().is_blocked(now.at) {
            continue;
        }
        let Some(holders) = holders_to_stop(slot, directives, registry, settings, now) else { continue };
        let deadline = task.deadline_in_words(now.at, &settings.time_zone);
        for holder in holders {
            let reason = format!("{} has to run: {deadline}", task.id);
            directives.push(Directive::stop(holder, Rule::LowerPriority, reason));
        }
        directives.push(Directive::start(slot, Rule::Daily, deadline));
    }
}

/// The tasks that have to be stopped before one can run on its keys; none if some can't be.
fn holders_to_stop(
    slot: usize,
    directives: &[Directive],
    registry: &Registry,
    settings: &Settings,
    now: Now,
) -> Option<Vec<usize>> {
    let directed =
        |slot: usize| directives.iter().find(|directive| directive.slot == slot).map(|directive| directive.action);
    let task = registry.task(slot);
    let importance = task.importance();
    let mut holders = Vec::new();
    for other_slot in task.keys.iter().flat_map(|key| registry.owners(*key)).copied() {
        let other = registry.task(other_slot);
        let holds = match directed(other_slot) {
            Some(action) => action == Action::Start,
            None => other.running() || other.mode() == Mode::On,
        };
        if other_slot == slot || !holds || holders.contains(&other_slot) {
            continue;
        }
        let yields = other.mode() == Mode::Auto
            && directed(other_slot).is_none()
            && other.stoppable(now.at)
            && other.is_reachable(now.at, settings)
            && importance.most_first(&other.importance()).is_lt();
        if !yields {
            return None;
        }
        holders.push(other_slot);
    }
    Some(holders)
}
