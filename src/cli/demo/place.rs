//! Where the simulated home stands, and the settings of the scheduler that runs it.

use std::time::Duration;

use jiff::tz::TimeZone;

use crate::config::{Config, Mqtt};
use crate::sun::{Panels, Site};
use crate::units::Watts;

/// A computer that is busy for so long must not look like a dead meter.
const HICCUP: Duration = Duration::from_secs(5);

/// Returns the configured time zone, or else that of the simulated home.
pub(super) fn time_zone(config: &Config) -> String {
    const HERE: &str = "Europe/Berlin";
    let home = config.time_zone.clone();
    // A computer without time zone data has a demo all the same.
    home.unwrap_or_else(|| if TimeZone::get(HERE).is_ok() { HERE } else { "UTC" }.to_owned())
}

/// Returns a roof in Berlin with panels for the morning and for the afternoon.
pub(super) fn site() -> Site {
    let panels = |azimuth| Panels { azimuth, tilt: 30.0, peak_power: Watts(3500.0) };
    Site { latitude: 52.5, longitude: 13.4, panels: vec![panels(120.0), panels(210.0)] }
}

/// Returns what the service runs with: the scheduler's settings are those of the configuration, the broker at this URL is
/// the demo's own.
pub(super) fn settings(config: Config, url: &str, speed: f64) -> Config {
    let time_zone = Some(time_zone(&config));
    let mut scheduler = config.scheduler;
    scheduler.max_record_gap = scheduler.max_record_gap.max(HICCUP.mul_f64(speed));
    Config { mqtt: Mqtt { url: Some(url.to_owned()), ..Mqtt::default() }, scheduler, time_zone, ..Config::default() }
}
