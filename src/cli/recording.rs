//! `sunward replay FOLDER`: what `sunward run --record` wrote, played again. It connects to nothing.

use std::io::{self, BufReader, Write};
use std::path::Path;

use serde_json::json;

use super::files::open;
use super::output_file::{Kind, write};
use crate::config::Config;
use crate::service::{self, Playback, PlayedDecision};
use crate::units::plural;
use crate::wire::report;

/// Prints every decision, and whether decisions and all other outputs are what they were when it was recorded. With the
/// settings of the recording, from the beginning of a run, they must be.
///
/// # Errors
/// When a file can't be read, or the same settings lead to other outputs than they did.
pub(super) fn play(
    path: &Path,
    config: Option<&Config>,
    journal: Option<&Path>,
    force: bool,
    mut out: impl Write,
) -> anyhow::Result<()> {
    let files = service::recorded_files(path)?.into_iter().map(|path| {
        let file = open(&path)?;
        Ok((path.display().to_string(), BufReader::new(file)))
    });
    let playback = service::play(files, config)?;
    print(&mut out, &playback)?;
    if let Some(path) = journal {
        write("--journal", path, Kind::Journal, force, |out| {
            playback.decisions.iter().try_for_each(|decided| writeln!(out, "{}", line(decided)))
        })?;
    }
    let difference = playback.difference();
    for missing in &playback.missing {
        writeln!(out, "{missing}")?;
    }
    if let Some(why) = &playback.not_compared {
        writeln!(out, "{why}")?;
    }
    match &difference {
        None if playback.missing.is_empty() => writeln!(out, "all as when it was recorded")?,
        None => writeln!(out, "what is left is as when it was recorded")?,
        Some(first) => writeln!(out, "{first}")?,
    }
    anyhow::ensure!(
        difference.is_none() || config.is_some() || playback.cut,
        "the recorded settings lead to something else than they did: was it recorded by another version?"
    );
    Ok(())
}

fn print(out: &mut impl Write, playback: &Playback) -> io::Result<()> {
    for PlayedDecision { time, action, task, rule, reason } in &playback.decisions {
        writeln!(out, "{} {action} {task}: {reason} ({rule})", report::time(*time))?;
    }
    let Playback { runs, inputs, decisions, recorded, .. } = playback;
    let (runs, inputs) = (plural(*runs, "run"), plural(*inputs, "input"));
    let (decided, recorded) = (plural(decisions.len(), "decision"), recorded.len());
    writeln!(out, "{runs}, {inputs}: {decided}, {recorded} when it was recorded")
}

fn line(decided: &PlayedDecision) -> serde_json::Value {
    let PlayedDecision { time, action, task, rule, reason } = decided;
    json!({"time": report::time(*time), "by": "Sunward", "action": action, "task": task, "rule": rule, "reason": reason})
}
