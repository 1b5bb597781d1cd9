//! `sunward replay FOLDER`: what `sunward run --record` wrote, lived again.
//!
//! Refuses to connect to anything.

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::Path;

use anyhow::Context as _;
use serde_json::json;

use super::replay::write;
use crate::bridge::{self, Decided, Rerun};
use crate::config::Config;
use crate::report;

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
    let files = bridge::recorded_files(path)?.into_iter().map(|path| {
        let name = path.display().to_string();
        let file = File::open(&path).with_context(|| name.clone())?;
        Ok((name, BufReader::new(file)))
    });
    let rerun = bridge::rerun(files, config)?;
    print(&mut out, &rerun)?;
    if let Some(path) = journal {
        write(path, |out| rerun.decisions.iter().try_for_each(|decided| writeln!(out, "{}", line(decided))))?;
    }
    let difference = rerun.difference();
    match &difference {
        None => writeln!(out, "all as when it was recorded")?,
        Some(first) => writeln!(out, "{first}")?,
    }
    if rerun.cut {
        writeln!(out, "the first file begins in the middle of a run: what it was decided on before is not in it")?;
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
    let (decided, recorded) = (decisions.len(), recorded.len());
    let s = |count: usize| if count == 1 { "" } else { "s" };
    let (of_runs, of_inputs, of_decided) = (s(*runs), s(*inputs), s(decided));
    write!(out, "{runs} run{of_runs}, {inputs} input{of_inputs}: ")?;
    writeln!(out, "{decided} decision{of_decided}, {recorded} when it was recorded")
}

fn line(decided: &Decided) -> serde_json::Value {
    let Decided { time, action, task, rule, reason } = decided;
    json!({"time": report::time(*time), "by": "Sunward", "action": action, "task": task, "rule": rule, "reason": reason})
}
