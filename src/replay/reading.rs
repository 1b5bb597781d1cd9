//! What the numbers of a file are: powers, energies or the readings of counters, and how each becomes watts.
//!
//! Refuses to guess a unit, and what a counter said while it slipped.

use crate::replay::history::History;

/// What no home uses, in watts.
const LARGEST: f64 = 10e6;

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
    pub(crate) fn factor(self) -> f64 {
        match self {
            Self::Watts | Self::WattHours => 1.0,
            Self::Kilowatts | Self::KilowattHours => 1000.0,
        }
    }

    /// Of a row, not its mean power.
    pub(crate) fn is_energy(self) -> bool {
        matches!(self, Self::WattHours | Self::KilowattHours)
    }
}

/// A power that a home can have.
pub(crate) fn bounded(watts: f64) -> Result<f64, String> {
    if watts.abs() <= LARGEST {
        return Ok(watts);
    }
    let shown = if watts.abs() < 1e12 { format!("{watts}") } else { format!("{watts:e}") };
    Err(format!("{shown} W is beyond ±10 MW: is --unit right?"))
}

/// Readings of a counter → what each row added. Answers how often it went backwards.
pub(crate) fn differences(values: &mut [f64]) -> usize {
    let mut backwards = 0;
    for row in 1..values.len().saturating_sub(1) {
        // A reading below both of its neighbours, which go on as if nothing had been, is a slip and no new meter: what
        // follows it would be all that the counter ever counted.
        if values[row] < values[row - 1] && values[row - 1] <= values[row + 1] {
            values[row] = f64::NAN;
            backwards += 1;
        }
    }
    for row in 0..values.len() {
        let difference = values.get(row + 1).map_or(f64::NAN, |next| next - values[row]);
        backwards += usize::from(difference < 0.0);
        values[row] = if difference < 0.0 { f64::NAN } else { difference };
    }
    backwards
}

/// Watt-hours of each row → its mean watts. What a counter says across a gap belongs to the gap.
pub(crate) fn to_power(history: &History, name: &str, values: &mut [f64], counters: bool) -> Result<(), String> {
    for (row, value) in values.iter_mut().enumerate() {
        let (begin, end) = (history.begin(row), history.end(row));
        if counters && history.times.get(row + 1) != Some(&end) {
            *value = f64::NAN;
        }
        *value /= begin.until(end).as_secs_f64() / 3600.0;
        if !value.is_nan() {
            bounded(value.round()).map_err(|problem| format!("`{name}` at {}: {problem}", begin.timestamp()))?;
        }
    }
    Ok(())
}
