//! Chance for models of homes.

/// Numbers that look random and are the same every time.
#[derive(Debug, Clone)]
pub(super) struct Lcg(pub(super) u64);

impl Lcg {
    /// From 0 to 1.
    pub(super) fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(self.0 >> 33).unwrap()) / f64::from(u32::MAX >> 1)
    }

    pub(super) fn between(&mut self, least: f64, most: f64) -> f64 {
        least + (most - least) * self.uniform()
    }

    pub(super) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
        choices[((self.uniform() * choices.len() as f64) as usize).min(choices.len() - 1)]
    }

    /// Standard normal, as the sum of twelve.
    pub(super) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}
