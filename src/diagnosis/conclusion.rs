//! What came, and what follows from it.

use super::observation::Observation;
use crate::core::Instant;

/// The result of listening. Its `Display` is the page that people read.
#[derive(Debug)]
pub struct Diagnosis {
    /// Everything that came.
    pub observation: Observation,
    /// When listening ended.
    pub end: Instant,
    /// What will not work as intended, in whole sentences, the worst first.
    pub problems: Vec<String>,
    /// What the time was too short to find out, in whole sentences.
    pub notes: Vec<String>,
}
