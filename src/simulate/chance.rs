//! Chance that is the same every time: what happens is a function of the seed and of what is asked.
//!
//! Refuses to have a state: asked about noon before or after midnight, it answers the same. Whole numbers are mixed, so
//! that every machine agrees.

use std::ops::Range;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chance(u64);

impl Chance {
    /// Everything that this seed brings.
    #[must_use]
    pub(super) fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    /// One matter's own chance, independent of that of others.
    #[must_use]
    pub(super) fn of(self, matter: &str) -> Self {
        matter.bytes().fold(self, |chance, byte| Self(mix(chance.0 ^ u64::from(byte))))
    }

    /// From 0 up to, but not including, 1: what falls to this number.
    #[must_use]
    pub(super) fn share(self, number: i64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
        let share = (mix(self.0 ^ mix(number.cast_unsigned())) >> 11) as f64 / (1_u64 << 53) as f64;
        share
    }

    /// Somewhere in the range.
    #[must_use]
    pub(super) fn between(self, number: i64, range: Range<f64>) -> f64 {
        range.start + (range.end - range.start) * self.share(number)
    }

    /// A smooth line through the shares of whole numbers, from 0 to 1: what drifts.
    #[must_use]
    pub(super) fn drift(self, at: f64) -> f64 {
        #[expect(clippy::cast_possible_truncation, reason = "a time in minutes or hours")]
        let (number, part) = (at.floor() as i64, at - at.floor());
        let (from, to) = (self.share(number), self.share(number + 1));
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
    fn shares_are_spread_evenly_and_independently() {
        let chance = Chance::new(7).of("clouds");
        let mean = |f: &dyn Fn(i64) -> f64| (0..10_000).map(f).sum::<f64>() / 10_000.0;
        assert!((mean(&|n| chance.share(n)) - 0.5).abs() < 0.01);
        let other = Chance::new(7).of("people");
        let together = mean(&|n| (chance.share(n) - 0.5) * (other.share(n) - 0.5));
        assert!(together.abs() < 0.005, "{together}");
    }

    #[test]
    fn what_drifts_does_not_jump() {
        let chance = Chance::new(1);
        let steepest =
            (0..10_000).map(|n| f64::from(n) / 100.0).map(|at| (chance.drift(at + 0.01) - chance.drift(at)).abs());
        assert!(steepest.fold(0.0, f64::max) < 0.016);
        assert_eq!(chance.drift(5.0), chance.share(5));
    }
}
