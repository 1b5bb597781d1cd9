//! What stands in for a dead meter: production from where the sun is, use from what the running tasks declare.
//!
//! It does not know the weather: the configuration says how much of a clear sky is counted on.

use jiff::Timestamp;

use crate::config::Estimate;
use crate::units::{Quantity, Watts};

/// Returns a record for this time, while tasks use so much. Their own keys are left out: what a silent one counts as is
/// decided where records are made.
pub(super) fn record(estimate: &Estimate, time: Timestamp, tasks: Watts) -> Vec<(String, Quantity)> {
    let solar = estimate.site.clear_sky_production(time) * estimate.clear_sky_share;
    vec![("net".into(), (estimate.base_load + tasks - solar).into()), ("solar".into(), solar.into())]
}
