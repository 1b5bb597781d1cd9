//! Jinja with the filters and functions that Home Assistant adds, for criteria, templates of devices and derived keys.
//!
//! Every evaluation is bounded, and sees only the values that it is given: no files, no clock, no network. A value that is
//! missing is an error of the kind "undefined", never a guess.

mod arguments;
mod environment;
mod expression;
#[allow(dead_code, unreachable_pub, reason = "the core's public state is about to use it")]
mod fields;
mod functions;
mod numbers;
mod words;

pub(crate) use environment::{LONGEST, environment, plain};
pub(crate) use expression::{ExpressionError, compile};
#[allow(unused_imports, unreachable_pub, reason = "the core's public state is about to use it")]
pub use fields::StateFields;
pub(crate) use numbers::{Number, is_placeholder, number};
pub(crate) use words::unknown_word;
