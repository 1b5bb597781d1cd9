//! What was recorded: power by time, in watts. A value that was not recorded is missing, and never filled in.

use std::time::Duration;

use jiff::Timestamp;

use crate::units::Watts;

/// A moment of the wall clock, in milliseconds: replayed time is counted in these, many million times a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplayTime(pub i64);

impl ReplayTime {
    /// Returns the time until `later`; zero if that is earlier.
    #[must_use]
    pub fn until(self, later: Self) -> Duration {
        Duration::from_millis(u64::try_from(later.0 - self.0).unwrap_or(0))
    }

    /// Returns it as a timestamp.
    #[must_use]
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_millisecond(self.0).unwrap_or(Timestamp::MAX)
    }
}

impl From<Timestamp> for ReplayTime {
    fn from(time: Timestamp) -> Self {
        Self(time.as_millisecond())
    }
}

impl std::ops::Add<Duration> for ReplayTime {
    type Output = Self;
    fn add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }
}

/// The values of one column; `NAN` is what wasn't recorded.
#[derive(Debug, Clone, Default)]
pub(crate) struct PowerSeries(pub(crate) Vec<f64>);

impl PowerSeries {
    fn get(&self, row: usize) -> Option<Watts> {
        self.0.get(row).filter(|value| !value.is_nan()).map(|value| Watts(*value))
    }
}

/// How much meters differ; and less power than any home uses.
const TOLERANCE: Watts = Watts(50.0);

/// A recorded time: rows in ascending order, each with its mean powers until the next one.
#[derive(Debug, Clone)]
pub struct History {
    pub(crate) times: Vec<ReplayTime>,
    pub(crate) net: PowerSeries,
    pub(crate) solar: PowerSeries,
    /// The circuits, by name.
    pub(crate) circuits: Vec<(String, PowerSeries)>,
    pub(crate) interval: Duration,
    pub(crate) resets: usize,
}

impl History {
    /// Returns the number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.times.len()
    }

    /// Returns the usual time between two rows.
    #[must_use]
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// Returns how often a counter went backwards: the energy of these rows is not known.
    #[must_use]
    pub fn resets(&self) -> usize {
        self.resets
    }

    /// Returns why the file was probably read with a wrong unit or sign, a sentence each.
    #[must_use]
    pub fn doubts(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        let known = (0..self.rows()).filter_map(|row| self.net(row).zip(self.solar(row)));
        let (mut rows, mut sold_more, mut most) = (0, 0, Watts::ZERO);
        for (net, solar) in known {
            rows += 1;
            sold_more += usize::from(net.export() > solar.max(Watts::ZERO) + TOLERANCE);
            most = most.max(net.max(-net));
        }
        if sold_more * 20 > rows {
            doubts.push(format!(
                "{sold_more} of {rows} rows send more to the grid than the sun gives: is `net` positive where it is bought?"
            ));
        }
        if rows > 0 && most < TOLERANCE {
            doubts.push(format!("the grid never moves more than {most}: is --unit right?"));
        }
        doubts
    }

    /// Returns the names of the circuits, in the order of their columns.
    pub fn circuits(&self) -> impl Iterator<Item = &str> {
        self.circuits.iter().map(|(name, _)| name.as_str())
    }

    /// Returns when a row begins.
    #[must_use]
    pub fn begin(&self, row: usize) -> ReplayTime {
        self.times[row]
    }

    /// Returns when a row ends: with the next one, or after the usual time if that comes late.
    #[must_use]
    pub fn end(&self, row: usize) -> ReplayTime {
        let usual = self.times[row] + self.interval;
        match self.times.get(row + 1) {
            Some(next) if *next <= self.times[row] + self.interval * 3 / 2 => *next,
            _ => usual,
        }
    }

    /// Returns grid power; positive is import.
    #[must_use]
    pub fn net(&self, row: usize) -> Option<Watts> {
        self.net.get(row)
    }

    /// Returns production.
    #[must_use]
    pub fn solar(&self, row: usize) -> Option<Watts> {
        self.solar.get(row)
    }

    /// Returns what a circuit drew.
    #[must_use]
    pub fn circuit(&self, circuit: usize, row: usize) -> Option<Watts> {
        self.circuits.get(circuit)?.1.get(row)
    }
}
