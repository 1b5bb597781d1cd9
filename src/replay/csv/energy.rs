//! Readings of counters, and energies, become mean powers. A counter that falls is not believed.

use super::error::CsvError;
use super::format::LARGEST;
use crate::replay::history::History;

/// Turns the readings of a counter into what each row added. Returns how often the counter went backwards. `may_fall`: it is
/// the difference of import and export, which does both.
pub(super) fn differences(values: &mut [f64], may_fall: bool) -> usize {
    let mut resets = 0;
    for row in 1..values.len().saturating_sub(1) {
        // A reading below both of its neighbours, which go on as if nothing had been, is a slip and no new meter: what
        // follows it would be all that the counter ever counted.
        if !may_fall && values[row] < values[row - 1] && values[row - 1] <= values[row + 1] {
            values[row] = f64::NAN;
            resets += 1;
        }
    }
    for row in 0..values.len() {
        let difference = values.get(row + 1).map_or(f64::NAN, |next| next - values[row]);
        let reset = difference < 0.0 && !may_fall;
        resets += usize::from(reset);
        values[row] = if reset { f64::NAN } else { difference };
    }
    resets
}

/// Turns the watt-hours of each row into its mean watts. What a counter added across a gap belongs to the gap.
pub(super) fn to_power(history: &History, name: &str, values: &mut [f64], counters: bool) -> Result<(), CsvError> {
    for (row, value) in values.iter_mut().enumerate() {
        let (begin, end) = (history.begin(row), history.end(row));
        if counters && history.times.get(row + 1) != Some(&end) {
            *value = f64::NAN;
        }
        *value /= begin.until(end).as_secs_f64() / 3600.0;
        if value.abs() > LARGEST {
            let (time, value) = (begin.timestamp(), *value);
            return Err(CsvError::Whole(format!("`{name}` comes to {value:.0} W at {time}: is --unit right?")));
        }
    }
    Ok(())
}
