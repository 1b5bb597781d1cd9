//! What the numbers of a file are: powers, energies or the readings of counters, and how each becomes watts.
//!
//! Refuses to believe a counter that falls.

use super::CsvError;
use crate::replay::history::History;

/// What no home uses, in watts.
pub(super) const LARGEST: f64 = 10e6;

/// What the numbers of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Unit {
    /// Mean power in watts.
    #[default]
    #[value(name = "W")]
    Watts,
    /// Mean power in kilowatts.
    #[value(name = "kW")]
    Kilowatts,
    /// Energy in watt-hours.
    #[value(name = "Wh")]
    WattHours,
    /// Energy in kilowatt-hours.
    #[value(name = "kWh")]
    KilowattHours,
}

impl Unit {
    pub(super) fn factor(self) -> f64 {
        match self {
            Self::Watts | Self::WattHours => 1.0,
            Self::Kilowatts | Self::KilowattHours => 1000.0,
        }
    }

    pub(super) fn is_energy(self) -> bool {
        matches!(self, Self::WattHours | Self::KilowattHours)
    }
}

/// Readings of a counter → what each row added. Answers how often it went backwards, unless it `may_fall`: what came from
/// the grid less what went there is both more and less as the day goes.
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

/// Watt-hours of each row → its mean watts. What a counter says across a gap belongs to the gap.
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
