//! Files in, histories or errors out.

use insta::assert_snapshot;

use super::*;
use std::time::Duration;

use jiff::Timestamp;

use crate::replay::history::History;
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
    // A meter that slips for a reading hasn't counted all its simulation in a quarter of an hour.
    check(Unit::WattHours, true, ["900", "0", "950"], [None, None, None]);
}

#[test]
fn nothing_in_a_file_can_steer_a_terminal() {
    let said =
        [refused("time,\x1b[2J\n"), refused("time,net,solar\n0,\x1b[2J,0\n"), refused("time,net,solar\n\x1b[2J,0,0\n")];
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
