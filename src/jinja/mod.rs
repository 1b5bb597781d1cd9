//! Jinja with the filters and functions that Home Assistant adds, for criteria, templates of devices and derived keys.
//!
//! Every evaluation is bounded, and sees only the values that it is given: no files, no clock, no network. A value that is
//! missing is an error of the kind "undefined", never a guess.

mod arguments;
mod bounds;
mod comparisons;
mod constants;
mod environment;
mod expression;
mod fields;
mod functions;
mod gate;
mod growth;
mod measure;
mod names;
mod numbers;
mod patterns;
mod program;
mod quoted;
mod ranges;
mod words;

pub(crate) use bounds::{CONFIGURATION, CRITERIA, plain, takes_too_much};
pub(crate) use comparisons::numbers_compared_with;
pub(crate) use environment::{LONGEST, environment};
pub(crate) use expression::{ExpressionError, compile};
pub use fields::StateFields;
pub(crate) use names::Names;
pub(crate) use numbers::{Number, is_placeholder, number};
pub(crate) use program::{Program, ProgramError};
pub(crate) use words::unknown_word;
