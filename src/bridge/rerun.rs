//! A recorded run, lived again by the very bridge that it was recorded from, without its broker.
//!
//! Refuses to send anything, and to wait.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::Timestamp;

use super::set_up::Sources;
use super::tape::{Line, What};
use super::{Bridge, recorder};
use crate::config::Config;
use crate::mqtt::Handle;

/// What a rerun came to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rerun {
    /// Runs, each of which began with a start of Sunward.
    pub runs: usize,
    /// Inputs that were lived again.
    pub inputs: usize,
    /// What is decided now.
    pub decisions: Vec<Decided>,
    /// What was decided when it was recorded.
    pub recorded: Vec<Decided>,
    /// A run began before its first file, so that what came of its beginning is not known.
    pub cut: bool,
}

impl Rerun {
    /// The first decision that differs from what was recorded, in one sentence.
    #[must_use]
    pub fn difference(&self) -> Option<String> {
        let most = self.decisions.len().max(self.recorded.len());
        let first = (0..most).find(|at| self.decisions.get(*at) != self.recorded.get(*at))?;
        let said = |decided: Option<&Decided>| match decided {
            Some(Decided { time, action, task, reason, rule }) => {
                format!("{} {action} {task}: {reason} ({rule})", crate::report::time(*time))
            }
            None => "nothing".into(),
        };
        let (now, then) = (said(self.decisions.get(first)), said(self.recorded.get(first)));
        Some(format!("decision {} differs: {now}; when it was recorded: {then}", first + 1))
    }
}

/// One decision, as it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided {
    /// When.
    pub time: Timestamp,
    /// `start` or `stop`.
    pub action: String,
    /// Whom it concerns.
    pub task: String,
    /// Why, in one word.
    pub rule: String,
    /// Why, in one sentence.
    pub reason: String,
}

impl Decided {
    fn of(line: Line) -> Option<Self> {
        let What::Decided { action, task, rule, reason } = line.what else { return None };
        Some(Self { time: line.wall, action, task, rule, reason })
    }
}

/// The files that `--record` wrote into a folder, the oldest first; or the one file that is given.
///
/// # Errors
/// When there are none.
pub fn recorded_files(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_path_buf()]);
    }
    let files = recorder::files(path).with_context(|| path.display().to_string())?;
    anyhow::ensure!(!files.is_empty(), "{}: there are no files of `sunward run --record`", path.display());
    Ok(files)
}

/// Lives through recorded files; `config` stands in for the recorded settings where it is given, but for where the home is
/// and what its topics begin with.
///
/// # Errors
/// Names the line that can't be read.
pub fn rerun<R: BufRead>(
    files: impl IntoIterator<Item = anyhow::Result<(String, R)>>,
    config: Option<&Config>,
) -> anyhow::Result<Rerun> {
    let mut player = Player { config, bridge: None, begun: None, last: 0, repeats: false, rerun: Rerun::default() };
    for file in files {
        let (name, file) = file?;
        for (number, text) in file.lines().enumerate() {
            let place = || format!("{name}, line {}", number + 1);
            let text = text.with_context(place)?;
            let line = match serde_json::from_str(&text) {
                Ok(line) => line,
                // A power cut ends a file in the middle of a line.
                Err(problem) if problem.is_eof() && number > 0 => break,
                Err(problem) => {
                    return Err(anyhow::anyhow!("expected a line of `sunward run --record`: {problem}"))
                        .with_context(place);
                }
            };
            player.play(line).with_context(place)?;
        }
    }
    Ok(player.rerun)
}

struct Player<'a> {
    config: Option<&'a Config>,
    bridge: Option<Bridge>,
    /// Which run it is.
    begun: Option<(u64, Timestamp)>,
    last: u64,
    /// The head of a further file of the same run, which repeats what is known.
    repeats: bool,
    rerun: Rerun,
}

impl Player<'_> {
    fn play(&mut self, line: Line) -> anyhow::Result<()> {
        let now = line.now();
        if let What::Start { config, continued, .. } = &line.what {
            self.repeats = self.begun == Some((line.at, line.wall));
            if !self.repeats {
                let recorded: Config = serde_json::from_value(config.clone()).context("config")?;
                let config = match self.config.cloned() {
                    Some(other) => {
                        let time_zone = other.time_zone.clone().or(recorded.time_zone);
                        Config { mqtt: recorded.mqtt, time_zone, ..other }
                    }
                    None => recorded,
                };
                let sources = Sources::new(&config)?;
                self.bridge = Some(Bridge::new(config, sources, Handle::nowhere(), now)?);
                self.begun = Some((line.at, line.wall));
                self.last = 0;
                self.rerun.runs += 1;
                self.rerun.cut |= continued;
            }
            return Ok(());
        }
        self.repeats &= line.at <= self.last;
        if self.repeats {
            return Ok(());
        }
        self.last = line.at;
        let bridge = self.bridge.as_mut().context("expected a start before everything else")?;
        if let What::Decided { .. } = line.what {
            self.rerun.recorded.extend(Decided::of(line));
            return Ok(());
        }
        let Some(input) = line.what.into_input() else { return Ok(()) };
        self.rerun.inputs += 1;
        for decision in bridge.step(input, now) {
            self.rerun.decisions.extend(Decided::of(Line::decided(now, &decision)));
        }
        Ok(())
    }
}
