//! Why a file can't be replayed.

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

/// Returns the error of a line.
pub(super) fn at(line: u64, problem: impl Into<String>) -> CsvError {
    CsvError::Line { line, problem: problem.into() }
}
