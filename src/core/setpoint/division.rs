//! How what is there is divided among the tasks that share it.

use crate::units::Watts;

/// One of the tasks that share.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sharer {
    /// It can't use less while it runs.
    pub(crate) least: Watts,
    pub(crate) most: Watts,
    /// What it can be seen to take of it.
    pub(crate) takes: Watts,
}

/// Divides what is there among tasks in descending importance. Each has its least; then the first takes what it can
/// take, then the next. What none of them takes is offered to the first again: it might.
pub(crate) fn divide(total: Watts, sharers: &[Sharer]) -> Vec<Watts> {
    let mut shares: Vec<Watts> = sharers.iter().map(|sharer| sharer.least).collect();
    let mut rest = (total - shares.iter().copied().sum()).max(Watts::ZERO);
    let mut give = |limit: &dyn Fn(&Sharer) -> Watts| {
        for (share, sharer) in shares.iter_mut().zip(sharers) {
            let more = (limit(sharer).min(sharer.most) - *share).max(Watts::ZERO).min(rest);
            *share += more;
            rest -= more;
        }
    };
    give(&|sharer| sharer.takes);
    give(&|sharer| sharer.most);
    shares
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sharer() -> impl Strategy<Value = Sharer> {
        (0.0..5000.0, 0.0..8000.0, 0.0..9000.0).prop_map(|(least, more, takes)| Sharer {
            least: Watts(least),
            most: Watts(least + more),
            takes: Watts(takes),
        })
    }

    proptest! {
        #[test]
        fn nobody_gets_more_than_is_there_and_nothing_is_left_that_somebody_could_get(
            total in -5000.0..40_000.0,
            sharers in proptest::collection::vec(sharer(), 1..5),
        ) {
            let shares = divide(Watts(total), &sharers);
            let sum = |of: &dyn Fn(&Sharer) -> Watts| sharers.iter().map(of).sum::<Watts>().0;
            let (least, most) = (sum(&|sharer| sharer.least), sum(&|sharer| sharer.most));
            let given = shares.iter().copied().sum::<Watts>().0;
            prop_assert!((given - total.max(least).min(most)).abs() < 1e-6, "{given} of {total}");
            for (share, sharer) in shares.iter().zip(&sharers) {
                prop_assert!(*share >= sharer.least && share.0 <= sharer.most.0 + 1e-6);
            }
            // A task that is not full comes before those that got more than their least.
            let hungry = sharers.iter().zip(&shares).position(|(sharer, share)| share.0 + 1e-6 < sharer.most.min(sharer.takes).0);
            for (share, sharer) in shares.iter().zip(&sharers).skip(hungry.map_or(usize::MAX, |first| first + 1)) {
                prop_assert!((*share - sharer.least).abs().0 < 1e-6);
            }
        }
    }
}
