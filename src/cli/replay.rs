//! `sunward replay`: a record of the past through the same scheduler.
//!
//! Connects to nothing: it reads files, and writes files and a table.

use std::io::{Read as _, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::failure::Failure;
use super::files::open;
use super::output_file::{self, Kind, write};
use super::recording;
use crate::config::{Loaded, Setup, load};
use crate::replay::{self, Contender, CsvError, Format, History, Prices, RecordedHome, Unit};

/// The largest file, unpacked, that is read.
const LARGEST_FILE: u64 = 4 << 30;

/// What `sunward replay` is called with.
#[derive(Debug, Args)]
pub struct ReplayArguments {
    /// The record: CSV with the columns time, net (or import and export), solar and one for each circuit, packed with
    /// gzip or not; or the folder, or a .jsonl file, of `sunward run --record`.
    file: PathBuf,
    /// What its numbers are; Wh and kWh are the energy of each row.
    #[arg(long, value_enum, default_value_t, value_name = "UNIT")]
    unit: Unit,
    /// Its numbers are readings of counters that only grow (with --unit Wh or kWh).
    #[arg(long)]
    counters: bool,
    /// The first day, or moment.
    #[arg(long, value_parser = edge, value_name = "DATE")]
    from: Option<Edge>,
    /// The day, or moment, before which it ends.
    #[arg(long, value_parser = edge, value_name = "DATE")]
    to: Option<Edge>,
    /// How often it is decided; without it, scheduler.cycle. A row holds for its whole interval.
    #[arg(long, value_parser = cycle, value_name = "TIME")]
    cycle: Option<Duration>,
    /// Another configuration, for comparison.
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// What a kilowatt-hour from the grid costs.
    #[arg(long, value_parser = number, allow_negative_numbers = true, value_name = "PRICE")]
    import_price: Option<f64>,
    /// What the grid pays for a kilowatt-hour.
    #[arg(long, value_parser = number, allow_negative_numbers = true, value_name = "PRICE")]
    export_price: Option<f64>,
    /// Grams of CO2 in a kilowatt-hour from the grid.
    #[arg(long, value_parser = number, value_name = "GRAMS")]
    co2: Option<f64>,
    /// Write a report with pictures. A file that is no such report stays as it is.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write every decision, one JSON object a line. A file that is no such journal stays as it is.
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    /// Overwrite files that Sunward has not written.
    #[arg(long)]
    force: bool,
}

impl ReplayArguments {
    /// Returns the first option that was given and means nothing to a recorded run.
    fn for_csv(&self) -> Option<&'static str> {
        let flags = [
            ("--unit", self.unit != Unit::default()),
            ("--counters", self.counters),
            ("--from", self.from.is_some()),
            ("--to", self.to.is_some()),
            ("--cycle", self.cycle.is_some()),
            ("--against", self.against.is_some()),
            ("--import-price", self.import_price.is_some()),
            ("--export-price", self.export_price.is_some()),
            ("--co2", self.co2.is_some()),
            ("--html", self.html.is_some()),
        ];
        flags.into_iter().find(|(_, given)| *given).map(|(flag, _)| flag)
    }

    /// Checks that no output would overwrite the record that is replayed, or the other output.
    fn outputs_are_new(&self) -> anyhow::Result<()> {
        let Self { file, html, journal, force, .. } = self;
        let outputs = [("--html", html, Kind::Report), ("--journal", journal, Kind::Journal)];
        for (option, path, kind) in outputs {
            let Some(path) = path else { continue };
            // Of a folder, every file in it.
            let is_record = |path: PathBuf| file.canonicalize().is_ok_and(|file| path.starts_with(file));
            let same = path.canonicalize().is_ok_and(is_record);
            anyhow::ensure!(!same, "{option}: {} is part of the record, expected a new file", path.display());
            output_file::check(option, path, kind, *force)?;
        }
        let place = |path: &Option<PathBuf>| path.as_deref().map(output_file::place);
        anyhow::ensure!(
            html.is_none() || place(html) != place(journal),
            "--journal: expected another file than --html"
        );
        Ok(())
    }
}

/// A moment, or the begin of a day at home.
#[derive(Debug, Clone, Copy)]
enum Edge {
    Moment(Timestamp),
    Day(Date),
}

fn edge(text: &str) -> Result<Edge, String> {
    let day = || Date::strptime("%Y-%m-%d", text).ok().map(Edge::Day);
    let found = text.parse().ok().map(Edge::Moment).or_else(day);
    found.ok_or_else(|| "expected a date such as 2016-05-31, or a time such as 2016-05-31T12:00:00Z".into())
}

fn cycle(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).ok();
    let time = time.filter(|time| (Duration::from_secs(1)..=Duration::from_secs(86_400)).contains(time));
    time.ok_or_else(|| "expected 1s to 1day, such as 5m".into())
}

fn number(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|number: &f64| number.is_finite()).ok_or_else(|| "expected a number such as 0.32".into())
}

/// Replays, and prints the outcome. `given` says whether the call names a configuration; without one, a recorded run has the
/// one that was recorded with it.
///
/// # Errors
/// When the configuration or the call is wrong (status 2), or a file can't be read or written (status 1).
pub fn replay(arguments: &ReplayArguments, setup: Setup, given: bool, mut out: impl Write) -> Result<(), Failure> {
    arguments.outputs_are_new().map_err(Failure::Call)?;
    if is_recording(&arguments.file) {
        if let Some(flag) = arguments.for_csv() {
            let hint = "a recorded run is lived again as it was, with -c other.toml under other settings";
            return Err(Failure::Call(anyhow::anyhow!("{flag} is for CSV files: {hint}")));
        }
        let config = given.then_some(&setup.config);
        return Ok(recording::play(&arguments.file, config, arguments.journal.as_deref(), arguments.force, out)?);
    }
    let history = Arc::new(history(arguments, &setup.settings.time_zone)?);
    let mut contenders = vec![contender("Sunward", arguments, setup, &history)?];
    if let Some(path) = &arguments.against {
        let Loaded { setup, .. } = load(Some(path), std::env::vars_os())?;
        let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy();
        let name: String = name.chars().take(14).collect();
        contenders.push(contender(&name, arguments, setup, &history)?);
    }
    let scenarios = replay::replay(&contenders);
    let ReplayArguments { import_price: import, export_price: export, co2, .. } = *arguments;
    let prices = Prices { import, export, co2 };
    replay::table(&scenarios, &prices, &mut out).map_err(anyhow::Error::from)?;
    if let Some(path) = &arguments.journal {
        write("--journal", path, Kind::Journal, arguments.force, |out| replay::journal(&scenarios, out))?;
    }
    if let Some(path) = &arguments.html {
        let page = replay::html(&scenarios, &prices).map_err(anyhow::Error::from)?;
        write("--html", path, Kind::Report, arguments.force, |out| out.write_all(page.as_bytes()))?;
    }
    Ok(())
}

fn is_recording(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    path.is_dir() || name.strip_suffix(".gz").unwrap_or(&name).ends_with(".jsonl")
}

fn contender(
    name: &str,
    arguments: &ReplayArguments,
    setup: Setup,
    history: &Arc<History>,
) -> Result<Contender, Failure> {
    let Setup { settings, replay_tasks, .. } = setup;
    let home = RecordedHome::new(history.clone(), replay_tasks, settings.time_zone.clone());
    let home = home.map_err(|misfit| Failure::Call(misfit.into()))?;
    let cycle = arguments.cycle.unwrap_or(settings.cycle);
    Ok(Contender { name: name.into(), settings, cycle, home: Arc::new(home) })
}

fn history(arguments: &ReplayArguments, time_zone: &TimeZone) -> Result<History, Failure> {
    let moment = |edge: Option<Edge>| match edge {
        Some(Edge::Day(date)) => {
            let midnight = date.to_zoned_datetime(time_zone.clone()).context("--from, --to");
            midnight.map(|midnight| Some(midnight.timestamp())).map_err(Failure::Call)
        }
        Some(Edge::Moment(time)) => Ok(Some(time)),
        None => Ok(None),
    };
    let ReplayArguments { unit, counters, from, to, .. } = *arguments;
    let format = Format { unit, counters, from: moment(from)?, to: moment(to)? };
    let path = &arguments.file;
    let name = || path.display().to_string();
    let mut text = open(path)?.take(LARGEST_FILE);
    let history = replay::read(&mut text, &format).map_err(|error| match error {
        CsvError::PowerCounted => Failure::Call(error.into()),
        error => Failure::Running(anyhow::Error::from(error).context(name())),
    })?;
    if text.limit() == 0 {
        return Err(anyhow::anyhow!("{}: larger than 4 GiB, give a part of it", name()).into());
    }
    Ok(history)
}
