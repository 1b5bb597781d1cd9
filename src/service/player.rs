//! Plays a recorded run: the very service that it was recorded from takes the same inputs again, and nobody does its
//! outputs. It does not wait, and does not call a record whole that isn't.

use std::io::{self, BufRead, Read as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::Timestamp;

use super::comparison::Comparison;
use super::output::{Output, log};
use super::pace::Pace;
use super::playback::{Playback, PlayedDecision};
use super::record_format::{Line, What};
use super::recorder;
use super::service::Service;
use super::set_up::Sources;
use crate::config::{Config, Setup};
use crate::core::Now;

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

/// Plays recorded files; `config` stands in for the recorded settings where it is given, but for where the home is and what
/// its topics begin with. A power cut leaves the end of a file torn, or filled with zeros: it is left out.
///
/// # Errors
/// Names the line that can't be read, and has readable ones after it; and when no run is recorded.
pub fn play<R: BufRead>(
    files: impl IntoIterator<Item = anyhow::Result<(String, R)>>,
    config: Option<&Config>,
) -> anyhow::Result<Playback> {
    let mut player = Player {
        config,
        service: None,
        begun: None,
        part: 0,
        last: 0,
        repeats: false,
        torn: false,
        compares: false,
        latest: 0,
        ended: false,
        comparison: Comparison::default(),
        playback: Playback::default(),
    };
    for file in files {
        let (name, file) = file?;
        player.file(&name, file)?;
    }
    player.end_run(player.torn);
    let Player { playback, .. } = player;
    anyhow::ensure!(playback.runs > 0, "no run is recorded here: {}", playback.missing.join("; "));
    Ok(playback)
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
    service: Option<Service>,
    /// Which run it is, and the latest of its files.
    begun: Option<(u64, Timestamp)>,
    part: u32,
    last: u64,
    /// The head of a further file of the same run, which repeats what is known.
    repeats: bool,
    /// The end of the latest file is lost.
    torn: bool,
    /// All outputs of this run are compared, not only decisions.
    compares: bool,
    /// How many decisions came of the latest input.
    latest: usize,
    /// The run ended well.
    ended: bool,
    /// The outputs of the latest input.
    comparison: Comparison,
    playback: Playback,
}

impl Player<'_> {
    fn file(&mut self, name: &str, mut file: impl BufRead) -> anyhow::Result<()> {
        let mut read = 0;
        while let Some(bytes) = next_line(&mut file).with_context(|| name.to_owned())? {
            let place = || format!("{name}, line {}", read + 1);
            match serde_json::from_slice(&bytes) {
                Ok(line) => self.line(name, line).with_context(place)?,
                Err(problem) => {
                    // What begins with anything else was never a record.
                    let was_a_record = read > 0 || bytes.iter().all(|byte| *byte == 0);
                    if was_a_record && is_lost(&mut file).with_context(place)? {
                        let lost = "damaged from here to the end, as by a power cut: what came last is lost";
                        self.playback.missing.push(format!("{}: {lost}", place()));
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
            self.playback.missing.push(format!("{name}: it is empty"));
        }
        Ok(())
    }

    fn line(&mut self, name: &str, line: Line) -> anyhow::Result<()> {
        if let What::Start { .. } = &line.what {
            return self.start(name, line);
        }
        self.repeats &= line.at <= self.last;
        if self.repeats {
            return Ok(());
        }
        self.last = line.at;
        anyhow::ensure!(self.service.is_some(), "expected a start before everything else");
        let now = line.now();
        match line.what {
            What::Decided { .. } => self.playback.recorded.extend(PlayedDecision::of(line)),
            What::Outputs { list } => self.comparison.recorded(list),
            What::End => self.ended = true,
            What::Reload { config } => self.reload(&config, now)?,
            _ => self.input(line),
        }
        Ok(())
    }

    /// A file begins: of a new run, or of the one before.
    fn start(&mut self, name: &str, line: Line) -> anyhow::Result<()> {
        let now = line.now();
        let What::Start { config, part, version, outputs } = line.what else { return Ok(()) };
        self.repeats = self.begun == Some((line.at, line.wall));
        let before = if self.repeats { self.part.saturating_add(1) } else { 0 };
        if part != before {
            let missing = "the file before it is missing, and with it what this was decided on";
            self.playback.missing.push(format!("{name}: {missing}"));
        }
        let cut = part != before || (self.repeats && self.torn);
        self.playback.cut |= cut;
        self.part = part;
        let torn = std::mem::take(&mut self.torn);
        if !self.repeats {
            self.end_run(torn);
            self.service = Some(self.service(&config, now)?);
            self.begun = Some((line.at, line.wall));
            self.last = 0;
            self.playback.runs += 1;
            self.compares = true;
        }
        let why_not = if self.config.is_some() {
            "with other settings only decisions are compared".to_owned()
        } else if version != env!("CARGO_PKG_VERSION") {
            format!("only decisions are compared: Sunward {version} recorded it, whose messages may read otherwise")
        } else if !outputs {
            "only decisions are compared: the version that recorded it wrote down no other outputs".to_owned()
        } else if cut {
            "only decisions are compared after what is missing".to_owned()
        } else {
            return Ok(());
        };
        self.compares = false;
        self.playback.not_compared.get_or_insert(why_not);
        Ok(())
    }

    fn input(&mut self, line: Line) {
        let now = line.now();
        let Some(input) = line.what.into_input() else { return };
        self.playback.inputs += 1;
        self.play(now, |service| service.step(input, now));
    }

    /// The configuration was read again; where another stands in for it, that stays.
    fn reload(&mut self, recorded: &serde_json::Value, now: Now) -> anyhow::Result<()> {
        if self.config.is_none() {
            let sources = Sources::new(Setup::new(serde_json::from_value(recorded.clone()).context("config")?)?);
            self.play(now, |service| service.reload(sources, now));
        }
        Ok(())
    }

    fn play(&mut self, now: Now, happens: impl FnOnce(&mut Service)) {
        self.compare(false);
        self.comparison = Comparison::begin(now.wall);
        let Some(service) = &mut self.service else { return };
        let before = self.playback.decisions.len();
        happens(service);
        service.report();
        for output in service.take_outputs() {
            match output {
                Output::Log { level, text } => log(level, &text),
                Output::Decided(decision) => {
                    self.playback.decisions.extend(PlayedDecision::of(Line::decided(now, &decision)));
                }
                output => self.comparison.played(output),
            }
        }
        self.latest = self.playback.decisions.len() - before;
    }

    /// The outputs of the latest input are complete.
    fn compare(&mut self, may_end_early: bool) {
        if self.compares {
            self.playback.outputs += self.comparison.count();
            if self.playback.different_output.is_none() {
                self.playback.different_output = self.comparison.difference(may_end_early);
            }
        }
    }

    /// A service with the recorded settings, or with the others.
    fn service(&self, recorded: &serde_json::Value, now: Now) -> anyhow::Result<Service> {
        let recorded: Config = serde_json::from_value(recorded.clone()).context("config")?;
        let config = match self.config.cloned() {
            Some(other) => {
                let time_zone = other.time_zone.clone().or(recorded.time_zone);
                Config { mqtt: recorded.mqtt, time_zone, ..other }
            }
            None => recorded,
        };
        let sources = Sources::new(Setup::new(config)?);
        Ok(Service::new(sources, "the broker, as recorded".into(), Pace::REAL, now))
    }

    /// What a run that was killed lacks at its end may be what came of its last input.
    fn end_run(&mut self, torn: bool) {
        let ended = std::mem::take(&mut self.ended);
        let killed = torn || (self.compares && !ended && !self.comparison.has_recorded());
        self.compare(!ended);
        self.comparison = Comparison::default();
        let Playback { decisions, recorded, .. } = &mut self.playback;
        let surplus = decisions.len().saturating_sub(recorded.len());
        if killed && self.config.is_none() && surplus <= self.latest {
            decisions.truncate(recorded.len());
        }
        self.latest = 0;
    }
}
