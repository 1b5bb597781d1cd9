//! What stands in for a dead meter: production from where the sun is, use from what the running tasks declare.
//!
//! It does not know the weather: the configuration says how much of a clear sky is counted on.

use jiff::Timestamp;

use crate::config::Estimate;
use crate::sun::Site;
use crate::units::Watts;

/// Estimates what a meter would measure.
#[derive(Debug, Clone)]
pub(super) struct Estimator {
    site: Site,
    base_load: Watts,
    clear_sky_share: f64,
}

impl Estimator {
    /// One, if the configuration says where the home and its panels are.
    pub(super) fn new(estimate: &Estimate) -> Option<Self> {
        let (latitude, longitude) = (estimate.latitude?, estimate.longitude?);
        let panels = estimate.panels.clone();
        let (base_load, clear_sky_share) = (estimate.base_load, estimate.clear_sky_share);
        (!panels.is_empty()).then_some(Self { site: Site { latitude, longitude, panels }, base_load, clear_sky_share })
    }

    /// Returns a record for this time, while tasks use so much. Their own keys are left out: what a silent one counts as
    /// is decided where records are made.
    pub(super) fn record(&self, time: Timestamp, tasks: Watts) -> Vec<(String, Watts)> {
        let solar = self.site.clear_sky_production(time) * self.clear_sky_share;
        vec![("net".into(), self.base_load + tasks - solar), ("solar".into(), solar)]
    }
}
