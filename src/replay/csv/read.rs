//! Reads `time,net,solar,<circuits>`, or `import` and `export` instead of `net`.
//!
//! A time without its offset, a number with a comma and a row that goes back in time are errors with their line.

use std::io::{self, Read};
use std::time::Duration;

use csv::ByteRecord;

use super::cell::{number, shortened, time};
use super::energy::{differences, to_power};
use super::error::{CsvError, at};
use super::format::Format;
use crate::replay::history::{History, PowerSeries, ReplayTime};

/// The most columns of a file.
const MOST_COLUMNS: usize = 256;

/// Bytes of the longest row, of its end and the next ones' begin: a quote that is never closed, or a line without an end.
const LONGEST_ROW: usize = 256 * 1024;

/// The most values that are kept, of 8 bytes each: ten years of minutes with 7 columns.
const MOST_VALUES: usize = 40_000_000;

/// The longest time in a file: a clock that was not set makes records of half a century.
const LONGEST: Duration = Duration::from_secs(20 * 366 * 86_400);

/// The columns that stand for `net` where there are two meters.
const IMPORT: &str = "import";
const EXPORT: &str = "export";

/// Reads a CSV file. An empty cell is a value that was not recorded.
///
/// # Errors
/// Names the line, the column and what was expected.
pub fn read(input: impl Read, format: &Format) -> Result<History, CsvError> {
    if format.counters && !format.unit.is_energy() {
        return Err(CsvError::PowerCounted);
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .trim(csv::Trim::All)
        .flexible(true)
        .from_reader(OneRow { input: input.chain("\n".as_bytes()), read: 0 });
    let mut record = ByteRecord::new();
    let more = |reader: &mut csv::Reader<OneRow<_>>, record: &mut ByteRecord| {
        reader.get_mut().read = 0;
        let line = reader.position().line();
        reader.read_byte_record(record).map_err(|error| match error.kind() {
            csv::ErrorKind::Io(problem) if problem.kind() == io::ErrorKind::InvalidData => {
                at(line, problem.to_string())
            }
            _ => CsvError::Whole(format!("can't be read: {error}")),
        })
    };
    if !more(&mut reader, &mut record)? {
        return Err(CsvError::Whole("the file is empty: expected a header such as time,net,solar,ev".into()));
    }
    let header = Header::read(&record)?;
    let mut rows = CsvRows::new(&header, format);
    while more(&mut reader, &mut record)? {
        // Of the end: the position of a record is that of the blank lines before it.
        let line = reader.position().line() - 1;
        if record.len() == 1 && record.get(0).is_some_and(<[u8]>::is_empty) {
            continue;
        }
        rows.push(&header, &record, line)?;
    }
    rows.finish(header)
}

/// Lets no row grow without end: the reader keeps all of it.
struct OneRow<R> {
    input: R,
    /// Bytes since the row began.
    read: usize,
}

impl<R: Read> Read for OneRow<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read > LONGEST_ROW {
            let problem = format!("the row has more than {LONGEST_ROW} bytes: is a quote not closed?");
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        }
        let read = self.input.read(buffer)?;
        self.read += read;
        Ok(read)
    }
}

/// Which column is what.
struct Header {
    names: Vec<String>,
    time: usize,
    /// What the grid delivers and takes are two columns.
    split: bool,
}

impl Header {
    fn read(record: &ByteRecord) -> Result<Self, CsvError> {
        let names: Vec<String> = record.iter().map(name).collect();
        if let [one] = names.as_slice()
            && let Some(other) = [';', '\t'].into_iter().find(|separator| one.contains(*separator))
        {
            return Err(at(1, format!("expected columns separated by commas, found {other:?} between them")));
        }
        if names.len() > MOST_COLUMNS {
            return Err(at(1, format!("there are {} columns, at most {MOST_COLUMNS} are allowed", names.len())));
        }
        if let Some(twice) = (1..names.len()).find(|column| names[..*column].contains(&names[*column])) {
            return Err(at(1, format!("there are two columns `{}`", names[twice])));
        }
        let is_there = |column: &str| names.iter().any(|name| name == column);
        let split = !is_there("net") && is_there(IMPORT) && is_there(EXPORT);
        let grid = if split { IMPORT } else { "net" };
        if let Some(missing) = ["time", grid, "solar"].into_iter().find(|column| !is_there(column)) {
            let expected = "expected time,net,solar,<circuits>, or import and export instead of net";
            return Err(at(
                1,
                format!("there is no column `{missing}`: {expected}, found {}", shortened(&names.join(","))),
            ));
        }
        let time = names.iter().position(|name| name == "time").unwrap_or_default();
        Ok(Self { names, time, split })
    }
}

/// A column's name; what steers a terminal is for no error message.
fn name(cell: &[u8]) -> String {
    String::from_utf8_lossy(cell)
        .chars()
        .map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })
        .collect()
}

struct CsvRows<'a> {
    format: &'a Format,
    times: Vec<ReplayTime>,
    /// As they stand there, scaled to watts or watt-hours; by column, that of the time is empty.
    columns: Vec<Vec<f64>>,
}

impl<'a> CsvRows<'a> {
    fn new(header: &Header, format: &'a Format) -> Self {
        Self { format, times: Vec::new(), columns: vec![Vec::new(); header.names.len()] }
    }

    fn push(&mut self, header: &Header, record: &ByteRecord, line: u64) -> Result<(), CsvError> {
        let time = time(record.get(header.time).unwrap_or_default()).map_err(|problem| at(line, problem))?;
        let Format { from, to, .. } = self.format;
        if from.is_some_and(|from| time < from) || to.is_some_and(|to| time >= to) {
            return Ok(());
        }
        let moment = ReplayTime::from(time);
        if let Some(before) = self.times.last().filter(|before| moment <= **before) {
            let before = before.timestamp();
            return Err(at(line, format!("{time} comes after {before}: expected ascending times, each once")));
        }
        if let Some(first) = self.times.first().filter(|first| first.until(moment) > LONGEST) {
            let first = first.timestamp();
            return Err(at(
                line,
                format!("{time} is more than 20 years after {first}: take the part that is meant with --from and --to"),
            ));
        }
        let rows = self.times.len();
        if rows * self.columns.len() >= MOST_VALUES {
            return Err(at(line, format!("more than {rows} rows: take a part of them with --from and --to")));
        }
        if record.len() > header.names.len() {
            return Err(at(line, format!("{} values for {} columns", record.len(), header.names.len())));
        }
        self.times.push(moment);
        for (column, values) in self.columns.iter_mut().enumerate().filter(|(column, _)| *column != header.time) {
            let cell = record.get(column).unwrap_or_default();
            values.push(
                number(cell, self.format)
                    .map_err(|problem| at(line, format!("`{}`: {problem}", header.names[column])))?,
            );
        }
        Ok(())
    }

    fn finish(mut self, header: Header) -> Result<History, CsvError> {
        let Some(interval) = usual_interval(&self.times) else {
            let range = if self.format.from.or(self.format.to).is_some() { " between --from and --to" } else { "" };
            return Err(CsvError::Whole(format!("expected two rows at least, found {}{range}", self.times.len())));
        };
        let mut history = History {
            times: std::mem::take(&mut self.times),
            net: PowerSeries::default(),
            solar: PowerSeries::default(),
            circuits: Vec::new(),
            interval,
            resets: 0,
        };
        let (mut import, mut export) = (Vec::new(), Vec::new());
        for (name, mut values) in header.names.into_iter().zip(self.columns).filter(|(name, _)| name != "time") {
            if self.format.counters {
                history.resets += differences(&mut values, name == "net");
            }
            if self.format.unit.is_energy() {
                to_power(&history, &name, &mut values, self.format.counters)?;
            }
            match name.as_str() {
                "net" => history.net = PowerSeries(values),
                "solar" => history.solar = PowerSeries(values),
                IMPORT if header.split => import = values,
                EXPORT if header.split => export = values,
                _ => history.circuits.push((name, PowerSeries(values))),
            }
        }
        if header.split {
            history.net = PowerSeries(import.iter().zip(export).map(|(import, export)| import - export).collect());
        }
        if self.format.counters {
            // The last reading ends a row and begins none.
            history.times.pop();
        }
        Ok(history)
    }
}

/// The middle one of all intervals.
fn usual_interval(times: &[ReplayTime]) -> Option<Duration> {
    let mut intervals: Vec<i64> = times.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    if intervals.is_empty() {
        return None;
    }
    let middle = (intervals.len() - 1) / 2;
    let (_, middle, _) = intervals.select_nth_unstable(middle);
    u64::try_from(*middle).ok().map(Duration::from_millis)
}
