//! Where the sun stands, and what a clear sky lets through of it onto a roof.
//!
//! Position: the NREL algorithm (Reda, Andreas: "Solar position algorithm for solar radiation applications", Solar Energy
//! 76, 2004), from the crate `solar-positioning`. Clouds are in `simulate/sky.rs`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use solar_positioning::time::JulianDate;
use solar_positioning::{Location, SolarPositions};

use crate::units::Watts;

/// TT − UT1 in seconds: about what it is in the 2020s. Ten seconds more move the sun by less than 0.001°.
const DELTA_T: f64 = 69.2;

/// The solar constant as the model of direct light was fitted with it, in W/m².
const SOLAR_CONSTANT: f64 = 1353.0;

/// Diffuse light of a clear sky, as a share of the direct light on a plane that faces the sun.
const CLEAR_DIFFUSE: f64 = 0.1;

/// What grass and roofs reflect: the usual albedo.
const ALBEDO: f64 = 0.2;

/// What soiling, wiring, mismatch and the inverter leave of the nameplate: 14 % losses, the default of NREL's PVWatts
/// (Dobos, "PVWatts Version 5 Manual", NREL/TP-6A20-62641, 2014).
const PERFORMANCE: f64 = 0.86;

/// The irradiance at which panels give their peak power, in W/m².
const STANDARD: f64 = 1000.0;

/// Where a home stands, and the panels on its roof.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    /// Degrees north; south is negative.
    pub latitude: f64,
    /// Degrees east; west is negative.
    pub longitude: f64,
    /// Its panels.
    pub panels: Vec<Panels>,
}

/// Panels that face one way, an item of `power.estimate.panels`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Panels {
    /// Where they look: degrees clockwise from north, 180 is south.
    pub azimuth: f64,
    /// Degrees from flat: 0 lies, 90 hangs on a wall.
    pub tilt: f64,
    /// Nameplate power of all of them.
    pub peak_power: Watts,
}

/// The sun in the sky.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sun {
    /// Degrees clockwise from north.
    pub azimuth: f64,
    /// Degrees from straight above; beyond 90 it is below the horizon.
    pub zenith: f64,
}

/// Light, in W/m².
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Light {
    /// Straight from the sun, on a plane that faces it.
    pub direct: f64,
    /// From all of the sky, on a plane that lies flat.
    pub diffuse: f64,
}

impl Site {
    /// Returns where the sun stands.
    #[must_use]
    pub fn sun(&self, time: Timestamp) -> Sun {
        position(time, self.latitude, self.longitude)
    }

    /// Returns the power of all panels under a clear sky.
    #[must_use]
    pub fn clear_sky_production(&self, time: Timestamp) -> Watts {
        let sun = self.sun(time);
        self.production(sun, sun.clear_sky())
    }

    /// Returns the power of all panels in this light.
    #[must_use]
    pub fn production(&self, sun: Sun, light: Light) -> Watts {
        self.panels.iter().map(|panels| panels.production(sun, light)).sum()
    }
}

impl Sun {
    /// Returns the light that comes through a clear sky at sea level.
    ///
    /// Direct light by Meinel, `1353 · 0.7^(AM^0.678)` (A. and M. Meinel, "Applied Solar Energy", 1976), with the air mass
    /// of Kasten and Young (Applied Optics 28, 1989), and a tenth of it from the whole sky.
    #[must_use]
    pub fn clear_sky(self) -> Light {
        if self.zenith >= 90.0 {
            return Light::default();
        }
        let direct = SOLAR_CONSTANT * 0.7_f64.powf(self.air_mass().powf(0.678));
        Light { direct, diffuse: CLEAR_DIFFUSE * direct }
    }

    /// Returns the relative air mass: how much more air the light crosses than from straight above.
    fn air_mass(self) -> f64 {
        (self.height() + 0.505_72 * (96.079_95 - self.zenith).powf(-1.6364)).recip()
    }

    /// Returns the cosine of the zenith angle; 0 below the horizon.
    #[must_use]
    pub fn height(self) -> f64 {
        self.zenith.to_radians().cos().max(0.0)
    }
}

impl Light {
    /// Returns the irradiance on a plane that lies flat, in W/m².
    #[must_use]
    pub fn global(self, sun: Sun) -> f64 {
        self.direct * sun.height() + self.diffuse
    }
}

impl Panels {
    /// Returns their power in this light. The sky is taken as equally bright everywhere (Liu and Jordan, Solar Energy 7, 1963).
    #[must_use]
    pub fn production(&self, sun: Sun, light: Light) -> Watts {
        let (tilt, zenith) = (self.tilt.to_radians(), sun.zenith.to_radians());
        let aside = (sun.azimuth - self.azimuth).to_radians();
        let incidence = zenith.cos() * tilt.cos() + zenith.sin() * tilt.sin() * aside.cos();
        let direct = light.direct * incidence.max(0.0);
        let sky = light.diffuse * f64::midpoint(1.0, tilt.cos());
        let ground = light.global(sun) * ALBEDO * (1.0 - tilt.cos()) / 2.0;
        self.peak_power * (PERFORMANCE * (direct + sky + ground) / STANDARD)
    }
}

fn position(time: Timestamp, latitude: f64, longitude: f64) -> Sun {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit")]
    let days = time.as_millisecond() as f64 / 86_400_000.0;
    let location = Location { latitude, longitude };
    let found = JulianDate::new(2_440_587.5 + days, DELTA_T)
        .and_then(|time| SolarPositions::new().at_from_julian(time, location, 0.0, None));
    // Only coordinates that don't exist, or a time outside of eight thousand years: a night is the safe answer.
    found.map_or(Sun { azimuth: 0.0, zenith: 180.0 }, |found| Sun {
        azimuth: found.azimuth(),
        zenith: found.zenith_angle(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(value: f64, expect: f64, tolerance: f64) {
        assert!((value - expect).abs() <= tolerance, "{value} is not {expect} ± {tolerance}");
    }

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    #[test]
    fn the_sun_stands_where_published_tables_say() {
        let check = |time: &str, latitude: f64, longitude: f64, zenith: f64, azimuth: f64, tolerance: f64| {
            let sun = position(at(time), latitude, longitude);
            near(sun.zenith, zenith, tolerance);
            near(sun.azimuth, azimuth, tolerance);
        };
        // The worked example of Reda and Andreas (NREL/TP-560-34302, table A5.1): Golden, Colorado. Theirs is the apparent
        // zenith, at 1830 m and with refraction, which lifts it by 0.016° there.
        check("2003-10-17T12:30:30-07:00", 39.742_476, -105.178_6, 50.1116, 194.3402, 0.02);
        // Greenwich at the solstice: noon height is 90° − latitude + the obliquity of 23.436°; the equation of time is −1 m 50 s.
        check("2024-06-21T12:01:50Z", 51.4769, 0.0, 51.4769 - 23.436, 180.0, 0.06);
        // The equator at the equinox of 2024-03-20, 03:06 UTC: the sun rises due east.
        check("2024-03-20T06:07:20Z", 0.0, 0.0, 90.0, 90.0, 0.1);
    }

    #[test]
    fn the_clear_sky_is_that_of_the_publications() {
        // Kasten and Young, table II: air mass at these heights above the horizon.
        for (height, air_mass, tolerance) in
            [(90.0, 0.9997, 1e-3), (30.0, 1.9939, 2e-3), (10.0, 5.5841, 2e-2), (0.0, 37.92, 0.2)]
        {
            near(Sun { azimuth: 0.0, zenith: 90.0 - height }.air_mass(), air_mass, tolerance);
        }
        // Meinel at air mass 1: 1353 · 0.7.
        near(Sun { azimuth: 0.0, zenith: 0.0 }.clear_sky().direct, 947.0, 1.0);
        assert_eq!(Sun { azimuth: 0.0, zenith: 90.1 }.clear_sky(), Light::default());
    }

    #[test]
    fn a_clear_day_in_june_gives_what_roofs_are_known_to_give() {
        let site = Site {
            latitude: 52.5,
            longitude: 13.4,
            panels: vec![Panels { azimuth: 180.0, tilt: 35.0, peak_power: Watts(1000.0) }],
        };
        let day = |date: &str| -> f64 {
            let midnight = at(&format!("{date}T00:00:00Z"));
            (0..288)
                .map(|n| site.clear_sky_production(midnight + jiff::SignedDuration::from_mins(n * 5)).0 / 12.0)
                .sum()
        };
        // Best days of south roofs in Berlin come to about 7 kWh per kWp in June, and below 3 in December.
        near(day("2026-06-21"), 7000.0, 800.0);
        near(day("2026-12-21"), 2200.0, 800.0);
        let noon = site.clear_sky_production(at("2026-06-21T11:08:00Z"));
        near(noon.0, 830.0, 60.0);
        assert_eq!(site.clear_sky_production(at("2026-06-21T23:00:00Z")), Watts::ZERO);
    }

    #[test]
    fn panels_give_most_to_the_side_they_face() {
        let facing = |azimuth| Panels { azimuth, tilt: 40.0, peak_power: Watts(1000.0) };
        let morning = Sun { azimuth: 90.0, zenith: 60.0 };
        let give = |azimuth| facing(azimuth).production(morning, morning.clear_sky()).0;
        assert!(give(90.0) > give(180.0) && give(180.0) > give(270.0));
        // Behind the roof only the sky is left.
        let wall = Panels { azimuth: 270.0, tilt: 90.0, peak_power: Watts(1000.0) };
        let light = morning.clear_sky();
        let left = light.diffuse / 2.0 + light.global(morning) * 0.1;
        near(wall.production(morning, light).0, 0.86 * left, 1e-9);
    }
}
