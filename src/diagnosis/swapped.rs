//! Whether import and export look swapped: how `net` moves when something else has changed.
//!
//! That is never certain: a battery, or a cloud at the wrong moment, can look the same.

use crate::core::Instant;
use crate::diagnosis::case::Case;
use crate::diagnosis::observation::{Observation, Series};
use crate::units::Watts;

/// Smaller changes are ignored.
const TELLING: Watts = Watts(300.0);

/// How late `net` may show a change.
const LATE: std::time::Duration = std::time::Duration::from_secs(15);

/// Words in the names of keys that measure production.
const PRODUCTION: [&str; 9] = ["solar", "pv", "production", "produced", "inverter", "panel", "roof", "sun", "yield"];

/// Words in the names of keys that may hide or make export.
const BATTERY: [&str; 4] = ["batt", "soc", "storage", "akku"];

/// Returns why import and export look swapped, in words.
pub(crate) fn swapped(case: &Case<'_>) -> Option<String> {
    let observation = case.observation;
    let net = observation.live("net")?;
    started(case, net).or_else(|| moves_with_production(observation, net)).or_else(|| exports_without(case, net))
}

/// A task started, its key rose, and `net` fell.
fn started(case: &Case<'_>, net: &Series) -> Option<String> {
    case.observation.tasks.iter().find_map(|(id, task)| {
        task.switches.iter().find_map(|(at, on)| {
            let change = change(net, *at, case.now.at)?;
            let power = task.power()? * 0.5;
            let wrong = if *on { -change } else { change };
            let others: Vec<Instant> =
                case.observation.tasks.values().flat_map(|task| &task.switches).map(|(at, _)| *at).collect();
            let alone = others.iter().filter(|other| at.since(**other) < LATE && other.since(*at) < LATE).count() == 1;
            (alone && wrong >= power.max(TELLING)).then(|| {
                let (event, did) = if *on { ("started", "fell") } else { ("stopped", "rose") };
                format!("when {id} {event}, `net` {did} by {}", wrong.max(Watts::ZERO))
            })
        })
    })
}

/// `net` before a moment, and the value furthest from it within the time that it has to answer.
fn change(net: &Series, at: Instant, end: Instant) -> Option<Watts> {
    let before = net.power_at(at)?;
    let after = net.powers().filter(|(time, _)| *time > at && *time <= at + LATE && *time <= end);
    after.map(|(_, value)| value - before).reduce(|a, b| if b.abs() > a.abs() { b } else { a })
}

/// `net` rises when production does, and falls when it falls.
fn moves_with_production(observation: &Observation, net: &Series) -> Option<String> {
    production(observation).find_map(|(key, series)| {
        let mut moves = (0_u32, 0_u32);
        for ((before, from), (after, to)) in series.powers().zip(series.powers().skip(1)) {
            let (Some(was), Some(is)) = (net.power_at(before), net.power_at(after)) else { continue };
            let (produced, changed) = (to - from, is - was);
            // The same size, within a third: what else may have changed is small.
            if produced.abs() >= TELLING && (changed.abs() - produced.abs()).abs() <= produced.abs() * 0.34 {
                let same = (produced.0 > 0.0) == (changed.0 > 0.0);
                *if same { &mut moves.0 } else { &mut moves.1 } += 1;
            }
        }
        (moves.0 >= 2 && moves.0 > moves.1 * 3)
            .then(|| format!("`net` rose and fell together with `{key}`, {} times", moves.0))
    })
}

/// More is exported than anything produces.
fn exports_without(case: &Case<'_>, net: &Series) -> Option<String> {
    let observation = case.observation;
    let named = |words: &[&str]| observation.keys.keys().any(|key| is_named(key, words));
    if named(&BATTERY) {
        return None;
    }
    let exported = net.powers().map(|(_, value)| value.export()).reduce(Watts::min)?;
    let produced: Vec<_> = production(observation).collect();
    if exported < TELLING {
        return None;
    }
    if produced.is_empty() {
        let hour = case.now.wall.to_zoned_datetime(case.settings.time_zone.clone()).hour();
        return (!(4..22).contains(&hour))
            .then(|| format!("`net` exports {exported} in the middle of the night, and no battery is measured"));
    }
    let most: Watts =
        produced.iter().filter_map(|(_, series)| series.powers().map(|(_, value)| value).reduce(Watts::max)).sum();
    (exported > most.max(Watts::ZERO) * 1.1 + TELLING).then(|| {
        let names: Vec<_> = produced.iter().map(|(key, _)| format!("`{key}`")).collect();
        format!("`net` exports {exported}, and {} produced no more than {most}", names.join(" and "))
    })
}

fn production(observation: &Observation) -> impl Iterator<Item = (&str, &Series)> {
    let keys = observation.keys.iter().filter(|(key, series)| series.count > 0 && is_named(key, &PRODUCTION));
    keys.map(|(key, series)| (key.as_str(), series))
}

fn is_named(key: &str, words: &[&str]) -> bool {
    let key = key.to_lowercase();
    words.iter().any(|word| key.contains(word))
}
