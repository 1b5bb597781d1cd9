//! A recorded run, lived again by the very bridge that it was recorded from, without its broker.
//!
//! Refuses to send anything, and to wait; and to call a record whole that isn't.

use std::io::{self, BufRead, Read as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::Timestamp;

use super::record_format::{Line, What};
use super::set_up::Sources;
use super::{Bridge, recorder};
use crate::config::{Config, Setup};
use crate::core::Now;
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
    /// What of a run lies before a file is missing, so that it may be decided otherwise.
    pub cut: bool,
    /// What is missing, in a sentence each, with the file.
    pub missing: Vec<String>,
}

impl Rerun {
    /// The first decision that differs from what was recorded, in one sentence.
    #[must_use]
    pub fn difference(&self) -> Option<String> {
        let most = self.decisions.len().max(self.recorded.len());
        let first = (0..most).find(|at| self.decisions.get(*at) != self.recorded.get(*at))?;
        let said = |decided: Option<&Decided>| match decided {
            Some(Decided { time, action, task, reason, rule }) => {
                format!("{} {action} {task}: {reason} ({rule})", crate::wire::report::time(*time))
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
/// and what its topics begin with. A power cut leaves the end of a file torn, or filled with zeros: it is left out.
///
/// # Errors
/// Names the line that can't be read, and has readable ones after it; and when no run is recorded.
pub fn rerun<R: BufRead>(
    files: impl IntoIterator<Item = anyhow::Result<(String, R)>>,
    config: Option<&Config>,
) -> anyhow::Result<Rerun> {
    let mut player = Player {
        config,
        bridge: None,
        begun: None,
        part: 0,
        last: 0,
        repeats: false,
        torn: false,
        latest: 0,
        rerun: Rerun::default(),
    };
    for file in files {
        let (name, file) = file?;
        player.file(&name, file)?;
    }
    player.end_run(player.torn);
    let Player { rerun, .. } = player;
    anyhow::ensure!(rerun.runs > 0, "no run is recorded here: {}", rerun.missing.join("; "));
    Ok(rerun)
}

/// No line of a record is longer: a payload of a megabyte, each of its bytes written as a number.
const LONGEST_LINE: u64 = 16 << 20;

fn next_line(file: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    file.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut bytes)?;
    Ok((!bytes.is_empty()).then_some(bytes))
}

/// Whether nothing can be read from here on.
fn is_lost(file: &mut impl BufRead) -> io::Result<bool> {
    while let Some(bytes) = next_line(file)? {
        if serde_json::from_slice::<Line>(&bytes).is_ok() {
            return Ok(false);
        }
    }
    Ok(true)
}

struct Player<'a> {
    config: Option<&'a Config>,
    bridge: Option<Bridge>,
    /// Which run it is, and the latest of its files.
    begun: Option<(u64, Timestamp)>,
    part: u32,
    last: u64,
    /// The head of a further file of the same run, which repeats what is known.
    repeats: bool,
    /// The end of the latest file is lost.
    torn: bool,
    /// Decisions on the latest input.
    latest: usize,
    rerun: Rerun,
}

impl Player<'_> {
    fn file(&mut self, name: &str, mut file: impl BufRead) -> anyhow::Result<()> {
        let mut read = 0;
        while let Some(bytes) = next_line(&mut file).with_context(|| name.to_owned())? {
            let place = || format!("{name}, line {}", read + 1);
            match serde_json::from_slice(&bytes) {
                Ok(line) => self.play(name, line).with_context(place)?,
                Err(problem) => {
                    // What begins with anything else was never a record.
                    let was_a_record = read > 0 || bytes.iter().all(|byte| *byte == 0);
                    if was_a_record && is_lost(&mut file).with_context(place)? {
                        let lost = "damaged from here to the end, as by a power cut: what came last is lost";
                        self.rerun.missing.push(format!("{}: {lost}", place()));
                        self.torn = true;
                        return Ok(());
                    }
                    let problem = anyhow::anyhow!("expected a line of `sunward run --record`: {problem}");
                    return Err(problem.context(place()));
                }
            }
            read += 1;
        }
        if read == 0 {
            self.rerun.missing.push(format!("{name}: it is empty"));
        }
        Ok(())
    }

    fn play(&mut self, name: &str, line: Line) -> anyhow::Result<()> {
        let now = line.now();
        if let What::Start { config, part, .. } = &line.what {
            self.repeats = self.begun == Some((line.at, line.wall));
            let before = if self.repeats { self.part.saturating_add(1) } else { 0 };
            if *part != before {
                let missing = "the file before it is missing, and with it what this was decided on";
                self.rerun.missing.push(format!("{name}: {missing}"));
            }
            self.rerun.cut |= *part != before || (self.repeats && self.torn);
            self.part = *part;
            let torn = std::mem::take(&mut self.torn);
            if !self.repeats {
                self.end_run(torn);
                self.bridge = Some(self.bridge(config, now)?);
                self.begun = Some((line.at, line.wall));
                self.last = 0;
                self.rerun.runs += 1;
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
        let decisions = bridge.step(input, now);
        self.latest = decisions.len();
        self.rerun.decisions.extend(decisions.iter().filter_map(|decision| Decided::of(Line::decided(now, decision))));
        Ok(())
    }

    /// A bridge with the recorded settings, or with the others.
    fn bridge(&self, recorded: &serde_json::Value, now: Now) -> anyhow::Result<Bridge> {
        let recorded: Config = serde_json::from_value(recorded.clone()).context("config")?;
        let config = match self.config.cloned() {
            Some(other) => {
                let time_zone = other.time_zone.clone().or(recorded.time_zone);
                Config { mqtt: recorded.mqtt, time_zone, ..other }
            }
            None => recorded,
        };
        Ok(Bridge::new(Sources::new(Setup::new(config)?), Handle::nowhere(), now))
    }

    /// What was lost at the end of a run may be the decisions on its last input.
    fn end_run(&mut self, torn: bool) {
        let Rerun { decisions, recorded, .. } = &mut self.rerun;
        let surplus = decisions.len().saturating_sub(recorded.len());
        if torn && self.config.is_none() && surplus <= self.latest {
            decisions.truncate(recorded.len());
        }
        self.latest = 0;
    }
}
