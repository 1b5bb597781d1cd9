//! `sunward status`, `pause`, `resume`, `stop-all`, `schedule`: talk to a scheduler that runs somewhere, over its broker.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use anyhow::bail;
use jiff::tz::TimeZone;

use crate::client::{NotReady, Order, SchedulerClient, TaskId};
use crate::config::Setup;
use crate::core::{Activity, Status};
use crate::text::Escaped;
use crate::wire::report::{Parsed, SchedulerState, TaskReport, Word};

/// The broker has so long to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Prints what the scheduler does and how it sees its tasks, as a table.
///
/// # Errors
/// When the broker doesn't answer, or no scheduler is there.
pub async fn status(setup: Setup, out: impl Write) -> anyhow::Result<()> {
    let zone = setup.settings.time_zone.clone();
    let scheduler = connect(setup).await?;
    let (state, reports) = (scheduler.state().unwrap_or_default(), scheduler.reports());
    // Everything was read already: how the connection ends doesn't matter.
    let _ = scheduler.close().await;
    Ok(print(out, &state, &reports, zone)?)
}

/// Gives the scheduler one order.
///
/// # Errors
/// When the broker doesn't answer or confirm, or no scheduler is there to obey.
pub async fn give(setup: Setup, order: Order) -> anyhow::Result<()> {
    let scheduler = connect(setup).await?;
    scheduler.order(order)?;
    Ok(scheduler.close().await?)
}

/// The scheduler, if it is online.
async fn connect(setup: Setup) -> anyhow::Result<SchedulerClient> {
    let Setup { config, topics, connection, .. } = setup;
    let url = config.mqtt.url.unwrap_or_else(|| format!("mqtt://{}", connection.broker()));
    let mut scheduler = SchedulerClient::connect_with(topics, connection)?;
    if let Err(NotReady { reason }) = scheduler.ready(PATIENCE).await {
        match reason {
            // It begins with the broker's address.
            Some(reason) => bail!("can't connect to {reason}"),
            None => bail!("the broker at {url} does not answer"),
        }
    }
    if !scheduler.is_online() {
        bail!("no scheduler is online at {url} (topic {}/scheduler/availability)", config.mqtt.base_topic);
    }
    Ok(scheduler)
}

fn print(
    mut out: impl Write,
    state: &SchedulerState,
    reports: &BTreeMap<TaskId, TaskReport>,
    zone: TimeZone,
) -> io::Result<()> {
    let activity = match state.state.value() {
        Some(Activity::NoData) => "without power data".to_owned(),
        _ => text(&state.state),
    };
    // As a clock on the wall shows it, like the times in the reasons below.
    let since = match state.since.value() {
        Some(since) => since.to_zoned_datetime(zone).strftime("%Y-%m-%d %H:%M").to_string(),
        None => text(&state.since),
    };
    writeln!(out, "Sunward is {activity} since {since}")?;
    for warning in &state.warnings {
        writeln!(out, "warning: {}", Escaped(warning))?;
    }
    if reports.is_empty() {
        return writeln!(out, "no task has registered yet");
    }
    let width = reports.keys().map(|id| id.as_str().len()).max().unwrap_or_default().max(4);
    writeln!(out, "{:width$}  {:11}  {:>8}  {:>5}  {:8}  why", "task", "status", "power", "ratio", "priority")?;
    for (id, report) in reports {
        let (status, priority) = (text(&report.status), text(&report.priority));
        let power = format!("{} W", report.power.0);
        let ratio = report.ratio.map_or_else(|| "-".into(), |ratio| ratio.to_string());
        // It quotes criteria and states, which may be of several lines.
        let why = match &report.error {
            Some(error) if report.status.value() == Some(Status::Invalid) => format!("refused: {error}"),
            Some(error) => format!("{} (refused: {error})", report.reason),
            None => report.reason.clone(),
        };
        writeln!(out, "{id:width$}  {status:11}  {power:>8}  {ratio:>5}  {priority:8}  {}", Escaped(&why))?;
    }
    Ok(())
}

/// As it stands on the wire; `-` if it was absent.
fn text<T: Word>(value: &Parsed<T>) -> String {
    let text = value.text();
    if text.is_empty() { "-".to_owned() } else { Escaped(&text).to_string() }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn the_first_line_says_in_words_and_local_time_how_sunward_is() {
        let check = |state: &Value, expect: &str| {
            let mut out = Vec::new();
            let state = serde_json::from_value(state.clone()).unwrap();
            print(&mut out, &state, &BTreeMap::new(), TimeZone::get("Europe/Berlin").unwrap()).unwrap();
            assert_eq!(String::from_utf8(out).unwrap().lines().next(), Some(expect));
        };
        let state = |word: &str| json!({"state": word, "since": "2026-06-21T22:30:00.004Z"});
        check(&state("active"), "Sunward is active since 2026-06-22 00:30");
        check(&state("paused"), "Sunward is paused since 2026-06-22 00:30");
        check(&state("no_data"), "Sunward is without power data since 2026-06-22 00:30");
        // Of another version, or of nobody yet.
        check(&json!({"state": "odd", "since": "then"}), "Sunward is odd since then");
        check(&json!({}), "Sunward is - since -");
    }
}
