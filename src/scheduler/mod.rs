//! The scheduler.
mod time;
pub use time::{Instant, Now};
