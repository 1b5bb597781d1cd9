//! The files that `sunward replay` writes. What it didn't write itself it never overwrites unasked: a slip of the fingers would
//! cost a configuration. Each is written beside its place and renamed, so that a run that fails leaves the former.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read as _, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::Value;

/// How a file shows that Sunward wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A report: an HTML page with our title.
    Report,
    /// A journal: its first line is a decision.
    Journal,
}

/// Bytes of the begin that are looked at.
const LOOKED_AT: u64 = 4_096;

const DECISION: [&str; 5] = ["time", "by", "action", "rule", "reason"];

/// Checks, before anything is done, that a file may be written.
///
/// # Errors
/// When something else stands there; the message says what to do.
pub(super) fn check(option: &str, path: &Path, kind: Kind, force: bool) -> anyhow::Result<()> {
    if is_stream(path) {
        return Ok(());
    }
    let about = match fs::metadata(path) {
        Ok(about) => about,
        Err(problem) if problem.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(problem) => return Err(problem).with_context(|| format!("{option}: {}", path.display())),
    };
    anyhow::ensure!(!about.is_dir(), "{option}: {} is a folder, expected a file", path.display());
    let is_ours = || begin(path).is_ok_and(|begin| is_of(kind, &begin));
    if about.len() == 0 || force || is_ours() {
        return Ok(());
    }
    anyhow::bail!(
        "{option}: {} exists, and is nothing that this option has written: expected a new file, or --force to overwrite it",
        path.display()
    )
}

/// Returns the one name of a file that has many, also of one that is not there yet.
pub(super) fn place(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let beside = || Some(fs::canonicalize(folder).ok()?.join(path.file_name()?));
    fs::canonicalize(path).ok().or_else(beside).unwrap_or_else(|| path.to_path_buf())
}

fn begin(path: &Path) -> io::Result<String> {
    let mut begin = Vec::new();
    File::open(path)?.take(LOOKED_AT).read_to_end(&mut begin)?;
    Ok(String::from_utf8_lossy(&begin).into_owned())
}

fn is_of(kind: Kind, begin: &str) -> bool {
    match kind {
        Kind::Report => begin.starts_with("<!DOCTYPE html>") && begin.contains("<title>Sunward replay</title>"),
        Kind::Journal => {
            let first = begin.lines().next().and_then(|line| serde_json::from_str::<Value>(line).ok());
            first.is_some_and(|line| DECISION.iter().all(|key| line.get(key).is_some_and(Value::is_string)))
        }
    }
}

/// Writes a file; [`check`] is asked again, in case something has come there since.
///
/// # Errors
/// When it can't be written, or mustn't; the message names it.
pub(super) fn write(
    option: &str,
    path: &Path,
    kind: Kind,
    force: bool,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> anyhow::Result<()> {
    check(option, path, kind, force)?;
    let outcome = if is_stream(path) { into_stream(path, write) } else { beside(path, write) };
    outcome.with_context(|| path.display().to_string())
}

/// What has no place beside it, and must not be replaced: pipes, terminals, and `/dev/stdout`, whatever that leads to.
fn is_stream(path: &Path) -> bool {
    let named = ["/dev", "/proc"].iter().any(|folder| path.starts_with(folder));
    named || fs::metadata(path).is_ok_and(|about| !about.is_file() && !about.is_dir())
}

fn into_stream(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    // Where it leads to a file, what was printed there stays.
    let mut file = BufWriter::new(OpenOptions::new().append(true).open(path)?);
    write(&mut file)?;
    file.flush()
}

fn beside(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    // A link stays one, and what it leads to is written.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let before = fs::metadata(&path).ok();
    let (beside, file) = temporary(&path)?;
    let written = (|| {
        let mut file = BufWriter::new(file);
        write(&mut file)?;
        file.flush()?;
        if let Some(before) = &before {
            fs::set_permissions(&beside, before.permissions())?;
        }
        fs::rename(&beside, &path)
    })();
    if written.is_err() {
        // Half a report is of no use.
        let _ = fs::remove_file(&beside);
    }
    written
}

/// A new file beside another.
fn temporary(path: &Path) -> io::Result<(PathBuf, File)> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    for number in 0..100 {
        let beside = path.with_file_name(format!(".{name}.{}-{number}.tmp", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&beside) {
            Ok(file) => return Ok((beside, file)),
            Err(problem) if problem.kind() == io::ErrorKind::AlreadyExists => {}
            Err(problem) => return Err(problem),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "there are a hundred unfinished files beside it"))
}
