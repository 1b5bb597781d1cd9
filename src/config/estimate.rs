//! `[power.estimate]`: what stands in for a meter that is dead, from where the sun is.
//!
//! Half a description is refused: without a place or without panels there is no sun to estimate.

use serde::{Deserialize, Serialize};

use super::checks::not_negative;
use super::findings::Findings;
use crate::sun::{Panels, Site};
use crate::units::Watts;

/// More roofs than any home has.
const MOST_PANELS: usize = 32;

/// `[power.estimate]`. In force once `latitude`, `longitude` and `panels` are given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EstimateSettings {
    /// Degrees north.
    pub latitude: Option<f64>,
    /// Degrees east.
    pub longitude: Option<f64>,
    /// The panels, by the way they face.
    pub panels: Vec<Panels>,
    /// What the home uses besides its tasks.
    pub base_load: Watts,
    /// The share of a clear sky's production that is counted on: the weather isn't known.
    pub clear_sky_share: f64,
}

impl Default for EstimateSettings {
    fn default() -> Self {
        Self { latitude: None, longitude: None, panels: Vec::new(), base_load: Watts(400.0), clear_sky_share: 0.6 }
    }
}

/// Where the sun shines on which panels, and what the home uses: enough to stand in for a meter.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// The place and its panels.
    pub site: Site,
    /// What the home uses besides its tasks.
    pub base_load: Watts,
    /// The share of a clear sky's production that is counted on.
    pub clear_sky_share: f64,
}

/// Returns what the settings describe, if they do, and notes everything in them that can't be meant.
pub(super) fn estimate(written: &EstimateSettings, found: &mut Findings) -> Option<Estimate> {
    let EstimateSettings { latitude, longitude, panels, base_load, clear_sky_share } = written;
    let mut expect = |key: &str, outcome: Result<(), String>| _ = found.expect(key, outcome);
    let wanted = latitude.is_some() || longitude.is_some() || !panels.is_empty();
    let degrees = |value: &Option<f64>, most: f64, example: &str| match value {
        Some(value) => range(*value, -most, most),
        None if wanted => Err(format!("is needed beside the other keys of [power.estimate], for example {example}")),
        None => Ok(()),
    };
    expect("power.estimate.latitude", degrees(latitude, 90.0, "52.5"));
    expect("power.estimate.longitude", degrees(longitude, 180.0, "13.4"));
    expect("power.estimate.base_load", not_negative(*base_load));
    expect("power.estimate.clear_sky_share", range(*clear_sky_share, 0.0, 1.0));
    const PANELS: &str = "power.estimate.panels";
    if wanted && panels.is_empty() {
        let example = "[{ azimuth = 180, tilt = 35, peak_power = 5000 }]";
        expect(PANELS, Err(format!("is needed beside the other keys of [power.estimate], for example {example}")));
    }
    if panels.len() > MOST_PANELS {
        expect(PANELS, Err(format!("expected at most {MOST_PANELS} items, found {}", panels.len())));
    }
    for (at, Panels { azimuth, tilt, peak_power }) in panels.iter().enumerate() {
        let mut item = |key: &str, outcome| expect(&format!("{PANELS}[{at}].{key}"), outcome);
        item("azimuth", range(*azimuth, 0.0, 360.0));
        item("tilt", range(*tilt, 0.0, 90.0));
        item("peak_power", not_negative(*peak_power));
    }
    let site = Site { latitude: (*latitude)?, longitude: (*longitude)?, panels: panels.clone() };
    Some(Estimate { site, base_load: *base_load, clear_sky_share: *clear_sky_share })
}

fn range(value: f64, least: f64, most: f64) -> Result<(), String> {
    if (least..=most).contains(&value) { Ok(()) } else { Err(format!("expected {least} to {most}, found {value}")) }
}
