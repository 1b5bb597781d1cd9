//! How much one evaluation may take, and what is said when it would take more.

use minijinja::{Error, ErrorKind, State};

/// The most that one evaluation may take. What doesn't fit is an ordinary error, alike on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// Size of each value, given or made, in bytes: the bytes of texts, and [`ITEM`] for everything in a list or map.
    pub(crate) value: usize,
    /// Steps: one for each instruction, and one for each 64 bytes that are read or made.
    pub(crate) fuel: u64,
    /// Size of the text that a regular expression is applied to, in bytes.
    pub(crate) searched: usize,
}

/// The bounds of what tasks send.
pub(crate) const CRITERIA: Bounds = Bounds { value: 64 << 10, fuel: 10_000, searched: 16 << 10 };

/// The bounds of what is configured.
pub(crate) const CONFIGURATION: Bounds = Bounds { value: 256 << 10, fuel: 40_000, searched: 64 << 10 };

/// What one item of a list or map counts, in bytes, beside the text in it.
pub(super) const ITEM: usize = 8;

/// How deep lists and maps may lie within each other.
pub(super) const DEEPEST: usize = 64;

/// So many bytes are read or made for one step.
const BYTES_PER_STEP: usize = 64;

/// Marks the errors of what takes too much.
#[derive(Debug, thiserror::Error)]
#[error("takes too much")]
struct TooMuch;

impl Bounds {
    /// Counts work on this many bytes, one step at least: many small pieces are work too.
    pub(super) fn charge(&self, state: &State<'_, '_>, bytes: usize) -> Result<(), Error> {
        state.consume_fuel((bytes / BYTES_PER_STEP) as u64 + 1)
    }

    /// Returns the error of a value that would be too large.
    pub(super) fn too_large(&self, what: &str) -> Error {
        exceeded(format!("{what}: expected a value of at most {} KiB", self.value >> 10))
    }
}

/// Returns the error of something that takes too much.
pub(super) fn exceeded(what: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, what).with_source(TooMuch)
}

/// Returns whether an evaluation failed as it would have taken too much. It would fail so again.
pub(crate) fn takes_too_much(error: &Error) -> bool {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    error.kind() == ErrorKind::OutOfFuel || causes.into_iter().any(<dyn std::error::Error>::is::<TooMuch>)
}

/// Returns the message of an error without the line number, as there is nearly always one line only.
pub(crate) fn plain(error: &Error, bounds: Bounds) -> String {
    match error.detail() {
        // minijinja speaks of fuel here, which means nothing to the author of a template.
        _ if error.kind() == ErrorKind::OutOfFuel => {
            format!("takes more than {} steps: a loop too many, or long texts or lists?", bounds.fuel)
        }
        Some(detail) if takes_too_much(error) => detail.to_owned(),
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}
