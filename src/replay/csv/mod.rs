//! CSV files with `time,net,solar,<circuits>`, or `import` and `export` instead of `net`, → a [`History`].
//!
//! Refuses to guess: a time without its offset, a number with a comma or a row that goes back in time is an error with
//! its line. Only an empty cell is silence.

mod cell;
mod reading;

use std::io::Read;
use std::time::Duration;

use csv::ByteRecord;
use jiff::Timestamp;

use cell::{number, shortened, time};
pub use reading::Unit;
use reading::{differences, to_power};

use crate::replay::history::{History, Moment, Series};

/// The most columns of a file.
const MOST_COLUMNS: usize = 256;

/// The most values that are kept: ten years of minutes with 19 columns.
const MOST_VALUES: usize = 100_000_000;

/// The longest time in a file. A clock that was never set must not make a record of half a century.
const LONGEST: Duration = Duration::from_secs(20 * 366 * 86_400);

/// The columns that stand for `net` where there are two meters.
const IMPORT: &str = "import";
const EXPORT: &str = "export";

/// How a file is to be read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Format {
    /// What its numbers are.
    pub unit: Unit,
    /// They are the readings of counters that only grow, instead of what belongs to a row; `net` may fall.
    pub counters: bool,
    /// Rows before this are skipped.
    pub from: Option<Timestamp>,
    /// Rows at this and later are skipped.
    pub to: Option<Timestamp>,
}

/// Why a file can't be replayed.
#[derive(Debug, thiserror::Error)]
pub enum CsvError {
    /// A line can't be read.
    #[error("line {line}: {problem}")]
    Line {
        /// Counted from 1, the header included.
        line: u64,
        /// What was expected, and what was found.
        problem: String,
    },
    /// Counters can't be what was meant.
    #[error("--counters: counters count energy, expected --unit Wh or kWh with it")]
    PowerCounted,
    /// The file as a whole is of no use.
    #[error("{0}")]
    Whole(String),
}

fn at(line: u64, problem: impl Into<String>) -> CsvError {
    CsvError::Line { line, problem: problem.into() }
}

/// Reads a file.
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
        .from_reader(input.chain("\n".as_bytes()));
    let mut record = ByteRecord::new();
    let more = |reader: &mut csv::Reader<_>, record: &mut ByteRecord| {
        reader.read_byte_record(record).map_err(|error| CsvError::Whole(format!("can't be read: {error}")))
    };
    if !more(&mut reader, &mut record)? {
        return Err(CsvError::Whole("the file is empty: expected a header such as time,net,solar,ev".into()));
    }
    let header = Header::read(&record)?;
    let mut rows = Rows::new(&header, format);
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

struct Rows<'a> {
    format: &'a Format,
    times: Vec<Moment>,
    /// As they stand there, scaled to watts or watt-hours; by column, that of the time is empty.
    columns: Vec<Vec<f64>>,
}

impl<'a> Rows<'a> {
    fn new(header: &Header, format: &'a Format) -> Self {
        Self { format, times: Vec::new(), columns: vec![Vec::new(); header.names.len()] }
    }

    fn push(&mut self, header: &Header, record: &ByteRecord, line: u64) -> Result<(), CsvError> {
        let time = time(record.get(header.time).unwrap_or_default()).map_err(|problem| at(line, problem))?;
        let Format { from, to, .. } = self.format;
        if from.is_some_and(|from| time < from) || to.is_some_and(|to| time >= to) {
            return Ok(());
        }
        let moment = Moment::from(time);
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
            net: Series::default(),
            solar: Series::default(),
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
                "net" => history.net = Series(values),
                "solar" => history.solar = Series(values),
                IMPORT if header.split => import = values,
                EXPORT if header.split => export = values,
                _ => history.circuits.push((name, Series(values))),
            }
        }
        if header.split {
            history.net = Series(import.iter().zip(export).map(|(import, export)| import - export).collect());
        }
        if self.format.counters {
            // The last reading ends a row and begins none.
            history.times.pop();
        }
        Ok(history)
    }
}

/// The middle one of all intervals.
fn usual_interval(times: &[Moment]) -> Option<Duration> {
    let mut intervals: Vec<i64> = times.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    if intervals.is_empty() {
        return None;
    }
    let middle = (intervals.len() - 1) / 2;
    let (_, middle, _) = intervals.select_nth_unstable(middle);
    u64::try_from(*middle).ok().map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::units::Watts;

    fn read(text: &str, format: Format) -> Result<History, String> {
        super::read(text.as_bytes(), &format).map_err(|error| error.to_string())
    }

    fn refused(text: &str) -> String {
        read(text, Format::default()).unwrap_err()
    }

    /// The column `ev` of three quarters of an hour with a reading each.
    fn check(unit: Unit, counters: bool, values: [&str; 3], expect: [Option<f64>; 3]) {
        let text = format!(
            "time,net,solar,ev\n2026-01-01T00:00Z,,,{}\n2026-01-01T00:15Z,,,{}\n2026-01-01T00:30Z,,,{}\n",
            values[0], values[1], values[2]
        );
        let history = read(&text, Format { unit, counters, ..Format::default() }).unwrap();
        let found = [0, 1, 2].map(|row| history.circuit(0, row));
        assert_eq!(found, expect.map(|value| value.map(Watts)), "{values:?}");
    }

    #[test]
    fn every_unit_becomes_watts() {
        check(Unit::Watts, false, ["100", "", "-3.5"], [Some(100.0), None, Some(-3.5)]);
        check(Unit::Kilowatts, false, ["0.1", "NaN", "unavailable"], [Some(100.0), None, None]);
        check(Unit::WattHours, false, ["25", "50", ""], [Some(100.0), Some(200.0), None]);
        check(Unit::KilowattHours, false, ["0.025", "0", "1"], [Some(100.0), Some(0.0), Some(4000.0)]);
        check(Unit::KilowattHours, true, ["7", "7.5", "8.5"], [Some(2000.0), Some(4000.0), None]);
        check(Unit::WattHours, true, ["900", "0", "50"], [None, Some(200.0), None]);
        // A meter that slips for a reading hasn't counted all its life in a quarter of an hour.
        check(Unit::WattHours, true, ["900", "0", "950"], [None, None, None]);
    }

    #[test]
    fn nothing_in_a_file_can_steer_a_terminal() {
        let said = [
            refused("time,\x1b[2J\n"),
            refused("time,net,solar\n0,\x1b[2J,0\n"),
            refused("time,net,solar\n\x1b[2J,0,0\n"),
        ];
        assert!(said.iter().all(|said| !said.chars().any(char::is_control)), "{said:?}");
    }

    #[test]
    fn net_is_one_column_or_two_and_a_counter_of_it_goes_both_ways() {
        let check = |header: &str, format: Format, rows: [&str; 3], expect: &[f64]| {
            let [a, b, c] = rows;
            let history = read(&format!("time,{header},solar\n0,{a},0\n900,{b},0\n1800,{c},0\n"), format).unwrap();
            let net: Vec<f64> = (0..history.rows()).map(|row| history.net(row).unwrap().0).collect();
            assert_eq!((net.as_slice(), history.resets(), history.circuits().count()), (expect, 0, 0), "{header}");
        };
        let counters = Format { unit: Unit::WattHours, counters: true, ..Format::default() };
        check("import,export", Format::default(), ["300,0", "0,1200", "10,10"], &[300.0, -1200.0, 0.0]);
        check("import,export", counters, ["7000,900", "7100,900", "7100,950"], &[400.0, -200.0]);
        check("net", counters, ["7000", "7100", "7050"], &[400.0, -200.0]);
    }

    #[test]
    fn a_row_ends_with_the_next_or_when_one_is_missing_after_the_usual_time() {
        let text = "time,net,solar\n0,1,0\n60,1,0\n121,1,0\n300,1,0\n360,1,0\n";
        let history = read(text, Format::default()).unwrap();
        assert_eq!(history.interval(), Duration::from_secs(60));
        let ends: Vec<i64> = (0..5).map(|row| history.end(row).0 / 1000).collect();
        assert_eq!(ends, [60, 121, 181, 360, 420]);
    }

    #[test]
    fn times_carry_their_offset() {
        let text = "\u{feff}time,net,solar\n2026-01-01 01:00+01:00,1,0\n2026-01-01T00:15:00Z,1,0\n1767227400,1,0\n";
        let history = read(text, Format::default()).unwrap();
        let minutes: Vec<i64> = (0..3).map(|row| (history.begin(row).0 - history.begin(0).0) / 60_000).collect();
        assert_eq!(minutes, [0, 15, 30]);
    }

    #[test]
    fn a_part_is_read_and_the_rest_is_not_judged_but_for_its_times() {
        let text = "time,net,solar\n0,x,0\n60,1,0\n120,2,0\n180,x,0\n";
        let time = |second| Some(Timestamp::from_second(second).unwrap());
        let history = read(text, Format { from: time(60), to: time(180), ..Format::default() }).unwrap();
        assert_eq!((history.rows(), history.net(0)), (2, Some(Watts(1.0))));
    }

    #[test]
    fn refusals_name_the_line_and_what_was_expected() {
        let row = |row: &str| refused(&format!("time,net,solar,ev\n2026-01-01T00:00Z,1,0,0\n\n{row}\n"));
        assert_snapshot!(row("2026-01-01T00:15Z,1 kW,0,0"), @r#"line 4: `net`: expected a number, or nothing where it was not recorded, found "1 kW""#);
        assert_snapshot!(row("2026-01-01T00:15Z,1,0,99999999"), @"line 4: `ev`: 99999999 W is beyond ±10 MW: is --unit right?");
        assert_snapshot!(row("2026-01-01T00:15Z,1,0,0,5"), @"line 4: 5 values for 4 columns");
        assert_snapshot!(row("2026-01-01T00:00Z,1,0,0"), @"line 4: 2026-01-01T00:00:00Z comes after 2026-01-01T00:00:00Z: expected ascending times, each once");
        assert_snapshot!(row("2026-01-01T00:15,1,0,0"), @r#"line 4: `time`: "2026-01-01T00:15" does not say where: expected 2026-01-01T00:15Z or with an offset such as +01:00"#);
        assert_snapshot!(row("nan,1,0,0"), @r#"line 4: `time`: expected RFC 3339 such as 2016-06-01T12:00:00Z, or Unix seconds, found "nan""#);
        assert_snapshot!(row("2056-01-01T00:15Z,1,0,0"), @"line 4: 2056-01-01T00:15:00Z is more than 20 years after 2026-01-01T00:00:00Z: take the part that is meant with --from and --to");
        assert_snapshot!(row("1.1.2026 00:15,1,0,0"), @r#"line 4: `time`: expected RFC 3339 such as 2016-06-01T12:00:00Z, or Unix seconds, found "1.1.2026 00:15""#);
    }

    #[test]
    fn refusals_of_the_whole_say_what_it_should_have_been() {
        assert_snapshot!(refused(""), @"the file is empty: expected a header such as time,net,solar,ev");
        assert_snapshot!(refused("time;net;solar\n"), @"line 1: expected columns separated by commas, found ';' between them");
        assert_snapshot!(refused("time,grid,solar\n"), @"line 1: there is no column `net`: expected time,net,solar,<circuits>, or import and export instead of net, found time,grid,solar");
        assert_snapshot!(refused("time,net,solar,ev,ev\n"), @"line 1: there are two columns `ev`");
        assert_snapshot!(refused("time,net,solar\n0,1,0\n"), @"expected two rows at least, found 1");
        let format = Format { counters: true, ..Format::default() };
        assert_snapshot!(read("time,net,solar\n", format).unwrap_err(), @"--counters: counters count energy, expected --unit Wh or kWh with it");
        let format = Format { unit: Unit::KilowattHours, ..Format::default() };
        assert_snapshot!(read("time,net,solar\n0,1,0\n60,250,0\n", format).unwrap_err(), @"`net` comes to 15000000 W at 1970-01-01T00:01:00Z: is --unit right?");
    }
}
