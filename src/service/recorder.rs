//! `sunward run --record`: every input goes to a file as it comes, its outputs follow, and old files go when there are too
//! many. When a file was deleted or moved it begins another one. When nothing can be written, as the disk is full, it says so
//! once, and tries again every minute; scheduling goes on.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::civil::DateTime;

use super::input::Input;
use super::output::Output;
use super::record_format::{Content, Line, What};
use super::recorded_file::{RecordedFile, Whereabouts};
use crate::config::Config;
use crate::core::{Instant, Now};
use crate::mqtt::Incoming;

/// A file is ended when it has grown to this.
const LARGEST_FILE: usize = 8 << 20;

/// So many files are kept.
const MOST_FILES: usize = 8;

/// So many bytes of last messages, with their topics, are carried over into the next file.
const MOST_CARRIED: usize = 4 << 20;

/// So many of Sunward's own cycles are known again when they come back from the broker.
const MOST_ECHOES: usize = 16;

/// Where nothing could be written it is tried again after this.
const RETRY: Duration = Duration::from_secs(60);

/// Files are called so, with the time of their beginning in between.
const NAMES: (&str, &str) = ("sunward-", ".jsonl");

/// Writes a run down.
#[derive(Debug)]
pub struct Recorder {
    folder: PathBuf,
    largest_file: usize,
    file: Option<RecordedFile>,
    /// When to try again, where nothing can be written.
    retry: Option<Instant>,
    /// Something came that stands in no file any more.
    lacks: bool,
    size: usize,
    start: Option<Line>,
    /// The last line of each topic, and the one-time lines of the start-up: a file that begins with them can be read alone.
    carried: BTreeMap<String, Line>,
    /// Bytes of it.
    carrying: usize,
    /// What Sunward publishes here comes back to it, and changes nothing.
    own_cycle: String,
    /// The latest of that.
    echoes: VecDeque<Content>,
}

impl Recorder {
    /// Writes into a folder, which is made if need be.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn new(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        Ok(Self {
            folder: folder.to_path_buf(),
            largest_file: LARGEST_FILE,
            file: None,
            retry: None,
            lacks: false,
            size: 0,
            start: None,
            carried: BTreeMap::new(),
            carrying: 0,
            own_cycle: String::new(),
            echoes: VecDeque::new(),
        })
    }

    /// Another file size, for tests.
    #[must_use]
    pub fn with_largest_file(self, bytes: usize) -> Self {
        Self { largest_file: bytes, ..self }
    }

    /// A run begins. `own_cycle` is the topic of Sunward's own cycles.
    pub(super) fn start(&mut self, config: &Config, own_cycle: String, now: Now) {
        self.start = Some(Line::start(now, config));
        self.own_cycle = own_cycle;
        self.attempt(now, |recorder| recorder.next_file(now));
    }

    /// The configuration was read again. A further file begins with it.
    pub(super) fn reload(&mut self, config: &Config, own_cycle: String, now: Now) {
        self.look_after_file(now);
        let line = Line::reload(now, config);
        if let (What::Reload { config }, Some(What::Start { config: kept, .. })) =
            (&line.what, self.start.as_mut().map(|start| &mut start.what))
        {
            kept.clone_from(config);
        }
        self.own_cycle = own_cycle;
        self.attempt(now, |recorder| {
            recorder.write(&line)?;
            recorder.flush()
        });
    }

    /// An input has come. It is written before anything is made of it, which may be what goes wrong.
    pub(super) fn input(&mut self, now: Now, input: &Input) {
        if self.is_echo(input) {
            return;
        }
        self.look_after_file(now);
        let line = Line::input(now, input);
        self.attempt(now, |recorder| {
            if recorder.size > recorder.largest_file {
                recorder.next_file(now)?;
            }
            recorder.write(&line)?;
            recorder.flush()
        });
        // The next file needs it, whether or not there is one now.
        self.carry(line);
    }

    /// A file that nobody will find is ended, and where nothing could be written it is tried again.
    fn look_after_file(&mut self, now: Now) {
        let whereabouts = self.file.as_ref().map(RecordedFile::whereabouts);
        let what = match whereabouts {
            Some(Whereabouts::Here) => return,
            Some(Whereabouts::Moved) => "was moved",
            Some(Whereabouts::Gone) => "was deleted",
            None if self.retry.is_some_and(|retry| retry <= now.at) => "can be written again",
            None => return,
        };
        self.lacks |= whereabouts == Some(Whereabouts::Gone);
        let is_new = self.file.take().is_some();
        self.attempt(now, |recorder| recorder.next_file(now));
        if self.file.is_some() || is_new {
            let goes_on = if self.file.is_some() { ": a new file is begun" } else { "" };
            tracing::error!("the recording {what}: {}{goes_on}", self.folder.display());
        }
    }

    /// What came of the last input.
    pub(super) fn outputs(&mut self, now: Now, outputs: &[Output]) {
        for output in outputs {
            if let Output::State { topic, payload } = output
                && *topic == self.own_cycle
            {
                self.echoes.truncate(MOST_ECHOES - 1);
                self.echoes.push_front(Content::of(payload));
            }
        }
        if self.file.is_none() || outputs.is_empty() {
            return;
        }
        let decisions = outputs.iter().filter_map(|output| match output {
            Output::Decided(decision) => Some(Line::decided(now, decision)),
            _ => None,
        });
        let lines = decisions.chain(Line::outputs(now, outputs));
        self.attempt(now, |recorder| {
            lines.into_iter().try_for_each(|line| recorder.write(&line))?;
            recorder.flush()
        });
    }

    /// The run ends well: what came of its last input is complete.
    pub(super) fn end(&mut self, now: Now) {
        self.attempt(now, |recorder| {
            recorder.write(&Line::new(now, What::End))?;
            recorder.flush()
        });
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), RecordedFile::flush)
    }

    fn is_echo(&self, input: &Input) -> bool {
        let Input::Incoming(Incoming::Message(message)) = input else { return false };
        !message.retain && message.topic == self.own_cycle && self.echoes.contains(&Content::of(&message.payload))
    }

    /// Said once, until something could be written again.
    fn attempt(&mut self, now: Now, work: impl FnOnce(&mut Self) -> io::Result<()>) {
        if let Err(problem) = work(self) {
            if self.retry.is_none() {
                let folder = self.folder.display();
                tracing::error!("nothing is recorded any more, until it can be: {folder}: {problem}");
            }
            (self.file, self.retry) = (None, Some(now.at + RETRY));
        }
        // What came meanwhile is missing.
        self.lacks |= self.file.is_none();
    }

    fn write(&mut self, line: &Line) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.size += text.len();
        file.write(&text)
    }

    fn carry(&mut self, line: Line) {
        let name = match &line.what {
            What::Message { topic, .. } => topic.clone(),
            // No topic begins with a space.
            What::Connected { .. } => " connected".into(),
            What::Subscribed => " subscribed".into(),
            What::Settle => " settle".into(),
            _ => return,
        };
        // What it said before is over, whether or not there is room for what it says now.
        if let Some(before) = self.carried.remove(&name) {
            self.carrying -= weight(&before);
        }
        if self.carrying + weight(&line) <= MOST_CARRIED {
            self.carrying += weight(&line);
            self.carried.insert(name, line);
        }
    }

    /// Begins a file with all that is needed to read it alone, and lets the oldest ones go.
    fn next_file(&mut self, now: Now) -> io::Result<()> {
        // Its parent is there, or the disk that it was on isn't.
        if !self.folder.is_dir() {
            std::fs::create_dir(&self.folder)?;
        }
        if let (true, Some(What::Start { part, .. })) = (self.lacks, self.start.as_mut().map(|line| &mut line.what)) {
            // As if a file were missing: who plays it is told.
            *part += 1;
        }
        let (before, after) = NAMES;
        let path = self.folder.join(format!("{before}{}{after}", now.wall.strftime("%Y%m%dT%H%M%S.%9fZ")));
        self.file = Some(RecordedFile::create(path.clone())?);
        let mut lines: Vec<Line> = self.carried.values().cloned().collect();
        lines.sort_by_key(|line| line.at);
        let mut head = self.start.clone().into_iter().chain(lines);
        let written = head.try_for_each(|line| self.write(&line)).and_then(|()| self.flush());
        if let Err(problem) = written {
            self.file.take().into_iter().for_each(RecordedFile::discard);
            return Err(problem);
        }
        (self.retry, self.lacks) = (None, false);
        if let Some(What::Start { part, .. }) = self.start.as_mut().map(|line| &mut line.what) {
            *part += 1;
        }
        // What is carried over doesn't count, or a home of many topics would begin a file with every line.
        self.size = 0;
        let mut files = files(&self.folder)?;
        // A computer without a clock of its own starts in the past: the newest file is not always the last. What is called
        // otherwise is somebody's, also if it can be played.
        files.retain(|file| *file != path && is_stamped(file));
        for old in &files[..(files.len() + 1).saturating_sub(MOST_FILES)] {
            std::fs::remove_file(old)?;
        }
        Ok(())
    }
}

/// The bytes of a message with its topic.
fn weight(line: &Line) -> usize {
    match &line.what {
        What::Message { topic, payload, .. } => topic.len() + payload.0.len(),
        _ => 0,
    }
}

/// It is called as a recorder calls its files.
fn is_stamped(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let stamp = name.strip_prefix(NAMES.0).and_then(|name| name.strip_suffix(NAMES.1));
    stamp.is_some_and(|stamp| DateTime::strptime("%Y%m%dT%H%M%S.%fZ", stamp).is_ok())
}

/// The files of a folder, the oldest first.
pub(super) fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(NAMES.0) && name.ends_with(NAMES.1) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests;
