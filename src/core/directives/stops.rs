//! What a user's `stop_all`, or missing data, stops at once.

use std::time::Duration;

use crate::core::directives::directive::Directive;
use crate::core::output::Rule;
use crate::core::registry::Registry;
use crate::core::settings::Settings;
use crate::core::task::mode::Mode;
use crate::core::task::registration::OnNoData;
use crate::core::task::task::Task;
use crate::core::time::{Now, WholeSeconds};

/// What `stop_all` stops: also the tasks that did not follow it yet.
pub(crate) fn by_stop_all(registry: &Registry, settings: &Settings, now: Now) -> Vec<Directive> {
    stops(Rule::StopAll, "everything is to be stopped", registry, settings, now, Task::awaits_stop_all)
}

/// What missing data stops: the tasks that are not to run without, except those whose deadline is due. `silent`: since the
/// last record.
pub(crate) fn by_missing_data(silent: Duration, registry: &Registry, settings: &Settings, now: Now) -> Vec<Directive> {
    let silent = WholeSeconds(silent);
    let reason = format!("no power record for {silent}, and it is not to run without");
    stops(Rule::NoData, &reason, registry, settings, now, |task| {
        let stops = task.registration().is_some_and(|registration| registration.on_no_data == OnNoData::Stop);
        task.mode() == Mode::Auto && !task.deadline_due() && stops
    })
}

/// Every running, stoppable, reachable task of a kind, outside of the rules of a cycle.
fn stops(
    rule: Rule,
    reason: &str,
    registry: &Registry,
    settings: &Settings,
    now: Now,
    chosen: impl Fn(&Task) -> bool,
) -> Vec<Directive> {
    let stops = registry.tasks().iter().enumerate().filter(|(_, task)| {
        task.running()
            && task.is_registered()
            && task.stoppable(now.at)
            && task.is_reachable(now.at, settings)
            && chosen(task)
    });
    stops.map(|(slot, _)| Directive::stop(slot, rule, reason.to_owned())).collect()
}
