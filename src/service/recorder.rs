//! `sunward run --record`: every input goes to a file as it comes, and old files go when there are too many.
//!
//! Refuses to disturb: when the disk is full it says so once and writes no more; scheduling goes on.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::input::Input;
use super::record_format::{Line, What};
use crate::config::Config;
use crate::core::{Decision, Now};
use crate::mqtt::Incoming;

/// A file is ended when it has grown to this.
const LARGEST_FILE: usize = 8 << 20;

/// So many files are kept.
const MOST_FILES: usize = 8;

/// So many bytes of last messages, with their topics, are carried over into the next file.
const MOST_CARRIED: usize = 4 << 20;

/// Files are called so, with the time of their beginning in between.
const NAMES: (&str, &str) = ("sunward-", ".jsonl");

/// Writes a run down.
#[derive(Debug)]
pub struct Recorder {
    folder: PathBuf,
    largest_file: usize,
    file: Option<BufWriter<File>>,
    size: usize,
    start: Option<Line>,
    /// The last line of each topic, and the one-time lines of the start-up: a file that begins with them can be read alone.
    carried: BTreeMap<String, Line>,
    /// Bytes of it.
    carrying: usize,
    /// Whatever Sunward says here comes back to it, and decides nothing.
    own_cycle: String,
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
            size: 0,
            start: None,
            carried: BTreeMap::new(),
            carrying: 0,
            own_cycle: String::new(),
        })
    }

    /// Another file size, for tests.
    #[must_use]
    pub fn with_largest_file(self, bytes: usize) -> Self {
        Self { largest_file: bytes, ..self }
    }

    /// `own_cycle` is the topic of Sunward's own cycles.
    pub(super) fn start(&mut self, config: &Config, own_cycle: String, now: Now) {
        self.start = Some(Line::start(now, config));
        self.own_cycle = own_cycle;
        self.attempt(|recorder| recorder.next_file(now));
    }

    /// An input has come. It is written before anything is made of it, which may be what goes wrong.
    pub(super) fn heard(&mut self, now: Now, input: &Input) {
        if self.file.is_some()
            && !self.is_echo(input)
            && let Some(line) = Line::input(now, input)
        {
            self.attempt(|recorder| {
                if recorder.size > recorder.largest_file {
                    recorder.next_file(now)?;
                }
                recorder.write(&line)?;
                recorder.carry(line);
                recorder.flush()
            });
        }
    }

    /// What was decided on the last input.
    pub(super) fn decided(&mut self, now: Now, decisions: &[Decision]) {
        if !decisions.is_empty() {
            self.attempt(|recorder| {
                decisions.iter().try_for_each(|decision| recorder.write(&Line::decided(now, decision)))?;
                recorder.flush()
            });
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }

    fn is_echo(&self, input: &Input) -> bool {
        matches!(input, Input::Incoming(Incoming::Message(message)) if !message.retain && message.topic == self.own_cycle)
    }

    fn attempt(&mut self, work: impl FnOnce(&mut Self) -> io::Result<()>) {
        if let Err(problem) = work(self) {
            tracing::warn!("nothing is recorded any more: {}: {problem}", self.folder.display());
            self.file = None;
        }
    }

    fn write(&mut self, line: &Line) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.size += text.len();
        file.write_all(&text)
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
        let (before, after) = NAMES;
        let path = self.folder.join(format!("{before}{}{after}", now.wall.strftime("%Y%m%dT%H%M%S.%9fZ")));
        self.file = Some(BufWriter::new(File::create(&path)?));
        let mut lines: Vec<Line> = self.carried.values().cloned().collect();
        lines.sort_by_key(|line| line.at);
        for line in self.start.clone().into_iter().chain(lines) {
            self.write(&line)?;
        }
        if let Some(What::Start { part, .. }) = self.start.as_mut().map(|line| &mut line.what) {
            *part += 1;
        }
        // What is carried over doesn't count, or a home of many topics would begin a file with every line.
        self.size = 0;
        let mut files = files(&self.folder)?;
        // A computer without a clock of its own starts in the past: the newest file is not always the last.
        files.retain(|file| *file != path);
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
mod tests {
    use std::fs::File;
    use std::io::BufReader;
    use std::time::Duration;

    use jiff::Timestamp;

    use super::*;
    use crate::core::Instant;
    use crate::mqtt::Message;
    use crate::service::record_format::Payload;
    use crate::service::{recorded_files, rerun};

    const OWN_CYCLE: &str = "sunward/scheduler/cycle";

    /// Writes so many meter records, after a task has registered, and lets nobody decide.
    fn record(folder: &Path, records: u64) {
        let mut recorder = Recorder::new(folder).unwrap().with_largest_file(2_000);
        let begin = Now { at: Instant::START + Duration::from_secs(9), wall: "2026-01-01T00:00:00Z".parse().unwrap() };
        recorder.start(&Config::default(), OWN_CYCLE.into(), begin);
        let message = |topic: &str, payload: String| {
            let retain = topic.ends_with("config");
            Input::Incoming(Incoming::Message(Message { topic: topic.into(), payload: payload.into_bytes(), retain }))
        };
        let mut inputs = vec![Input::Incoming(Incoming::Subscribed)];
        inputs.push(message("sunward/task/heater/config", "{\"power\": 500, \"expire_after\": \"1d\"}".into()));
        inputs.push(message("sunward/task/heater/state", "OFF".into()));
        inputs.push(Input::Settle);
        for number in 0..records {
            inputs.push(message("sunward/power", format!("{{\"net\": -{}}}", 600 + number)));
            inputs.push(Input::Cycle);
        }
        for (number, input) in (1..).zip(inputs) {
            let now = begin + number * Duration::from_secs(30);
            recorder.heard(now, &input);
        }
    }

    fn lived(files: Vec<PathBuf>) -> crate::service::Rerun {
        let files = files.into_iter().map(|path| Ok((path.display().to_string(), BufReader::new(File::open(path)?))));
        rerun(files, None).unwrap()
    }

    #[test]
    fn what_sunward_says_itself_is_not_recorded_and_what_an_earlier_run_left_is() {
        let folder = tempfile::tempdir().unwrap();
        let mut recorder = Recorder::new(folder.path()).unwrap();
        let now = Now { at: Instant::START, wall: Timestamp::UNIX_EPOCH };
        recorder.start(&Config::default(), OWN_CYCLE.into(), now);
        for (payload, retain) in [("before", true), ("now", false)] {
            let message = Message { topic: OWN_CYCLE.into(), payload: payload.into(), retain };
            recorder.heard(now, &Input::Incoming(Incoming::Message(message)));
        }
        recorder.heard(now, &Input::Settle);
        drop(recorder);
        let text = std::fs::read_to_string(&recorded_files(folder.path()).unwrap()[0]).unwrap();
        assert_eq!(text.matches(OWN_CYCLE).count(), 1, "{text}");
        assert!(text.contains("before"), "{text}");
    }

    #[test]
    fn files_are_ended_and_the_oldest_go() {
        let folder = tempfile::tempdir().unwrap();
        record(folder.path(), 200);
        let files = recorded_files(folder.path()).unwrap();
        assert_eq!(files.len(), MOST_FILES);
        let total: u64 = files.iter().map(|file| file.metadata().unwrap().len()).sum();
        assert!(total < 8 * 5_000, "{total} bytes");
    }

    #[test]
    fn several_files_of_one_run_are_one_run() {
        let [one, many] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        record(one.path(), 4);
        record(many.path(), 30);
        let files = recorded_files(many.path()).unwrap();
        assert!(recorded_files(one.path()).unwrap().len() == 1 && files.len() > 3);
        let rerun = lived(files.clone());
        assert_eq!((rerun.runs, rerun.inputs, rerun.cut, rerun.missing), (1, 64, false, Vec::<String>::new()));
        // The plug never answers, so it is asked three times, and once more after ten minutes.
        let starts = rerun.decisions.iter().filter(|decided| decided.task == "heater").count();
        assert_eq!(starts, 4);
        let rerun = lived([&files[..1], &files[2..]].concat());
        assert!(rerun.cut && rerun.runs == 1, "{rerun:?}");
        let lost = "the file before it is missing, and with it what this was decided on";
        assert_eq!(rerun.missing, [format!("{}: {lost}", files[2].display())]);
    }

    #[test]
    fn what_is_carried_over_has_a_limit() {
        let folder = tempfile::tempdir().unwrap();
        let mut recorder = Recorder::new(folder.path()).unwrap();
        let now = Now { at: Instant::START, wall: Timestamp::UNIX_EPOCH };
        let carry = |recorder: &mut Recorder, topic: &str, bytes: usize| {
            let what = What::Message { topic: topic.into(), payload: Payload(vec![b' '; bytes]), retain: true };
            recorder.carry(Line::new(now, what));
        };
        for _ in 0..2 {
            (0..9).for_each(|topic| carry(&mut recorder, &topic.to_string(), MOST_CARRIED / 8));
            assert_eq!((recorder.carried.len(), recorder.carrying), (7, 7 * (MOST_CARRIED / 8 + 1)));
        }
        carry(&mut recorder, "0", 0);
        carry(&mut recorder, "8", MOST_CARRIED / 8);
        assert_eq!(recorder.carried.len(), 8, "there is room again");
    }

    #[test]
    fn a_clock_that_was_not_set_costs_no_file_that_is_written() {
        let folder = tempfile::tempdir().unwrap();
        record(folder.path(), 200);
        let mut recorder = Recorder::new(folder.path()).unwrap();
        recorder.start(&Config::default(), OWN_CYCLE.into(), Now { at: Instant::START, wall: Timestamp::UNIX_EPOCH });
        let files = recorded_files(folder.path()).unwrap();
        assert_eq!(files.len(), MOST_FILES);
        assert!(files[0].to_string_lossy().contains("sunward-19700101T"), "{files:?}");
    }

    #[test]
    fn a_later_file_can_be_read_alone() {
        let folder = tempfile::tempdir().unwrap();
        record(folder.path(), 30);
        let last = recorded_files(folder.path()).unwrap().pop().unwrap();
        let rerun = lived(vec![last]);
        assert!(rerun.decisions.iter().any(|decided| decided.task == "heater"), "its registration was carried over");
        assert!(rerun.cut);
    }
}
