//! Listens to a broker for a while, and says which problems have shown. PURE.
//!
//! What the time was too short to find out is reported as unknown. A problem that may have another cause "looks" like one.

mod case;
mod conclusion;
mod listener;
mod observation;
mod page;
mod problems;
mod swapped;
#[cfg(test)]
mod tests;

pub use conclusion::Diagnosis;
pub use listener::Listener;
pub use observation::{Observation, ObservedTask, ObservedTopic, Series};
