//! `sunward replay FOLDER`: what `sunward run --record` wrote, lived again.
//!
//! Refuses to connect to anything.

use std::io::{self, BufReader, Write};
use std::path::Path;

use serde_json::json;

use super::files::{open, write};
use crate::config::Config;
use crate::service::{self, Decided, Rerun};
use crate::units::plural;
use crate::wire::report;

/// Prints every decision, and whether they are what was decided when it was recorded. With the settings of the recording,
/// from the beginning of a run, they must be.
///
/// # Errors
/// When a file can't be read, or the same settings decide otherwise than they did.
pub(super) fn rerun(
    path: &Path,
    config: Option<&Config>,
    journal: Option<&Path>,
    mut out: impl Write,
) -> anyhow::Result<()> {
    let files = service::recorded_files(path)?.into_iter().map(|path| {
        let file = open(&path)?;
        Ok((path.display().to_string(), BufReader::new(file)))
    });
    let rerun = service::rerun(files, config)?;
    print(&mut out, &rerun)?;
    if let Some(path) = journal {
        write(path, |out| rerun.decisions.iter().try_for_each(|decided| writeln!(out, "{}", line(decided))))?;
    }
    let difference = rerun.difference();
    for missing in &rerun.missing {
        writeln!(out, "{missing}")?;
    }
    match &difference {
        None if rerun.missing.is_empty() => writeln!(out, "all as when it was recorded")?,
        None => writeln!(out, "what is left is as when it was recorded")?,
        Some(first) => writeln!(out, "{first}")?,
    }
    anyhow::ensure!(
        difference.is_none() || config.is_some() || rerun.cut,
        "the recorded settings decide otherwise than they did: was it recorded by another version?"
    );
    Ok(())
}

fn print(out: &mut impl Write, rerun: &Rerun) -> io::Result<()> {
    for Decided { time, action, task, rule, reason } in &rerun.decisions {
        writeln!(out, "{} {action} {task}: {reason} ({rule})", report::time(*time))?;
    }
    let Rerun { runs, inputs, decisions, recorded, .. } = rerun;
    let (runs, inputs) = (plural(*runs, "run"), plural(*inputs, "input"));
    let (decided, recorded) = (plural(decisions.len(), "decision"), recorded.len());
    writeln!(out, "{runs}, {inputs}: {decided}, {recorded} when it was recorded")
}

fn line(decided: &Decided) -> serde_json::Value {
    let Decided { time, action, task, rule, reason } = decided;
    json!({"time": report::time(*time), "by": "Sunward", "action": action, "task": task, "rule": rule, "reason": reason})
}
