//! Random numbers that are a function of the seed and of a name and number.
//!
//! There is no state: the order of the calls doesn't matter. Only whole numbers are mixed, so every machine computes the
//! same.

use std::ops::Range;

/// A source of random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SeededRandom(u64);

impl SeededRandom {
    /// The source of this seed.
    #[must_use]
    pub(super) fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    /// Returns the source of this name, independent of those of other names.
    #[must_use]
    pub(super) fn stream(self, name: &str) -> Self {
        name.bytes().fold(self, |random, byte| Self(mix(random.0 ^ u64::from(byte))))
    }

    /// Returns the random number that belongs to `number`: from 0 up to, but not including, 1.
    #[must_use]
    pub(super) fn fraction(self, number: i64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
        let share = (mix(self.0 ^ mix(number.cast_unsigned())) >> 11) as f64 / (1_u64 << 53) as f64;
        share
    }

    /// Returns the random number that belongs to `number`, in this range.
    #[must_use]
    pub(super) fn between(self, number: i64, range: Range<f64>) -> f64 {
        range.start + (range.end - range.start) * self.fraction(number)
    }

    /// Returns value noise: a smooth line through the fractions of whole numbers, from 0 to 1.
    #[must_use]
    pub(super) fn noise(self, at: f64) -> f64 {
        #[expect(clippy::cast_possible_truncation, reason = "a time in minutes or hours")]
        let (number, part) = (at.floor() as i64, at - at.floor());
        let (from, to) = (self.fraction(number), self.fraction(number + 1));
        from + (to - from) * part * part * (3.0 - 2.0 * part)
    }
}

/// The finalizer of SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
fn mix(number: u64) -> u64 {
    let z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_the_published_one() {
        // The first numbers of SplitMix64 with seed 1234567, as the reference implementation prints them.
        let mut state = 1_234_567_u64;
        let first = [(); 3].map(|()| {
            let number = mix(state);
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            number
        });
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn fractions_are_spread_evenly_and_independently() {
        let random = SeededRandom::new(7).stream("clouds");
        let mean = |f: &dyn Fn(i64) -> f64| (0..10_000).map(f).sum::<f64>() / 10_000.0;
        assert!((mean(&|n| random.fraction(n)) - 0.5).abs() < 0.01);
        let other = SeededRandom::new(7).stream("people");
        let together = mean(&|n| (random.fraction(n) - 0.5) * (other.fraction(n) - 0.5));
        assert!(together.abs() < 0.005, "{together}");
    }

    #[test]
    fn what_drifts_does_not_jump() {
        let random = SeededRandom::new(1);
        let steepest =
            (0..10_000).map(|n| f64::from(n) / 100.0).map(|at| (random.noise(at + 0.01) - random.noise(at)).abs());
        assert!(steepest.fold(0.0, f64::max) < 0.016);
        assert_eq!(random.noise(5.0), random.fraction(5));
    }
}
