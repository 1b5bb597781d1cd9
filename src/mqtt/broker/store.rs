//! The retained messages on disk: read once, at the start, as far as they have room; written behind the broker's back.
//!
//! The disk is trusted with nothing. What is damaged, too large or too slow is set aside with its folder, and what was read
//! begins a new one. A disk that can't be written to is said, tried again, and waited for by nobody.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::limits::Limits;
use super::message::Message;
use super::retained::Retained;
use super::stored;

/// Reading may take so long.
const PATIENCE: Duration = Duration::from_secs(10);

/// Files that are looked at.
const MOST_FILES: usize = 50_000;

/// A byte is up to four characters and a comma in a file.
const EXPANSION: u64 = 6;

const SUFFIX: &str = "json";

/// A folder that is written to.
#[derive(Debug, Clone)]
pub(super) struct Store {
    folder: PathBuf,
    writing: Arc<Mutex<()>>,
}

/// What came of reading.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) retained: Retained,
    /// None where nothing can be written.
    pub(super) store: Option<Store>,
}

/// One file that could be a message.
struct Candidate {
    path: PathBuf,
    preferred: bool,
    written: SystemTime,
    size: u64,
}

/// What was read, and what was not.
#[derive(Debug, Default)]
struct Left {
    damaged: usize,
    without_room: usize,
    too_late: usize,
}

/// Reads what has room. Topics that begin with one of `preferred` come first, then the newest. Blocks.
pub(super) fn open(base: &Path, limits: &Limits, preferred: &[String]) -> Opened {
    let folder = base.join("retained");
    let mut retained = Retained::default();
    let mut left = Left::default();
    match candidates(&folder, preferred, &mut left) {
        Ok(candidates) => read_all(candidates, limits, &mut retained, &mut left),
        Err(problem) if problem.kind() == io::ErrorKind::NotFound => {}
        Err(problem) => {
            tracing::warn!("broker.storage: cannot read {}: {problem}", folder.display());
            left.damaged += 1;
        }
    }
    let anew = left.damaged + left.without_room + left.too_late > 0;
    match prepare(base, &folder, anew.then_some(&left)) {
        Ok(()) => {
            retained.note_changes();
            if anew {
                retained.all_unsaved();
            }
            Opened { retained, store: Some(Store { folder, writing: Arc::default() }) }
        }
        Err(problem) => {
            tracing::error!(
                "broker.storage: cannot write to {}: {problem}. The embedded broker goes on in memory: retained messages \
                 will be gone with the program",
                base.display()
            );
            Opened { retained, store: None }
        }
    }
}

fn candidates(folder: &Path, preferred: &[String], left: &mut Left) -> io::Result<Vec<Candidate>> {
    let preferred: Vec<String> =
        preferred.iter().map(|topic| stored::file_name(topic).trim_end_matches(".json").to_owned()).collect();
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let Ok(entry) = entry else { continue };
        let path = entry.path();
        if path.extension().is_none_or(|suffix| suffix != SUFFIX) {
            continue;
        }
        if found.len() >= MOST_FILES {
            left.without_room += 1;
            break;
        }
        // Neither a pipe, which never ends, nor what a link points to.
        let Ok(about) = entry.metadata() else { continue };
        if !about.is_file() {
            left.damaged += 1;
            continue;
        }
        let name = entry.file_name();
        let preferred = preferred.iter().any(|start| name.to_string_lossy().starts_with(start));
        let written = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        found.push(Candidate { path, preferred, written, size: about.len() });
    }
    found.sort_by(|a, b| b.preferred.cmp(&a.preferred).then(b.written.cmp(&a.written)));
    Ok(found)
}

fn read_all(candidates: Vec<Candidate>, limits: &Limits, retained: &mut Retained, left: &mut Left) {
    let until = Instant::now() + PATIENCE;
    let largest = u64::from(limits.max_packet_size) * EXPANSION + 4_096;
    for candidate in candidates {
        if Instant::now() > until {
            left.too_late += 1;
        } else if candidate.size > largest {
            left.without_room += 1;
        } else {
            match read_one(&candidate.path, largest) {
                Ok(Some(message)) if retained.has_room(&message, false, limits) => retained.set(&message, false),
                Ok(Some(_)) => left.without_room += 1,
                Ok(None) => {}
                Err(problem) => {
                    tracing::debug!("broker.storage: {}: {problem}", candidate.path.display());
                    left.damaged += 1;
                }
            }
        }
    }
}

fn read_one(path: &Path, largest: u64) -> Result<Option<Arc<Message>>, String> {
    let mut content = Vec::new();
    let file = fs::File::open(path).map_err(|problem| problem.to_string())?;
    file.take(largest).read_to_end(&mut content).map_err(|problem| problem.to_string())?;
    stored::read(&content)
}

/// Makes the folder one that can be written to, with nothing in it that was not read.
fn prepare(base: &Path, folder: &Path, left: Option<&Left>) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let probe = folder.join(".probe");
    fs::write(&probe, b"x")?;
    fs::remove_file(&probe)?;
    let Some(Left { damaged, without_room, too_late }) = left else { return Ok(()) };
    let aside = set_aside(base, folder)?;
    fs::create_dir_all(folder)?;
    tracing::error!(
        "broker.storage: {damaged} files were damaged, {without_room} had no room (broker.max_retained_bytes, \
         broker.max_retained_messages, broker.max_packet_size), {too_late} could not be read within {} s. All files are \
         set aside in {}; what was read is kept",
        PATIENCE.as_secs(),
        aside.display()
    );
    Ok(())
}

/// Renames the folder. Two are kept, the older one goes.
fn set_aside(base: &Path, folder: &Path) -> io::Result<PathBuf> {
    let named = |name: &str| base.join(name);
    let (newest, older, last) = (named("retained.aside-1"), named("retained.aside-2"), named("retained.removed"));
    if older.exists() {
        fs::rename(&older, &last)?;
    }
    if newest.exists() {
        fs::rename(&newest, &older)?;
    }
    fs::rename(folder, &newest)?;
    if last.exists() {
        // It may take long, and nobody needs it to end.
        std::thread::spawn(move || fs::remove_dir_all(last));
    }
    Ok(newest)
}

impl Store {
    /// Writes a topic's message, or removes it where there is none any more. Blocks.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn save(&self, topic: &str, message: Option<&Message>) -> io::Result<()> {
        let path = self.folder.join(stored::file_name(topic));
        let Some(message) = message else {
            return match fs::remove_file(&path) {
                Err(problem) if problem.kind() == io::ErrorKind::NotFound => Ok(()),
                outcome => outcome,
            };
        };
        let beside = path.with_extension("tmp");
        let written = fs::File::create(&beside).and_then(|mut file| {
            file.write_all(&stored::written(message))?;
            file.sync_data()
        });
        let outcome = written.and_then(|()| fs::rename(&beside, &path));
        if outcome.is_err() {
            // What is left of it is of no use.
            let _ = fs::remove_file(&beside);
        }
        outcome
    }

    /// Waits until nobody else writes.
    pub(super) fn alone(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where it writes.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}
