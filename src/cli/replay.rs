//! `sunward replay`: a record of the past through the same scheduler.
//!
//! Refuses to connect to anything: it reads files, and writes files and a table.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::cli::{Failure, recording};
use crate::config::{Config, Loaded, load};
use crate::replay::{self, Contender, Format, History, Home, Prices, Unit};

/// A file that unpacks to more is not read to its end.
const LARGEST_FILE: u64 = 4 << 30;

/// What a packed file begins with, whatever its name.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// What `sunward replay` is called with.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The record: CSV with the columns time, net (or import and export), solar and one for each circuit, gzip or
    /// not; or the folder, or a
    /// .jsonl file, of `sunward run --record`.
    file: PathBuf,
    /// What its numbers are; Wh and kWh are the energy of each row.
    #[arg(long, value_enum, default_value_t, value_name = "UNIT")]
    unit: Unit,
    /// Its numbers are readings of counters that only grow (with --unit Wh or kWh; import and export are two).
    #[arg(long)]
    counters: bool,
    /// The first day, or moment.
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// The day, or moment, before which it ends.
    #[arg(long, value_name = "DATE")]
    to: Option<String>,
    /// How often it is decided; without it, scheduler.cycle. A row holds for its whole interval.
    #[arg(long, value_parser = humantime::parse_duration, value_name = "TIME")]
    cycle: Option<Duration>,
    /// Another configuration, for comparison.
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// What a kilowatt-hour from the grid costs.
    #[arg(long, value_name = "PRICE", value_parser = number, allow_negative_numbers = true)]
    import_price: Option<f64>,
    /// What the grid pays for a kilowatt-hour.
    #[arg(long, value_name = "PRICE", value_parser = number, allow_negative_numbers = true)]
    export_price: Option<f64>,
    /// Grams of CO2 in a kilowatt-hour from the grid.
    #[arg(long, value_name = "GRAMS", value_parser = number)]
    co2: Option<f64>,
    /// Write a report with pictures.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write every decision, one JSON object a line.
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
}

/// Replays, and prints what it came to. `given`: somebody named the configuration; a recorded run brings its own.
///
/// # Errors
/// When the configuration, the call or the file can't be meant.
pub fn replay(arguments: &Arguments, config: &Config, given: bool, mut out: impl Write) -> Result<(), Failure> {
    if is_recording(&arguments.file) {
        of_csv_only(arguments)?;
        let config = given.then_some(config);
        return Ok(recording::rerun(&arguments.file, config, arguments.journal.as_deref(), out)?);
    }
    outputs_are_new(arguments)?;
    let time_zone = config.settings()?.time_zone;
    let history = Arc::new(history(arguments, &time_zone)?);
    let mut contenders = vec![contender("Sunward", arguments, config, &history)?];
    if let Some(path) = &arguments.against {
        let Loaded { config, .. } = load(Some(path), std::env::vars_os())?;
        let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy();
        let name: String = name.chars().take(14).collect();
        contenders.push(contender(&name, arguments, &config, &history)?);
    }
    let scenarios = replay::replay(&contenders);
    let Arguments { import_price: import, export_price: export, co2, .. } = *arguments;
    let prices = Prices { import, export, co2 };
    replay::table(&scenarios, &prices, &mut out).map_err(anyhow::Error::from)?;
    if let Some(path) = &arguments.journal {
        write(path, |out| replay::journal(&scenarios, out))?;
    }
    if let Some(path) = &arguments.html {
        let page = replay::html(&scenarios, &prices).map_err(anyhow::Error::from)?;
        write(path, |out| out.write_all(page.as_bytes()))?;
    }
    Ok(())
}

/// A record of a run is decided again, nothing is counted: whoever asks for more must not believe that it was done.
fn of_csv_only(arguments: &Arguments) -> anyhow::Result<()> {
    let Arguments { unit, counters, from, to, cycle, against, import_price, export_price, co2, html, .. } = arguments;
    let given = [
        ("--unit", *unit != Unit::default()),
        ("--counters", *counters),
        ("--from", from.is_some()),
        ("--to", to.is_some()),
        ("--cycle", cycle.is_some()),
        ("--against", against.is_some()),
        ("--import-price", import_price.is_some()),
        ("--export-price", export_price.is_some()),
        ("--co2", co2.is_some()),
        ("--html", html.is_some()),
    ];
    let option = given.iter().find(|(_, given)| *given);
    anyhow::ensure!(
        option.is_none(),
        "{}: is for CSV files; the record of a run takes -c and --journal",
        option.map_or("", |(name, _)| name)
    );
    Ok(())
}

/// Nobody means to lose last year's records to the report on them.
fn outputs_are_new(arguments: &Arguments) -> anyhow::Result<()> {
    let Arguments { file, html, journal, .. } = arguments;
    for (option, path) in [("--html", html), ("--journal", journal)] {
        let Some(path) = path else { continue };
        let same = path.canonicalize().is_ok_and(|path| file.canonicalize().is_ok_and(|file| file == path));
        anyhow::ensure!(!same, "{option}: {} is the record itself, expected a new file", path.display());
    }
    anyhow::ensure!(html.is_none() || html != journal, "--journal: expected another file than --html");
    Ok(())
}

fn is_recording(path: &Path) -> bool {
    path.is_dir() || path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("jsonl"))
}

fn contender(name: &str, arguments: &Arguments, config: &Config, history: &Arc<History>) -> anyhow::Result<Contender> {
    let settings = config.settings()?;
    let tasks = config.replay_tasks()?;
    let home = Home::new(history.clone(), tasks, settings.time_zone.clone())?;
    let cycle = arguments.cycle.unwrap_or(config.scheduler.cycle);
    anyhow::ensure!(
        (Duration::from_secs(1)..=Duration::from_secs(86_400)).contains(&cycle),
        "--cycle: expected 1s to 1day, found {}",
        humantime::format_duration(cycle)
    );
    Ok(Contender { name: name.into(), settings, cycle, home: Arc::new(home) })
}

fn history(arguments: &Arguments, time_zone: &TimeZone) -> anyhow::Result<History> {
    let moment = |flag: &str, text: &Option<String>| -> anyhow::Result<Option<Timestamp>> {
        let Some(text) = text else { return Ok(None) };
        if let Ok(time) = text.parse() {
            return Ok(Some(time));
        }
        let expected = || format!("{flag}: expected a date such as 2016-05-31, found \"{text}\"");
        // A date is its midnight.
        let local: DateTime = text.parse().with_context(expected)?;
        Ok(Some(local.to_zoned_datetime(time_zone.clone()).with_context(expected)?.timestamp()))
    };
    anyhow::ensure!(
        !arguments.counters || arguments.unit.is_energy(),
        "--counters: expected --unit Wh or --unit kWh beside it, whichever its meters count"
    );
    let format = Format {
        unit: arguments.unit,
        counters: arguments.counters,
        from: moment("--from", &arguments.from)?,
        to: moment("--to", &arguments.to)?,
    };
    let path = &arguments.file;
    let name = || path.display().to_string();
    let mut file = BufReader::new(File::open(path).with_context(name)?);
    let packed = file.fill_buf().with_context(name)?.starts_with(&GZIP);
    let text: Box<dyn Read> =
        if packed { Box::new(flate2::bufread::MultiGzDecoder::new(file)) } else { Box::new(file) };
    replay::read(text.take(LARGEST_FILE), &format).with_context(name)
}

fn number(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite());
    number.ok_or_else(|| "expected a number such as 0.32".into())
}

/// Writes a whole file.
pub(super) fn write(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> anyhow::Result<()> {
    let outcome = File::create(path).map(BufWriter::new).and_then(|mut file| {
        write(&mut file)?;
        file.flush()
    });
    outcome.with_context(|| path.display().to_string())
}
