//! Clouds: days have a character, the cover drifts over hours, and single clouds pass the sun within minutes.
//!
//! Doesn't know where the sun stands, only what clouds leave of a clear sky's light.

use jiff::civil::DateTime;

use super::random::SeededRandom;
use crate::sun::{Light, Sun};

/// How long a cloud that passes takes, and how long the cover holds.
const CLOUD_MINUTES: f64 = 7.0;
const COVER_MINUTES: f64 = 100.0;

/// A thick cloud before the sun leaves so much of its direct light.
const THICKEST: f64 = 0.97;

/// How soft the edges of clouds are: the part of their passage in which they thicken.
const EDGE: f64 = 0.12;

/// The weather of one seed.
#[derive(Debug, Clone, Copy)]
pub struct Sky(SeededRandom);

/// Clouds at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clouds {
    /// The share of the sky that they cover.
    pub cover: f64,
    /// The share of the sun's direct light that they take away.
    pub shade: f64,
}

/// What a day is like: the cover stays between the two.
const DAYS: [(f64, f64, f64); 4] = [
    // One day in four is clear,
    (0.25, 0.0, 0.03),
    // two of five have cumulus in fair weather,
    (0.65, 0.05, 0.5),
    // some are changeable,
    (0.85, 0.25, 1.0),
    // and the others overcast.
    (1.0, 0.97, 1.0),
];

impl Sky {
    /// The weather of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(SeededRandom::new(seed).stream("sky"))
    }

    /// Returns the clouds at a local time.
    #[must_use]
    pub fn clouds(self, local: DateTime) -> Clouds {
        let minutes = minutes(local);
        #[expect(clippy::cast_possible_truncation, reason = "days since the year 0")]
        let day = (minutes / 1440.0).floor() as i64;
        let character = self.0.stream("day").fraction(day);
        let (_, least, most) = DAYS.into_iter().find(|(up_to, ..)| character < *up_to).unwrap_or(DAYS[3]);
        let cover = least + (most - least) * self.0.stream("cover").noise(minutes / COVER_MINUTES);
        let passing = self.0.stream("cloud").noise(minutes / CLOUD_MINUTES);
        // Without any cover nothing passes, under a full one there is no gap.
        let beyond = passing - ((1.0 + EDGE / 2.0) - (1.0 + EDGE) * cover);
        Clouds { cover, shade: THICKEST * (beyond / EDGE + 0.5).clamp(0.0, 1.0) }
    }
}

impl Clouds {
    /// Returns what they leave of the light of a clear sky.
    ///
    /// The mean over passing clouds is Kasten and Czeplak's (Solar Energy 24, 1980): with cover N the global irradiance is
    /// `1 − 0.75 · N^3.4` of that of a clear sky. What they take off the direct light and don't reflect comes from all of
    /// the sky.
    #[must_use]
    pub fn filter(self, clear: Light, sun: Sun) -> Light {
        let mean = clear.global(sun) * (1.0 - 0.75 * self.cover.powf(3.4));
        let mean_direct = clear.direct * sun.height() * (1.0 - self.cover);
        Light { direct: clear.direct * (1.0 - self.shade), diffuse: (mean - mean_direct).max(0.0) }
    }

    /// Returns the cover in words: `a few clouds`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self.cover {
            cover if cover < 0.1 => "clear",
            cover if cover < 0.35 => "a few clouds",
            cover if cover < 0.7 => "clouds",
            cover if cover < 0.9 => "mostly cloudy",
            _ => "overcast",
        }
    }
}

/// Local minutes since the year 0, as days and clouds are counted.
fn minutes(local: DateTime) -> f64 {
    let days = (local.date() - jiff::civil::date(0, 1, 1)).get_days();
    f64::from(days) * 1440.0
        + f64::from(local.hour()) * 60.0
        + f64::from(local.minute())
        + f64::from(local.second()) / 60.0
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;

    /// Every minute from ten to four of so many days.
    fn around_noon(sky: Sky, days: i64) -> impl Iterator<Item = Clouds> {
        (0..days).flat_map(move |day| {
            let noon = jiff::civil::date(2026, 1, 1).at(10, 0, 0, 0) + day.days();
            (0..360_i64).map(move |minute| sky.clouds(noon + minute.minutes()))
        })
    }

    #[test]
    fn there_are_clear_days_cumulus_and_overcast_hours() {
        let days: Vec<Vec<Clouds>> =
            around_noon(Sky::new(1), 200).collect::<Vec<_>>().chunks(360).map(<[_]>::to_vec).collect();
        let clear = days.iter().filter(|day| day.iter().all(|clouds| clouds.shade < 0.1)).count();
        let grey = days.iter().filter(|day| day.iter().all(|clouds| clouds.shade > 0.5)).count();
        let changes =
            |day: &Vec<Clouds>| day.windows(2).filter(|pair| (pair[0].shade > 0.5) != (pair[1].shade > 0.5)).count();
        let cumulus = days.iter().filter(|day| changes(day) >= 6).count();
        assert!((20..90).contains(&clear) && (15..90).contains(&grey) && cumulus > 40, "{clear} {grey} {cumulus}");
    }

    #[test]
    fn the_sun_is_covered_as_often_as_the_sky_is() {
        // Over many minutes the share of shade follows the cover, as the mean of the light is meant.
        for least in [0.0_f64, 0.2, 0.4, 0.6, 0.8] {
            let most = least + 0.2;
            let of = |seed| around_noon(Sky::new(seed), 100).filter(|clouds| (least..most).contains(&clouds.cover));
            let all: Vec<Clouds> = (0..5).flat_map(of).collect();
            #[expect(clippy::cast_precision_loss, reason = "some thousands")]
            let mean = |f: fn(&Clouds) -> f64| all.iter().map(f).sum::<f64>() / all.len() as f64;
            let (cover, shade) = (mean(|clouds| clouds.cover), mean(|clouds| clouds.shade));
            assert!((cover - shade).abs() < 0.1, "{cover} {shade}");
        }
    }

    #[test]
    fn an_overcast_sky_leaves_a_quarter_and_a_clear_one_all() {
        let sun = Sun { azimuth: 180.0, zenith: 40.0 };
        let clear = sun.clear_sky();
        let left = |cover, shade| Clouds { cover, shade }.filter(clear, sun).global(sun) / clear.global(sun);
        assert!((left(0.0, 0.0) - 1.0).abs() < 1e-12);
        assert!((left(1.0, 1.0) - 0.25).abs() < 1e-12);
        // The edge of a cloud is bright: the sun, and the light that the cloud scatters.
        assert!(left(0.5, 0.0) > 1.0);
    }
}
