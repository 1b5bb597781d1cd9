//! CSV files become a [`History`](crate::replay::History).

mod cell;
mod energy;
mod error;
mod format;
mod read;
#[cfg(test)]
mod tests;

pub use error::CsvError;
pub use format::{Format, Unit};
pub use read::read;
