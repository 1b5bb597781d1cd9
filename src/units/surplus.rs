//! How a surplus is divided among those that use it.

use super::watts::Watts;

/// Returns what a surplus covers of the power that each consumer draws. The first consumer is served first, the next ones
/// get what is left. A surplus is what the home would have exported without these consumers.
pub fn covered_by_surplus(surplus: Watts, drawn: impl IntoIterator<Item = Watts>) -> impl Iterator<Item = Watts> {
    let mut left = surplus.max(Watts::ZERO);
    drawn.into_iter().map(move |drawn| {
        let covered = drawn.max(Watts::ZERO).min(left);
        left -= covered;
        covered
    })
}

#[cfg(test)]
mod tests {
    use super::{Watts, covered_by_surplus};

    #[test]
    fn the_sun_serves_one_after_the_other() {
        let check = |surplus: f64, drawn: [f64; 3], expect: [f64; 3]| {
            let covered: Vec<Watts> = covered_by_surplus(Watts(surplus), drawn.map(Watts)).collect();
            assert_eq!(covered, expect.map(Watts), "{surplus}");
        };
        check(-100.0, [500.0, 0.0, 300.0], [0.0, 0.0, 0.0]);
        check(600.0, [500.0, 0.0, 300.0], [500.0, 0.0, 100.0]);
        check(900.0, [500.0, -50.0, 300.0], [500.0, 0.0, 300.0]);
    }
}
