//! The problems that have shown, in plain words and with what to do about them.

use std::time::Duration;

use humantime::format_duration;

use crate::diagnosis::case::Case;
use crate::diagnosis::observation::{ObservedTask, ObservedTopic, Series};
use crate::diagnosis::swapped::swapped;
use crate::units::Watts;

/// A circuit with less power is idle, whatever it feeds.
const IDLE: Watts = Watts(20.0);

/// How long a task may take to show in its key that it started: plugs report now and then.
const SHOWS_WITHIN: Duration = Duration::from_secs(10);

/// Returns all problems, the worst first.
pub(crate) fn all(case: &Case<'_>) -> Vec<String> {
    let mut problems: Vec<String> = case.observation.refused.iter().map(|what| format!("{what}.")).collect();
    problems.extend(net(case));
    problems.extend(case.observation.topics.iter().filter_map(without_values));
    problems.extend(case.observation.rejections.iter().filter(|(from, _)| !is_covered(case, from)).map(
        |(from, (why, times))| {
            let times = if *times == 1 { String::new() } else { format!(" ({times} times)") };
            format!("{from}: {why}{times}.")
        },
    ));
    problems.extend(case.observation.missing.iter().map(|what| format!("{what}.")));
    problems.extend(swapped(case).map(|why| {
        format!(
            "Import and export look swapped: {why}. `net` is positive while power is bought. If they are, set scale = -1 at \
             the sensor of `net`, or turn the meter's clamp around."
        )
    }));
    problems.extend(slow(case));
    for (id, task) in &case.observation.tasks {
        problems.extend(task_problems(case, task).into_iter().map(|why| format!("task {id}: {why}")));
    }
    problems
}

/// Returns what the time was too short to find out.
pub(crate) fn unknown(case: &Case<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    let once: Vec<_> = case
        .observation
        .keys
        .iter()
        .filter(|(_, series)| series.count == 1)
        .map(|(key, _)| format!("`{key}`"))
        .collect();
    if !once.is_empty() {
        let time = format_duration(case.settings.max_record_gap.max(case.settings.expire_after) * 2);
        notes.push(format!(
            "{} came once: whether that is often enough shows with --listen {}.",
            once.join(", "),
            time.to_string().replace(' ', ""),
        ));
    }
    let kept = |(key, series): (&String, &Series)| {
        (series.count == 0 && series.retained.is_some() && key != "net").then(|| format!("`{key}`"))
    };
    let kept: Vec<_> = case.observation.keys.iter().filter_map(kept).collect();
    if !kept.is_empty() {
        notes.push(format!(
            "{} came only as the broker had kept it. Of what is older than the start Sunward knows no age: it counts as \
             unmeasured until a new value comes.",
            kept.join(", "),
        ));
    }
    if case.observation.tasks.is_empty() {
        notes.push("No task has registered, and the configuration has no [[task]].".into());
    } else if case.observation.tasks.values().all(|task| task.switches.is_empty()) {
        notes.push("No task started or stopped. Switch one by hand while this listens: it shows whether its key and `net` move.".into());
    }
    notes
}

/// Without `net` nothing is ever decided.
fn net(case: &Case<'_>) -> Option<String> {
    let (observation, power) = (case.observation, case.power);
    match observation.keys.get("net") {
        Some(series) if series.count > 0 => None,
        Some(series) if series.retained.is_some() => Some(format!(
            "`net` came only as a message that the broker had kept ({}). Nobody knows how old it is, so nothing is decided by \
             it: publish it again and again, not retained.",
            series.from
        )),
        Some(series) => Some(format!("`net` never came ({}), and without it nothing is ever decided.", series.from)),
        None if observation.without_net => Some(format!(
            "The records on {power} have no `net`, and without it nothing is ever decided: rename the key of the meter, or \
             derive it, [power.derived] net = \"…\"."
        )),
        None => Some(format!(
            "Nothing measures `net`, and without it nothing is ever decided: publish records on {power}, or describe the \
             meter as [[power.sensor]] with key = \"net\". If records are published there, the broker keeps this user from \
             reading them: compare its ACL, Mosquitto grants every subscription."
        )),
    }
}

fn without_values(topic: &ObservedTopic) -> Option<String> {
    let ObservedTopic { name, filter, live, retained, values, absent, failed, sample } = topic;
    let messages = live + retained;
    if messages == 0 {
        return Some(format!(
            "{name}: nothing was published on {filter}. Compare it with what mosquitto_sub -v -t '#' shows; the broker may \
             also keep this user from reading it."
        ));
    }
    let is_sensor = name.starts_with("power.");
    if !is_sensor || *values > 0 {
        return None;
    }
    let why = failed.as_ref().or(absent.as_ref())?;
    let what = if messages == 1 { "the only message".into() } else { format!("none of {messages} messages") };
    let had = if messages == 1 { "had no value" } else { "had a value" };
    Some(format!("{name}: {what} on {filter} {had}: {why}. Is its value_template right? The last message was {sample}"))
}

/// Returns whether the problem of a topic already says why its messages can't be read.
fn is_covered(case: &Case<'_>, from: &str) -> bool {
    case.observation
        .topics
        .iter()
        .any(|source| source.values == 0 && source.failed.is_some() && crate::wire::topic::covers(&source.filter, from))
}

fn slow(case: &Case<'_>) -> Vec<String> {
    let mut problems = Vec::new();
    let gap_allowed = case.settings.max_record_gap;
    for (key, series) in &case.observation.keys {
        let Some(gap) = series.longest_gap(case.now.at) else { continue };
        let seconds = format_duration(Duration::from_secs(gap.as_secs()));
        if key == "net" && gap > gap_allowed {
            problems.push(format!(
                "`net` was silent for {seconds}, scheduler.max_record_gap is {}: whatever runs will be stopped for want of \
                 data. Have the meter report more often, or allow more than twice its interval.",
                format_duration(gap_allowed),
            ));
        } else if let Some(expires) = series.expires.filter(|expires| gap > *expires) {
            problems.push(format!(
                "`{key}` was silent for {seconds}, its expire_after is {}: in between it counts as unmeasured. Have it \
                 report more often, or let it count for more than twice its interval.",
                format_duration(expires),
            ));
        }
    }
    problems
}

fn task_problems(case: &Case<'_>, task: &ObservedTask) -> Vec<String> {
    let Some(registration) = &task.registration else {
        return vec![match &task.error {
            Some(error) => format!("its registration was refused: {error}."),
            None => {
                "it tells its state and never registered: is its config retained, and may this user read it?".into()
            }
        }];
    };
    // For a configured device the rejection of its topic says it already.
    let refused = task.error.as_ref().filter(|_| !registration.configured);
    let mut problems: Vec<String> =
        refused.map(|error| format!("what it says was refused: {error}.")).into_iter().collect();
    if task.running.is_none() && task.error.is_none() && !registration.configured {
        problems.push("it registered and told no state, and is left alone until it does: publish ON or OFF, retained, on its state topic.".into());
    }
    for key in task.keys() {
        let close = || {
            let names = case.observation.keys.keys().map(|name| (strsim::jaro_winkler(name, key), name));
            names.filter(|(alike, _)| *alike > 0.8).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
        };
        if !case.observation.keys.contains_key(key) {
            let hint = close().map_or_else(String::new, |name| format!(" Did you mean `{name}`?"));
            problems.push(format!("nothing measures its key `{key}`: its declared power stands in for it.{hint}"));
        }
    }
    problems.extend(still(case, task));
    problems
}

/// Returns the problem of a task whose keys contradict its state.
fn still(case: &Case<'_>, task: &ObservedTask) -> Option<String> {
    let (running, power) = (task.running?, task.power()?);
    let [first, ..] = task.keys() else { return None };
    let mut used = Watts::ZERO;
    for key in task.keys() {
        let (at, value) = case.observation.live(key)?.last()?;
        // Only what was measured after it had time to show.
        if at < task.since + SHOWS_WITHIN {
            return None;
        }
        used += value.watts();
    }
    let names: Vec<_> = task.keys().iter().map(|key| format!("`{key}`")).collect();
    let names = names.join(" + ");
    let event = if task.switches.is_empty() { "it says that it runs" } else { "it started" };
    if running && (used * 1000.0 - power).abs() < power * 0.4 {
        return Some(format!(
            "{event}, and {names} is {:.2}: that looks like kilowatts, unit_of_measurement = \"kW\".",
            used.0
        ));
    }
    if running && used < IDLE.max(power * 0.05) {
        return Some(format!(
            "{event}, and {names} stays at {used}: is `{first}` the circuit that it hangs on, and does its appliance take \
             power now?"
        ));
    }
    if !running && used > power * 0.5 && used > IDLE {
        return Some(format!(
            "it says that it doesn't run, and {names} is {used}: is `{first}` the circuit that it hangs on?"
        ));
    }
    None
}
