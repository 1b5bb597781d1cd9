//! What conclusions are drawn from.

use super::observation::Observation;
use crate::core::{Now, Settings};

/// What came, and the settings and the time to judge it by.
pub(crate) struct Case<'a> {
    pub(crate) observation: &'a Observation,
    pub(crate) settings: &'a Settings,
    /// The topic of power records.
    pub(crate) power: &'a str,
    pub(crate) now: Now,
}
