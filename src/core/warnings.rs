//! Standing problems with the data, in plain words.

use jiff::SignedDuration;

use crate::core::meter::meter::Meter;
use crate::core::meter::source::Source;
use crate::core::registry::Registry;
use crate::core::settings::Settings;
use crate::core::task::task::Task;
use crate::core::time::{Now, WholeSeconds, local};

/// So many of a kind are named: shared keys, the tasks of each, tasks that are not as they say.
const MOST_TOLD: usize = 10;

/// What is wrong with the data: a meter that is silent, slow or frozen, slow sensors, keys that nothing measures.
pub(crate) fn warnings(meter: &Meter, registry: &Registry, settings: &Settings, now: Now) -> Vec<String> {
    let mut warnings = Vec::new();
    let (gap, time_zone) = (settings.max_record_gap, &settings.time_zone);
    if meter.is_meter_silent(gap, now.at) {
        let since = local(meter.last_meter_arrived(), time_zone);
        warnings.push(format!("no power record from the meter since {since}"));
    }
    let values = meter.intake(Source::Meter);
    if let Some(interval) = values.interval(meter.net()).filter(|interval| *interval > gap) {
        warnings.push(format!(
            "the meter is slow: `net` came {} after the one before, scheduler.max_record_gap is {}",
            WholeSeconds(interval),
            WholeSeconds(gap),
        ));
    }
    // A record may bring what nobody uses; a sensor was configured because somebody does.
    for key in values.slow_keys().filter(|key| !registry.owners(*key).is_empty() || values.is_sensed(*key)) {
        if let Some((interval, limit)) = values.slow(key) {
            let (key, interval, of) = (meter.keys.name(key), WholeSeconds(interval), WholeSeconds(limit));
            let limit = if limit == settings.expire_after { "power.expire_after" } else { "its expire_after" };
            warnings.push(format!("`{key}` is slow: it came {interval} after the one before, {limit} is {of}"));
        }
    }
    warnings.extend(shared_keys(meter, registry));
    warnings.extend(doubted(registry));
    if let Some((value, unchanged)) = values.frozen(meter.net(), now.at) {
        let since = now.wall.saturating_sub(SignedDuration::try_from(unchanged).unwrap_or(SignedDuration::ZERO));
        let since = local(since.unwrap_or(now.wall), time_zone);
        warnings.push(format!("the meter looks frozen: `net` has been exactly {value} since {since}"));
    }
    let unmeasured = registry.unmeasured().iter().map(|slot| registry.task(*slot));
    let before = warnings.len();
    warnings.extend(unmeasured.flat_map(|task| never_measured(task, meter, settings, now)));
    debug_assert!(
        registry
            .tasks()
            .iter()
            .flat_map(|task| never_measured(task, meter, settings, now))
            .eq(warnings[before..].to_vec()),
        "a task with an unmeasured key was not noted"
    );
    warnings
}

/// Keys that several tasks have: of one home's plugs that may be meant, of a plug that says what somebody else wants it is
/// theft. Tasks of the configuration are meant.
fn shared_keys(meter: &Meter, registry: &Registry) -> Vec<String> {
    let shared = registry
        .owned_keys()
        .filter(|(_, owners)| owners.len() > 1 && !owners.iter().all(|slot| registry.task(*slot).is_configured()));
    let mut shared: Vec<_> = shared.map(|(key, owners)| (meter.keys.name(key), owners)).collect();
    shared.sort_unstable();
    let more = shared.len().saturating_sub(MOST_TOLD);
    let mut told: Vec<String> = shared.into_iter().take(MOST_TOLD).map(|(key, owners)| {
        let mut names: Vec<String> = owners.iter().map(|slot| registry.task(*slot).in_words()).collect();
        names.sort_unstable();
        let others = names.len().saturating_sub(MOST_TOLD);
        names.truncate(MOST_TOLD);
        let others = if others > 0 { format!(" and {others} more") } else { String::new() };
        format!(
            "several tasks have the key `{key}`: {}{others}; one keeps the others from running. If that is not meant, \
             scheduler.exclusive_keys = true refuses whoever comes later",
            names.join(", ")
        )
    }).collect();
    if more > 0 {
        told.push(format!("{more} more keys have several tasks"));
    }
    told
}

/// Tasks whose words others don't count on any more.
fn doubted(registry: &Registry) -> Vec<String> {
    let running = registry.known().filter(|task| task.is_registered() && task.running());
    let mut told: Vec<_> = running.filter_map(|task| Some((&task.id, doubt(task)?))).collect();
    told.sort_unstable();
    let more = told.len().saturating_sub(MOST_TOLD);
    let mut told: Vec<String> = told.into_iter().take(MOST_TOLD).map(|(_, doubt)| doubt).collect();
    if more > 0 {
        told.push(format!("{more} more tasks are not as they say"));
    }
    told
}

fn doubt(task: &Task) -> Option<String> {
    let (name, power, doubts) = (task.in_words(), task.power(), &task.doubts);
    if doubts.is_deaf() {
        Some(format!(
            "task {name} runs on, or again, whenever it is told to stop: the others don't wait for it any more. Is its \
             relay stuck, or does something else switch it?"
        ))
    } else if doubts.is_claim_doubted() {
        Some(format!(
            "task {name} says that it uses power, and the meter doesn't show it: the others don't count on what it says. \
             A key that is measured would settle it"
        ))
    } else {
        doubts.most_below_power().map(|most| {
            format!(
                "task {name} has run for an hour and used {most} at most, its `power` says {power}: no more is held for it"
            )
        })
    }
}

/// The keys of a task that runs long enough to show in them, and never did: names that nobody measures under.
fn never_measured<'a>(
    task: &'a Task,
    meter: &'a Meter,
    settings: &Settings,
    now: Now,
) -> impl Iterator<Item = String> + use<'a> {
    let seen = now.at.since(task.history().seen_since());
    let shows = !task.key_names().is_empty()
        && task.running()
        && task.is_reachable(now.at, settings)
        && seen > settings.expire_after;
    let values = meter.intake(Source::Meter);
    let keys = task.keys.iter().filter(move |key| shows && values.has_heard(meter.net()) && !values.has_heard(**key));
    keys.map(|key| {
        let key = meter.keys.name(*key);
        format!("task {}: nothing has measured its key `{key}`: its declared power stands in for it", task.id)
    })
}
