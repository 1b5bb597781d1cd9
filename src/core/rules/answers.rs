//! What criteria answered in a cycle, so that none is asked twice for what makes no difference to it.
//!
//! Within one cycle everything but the ratio stands still. A criterion that compares the ratio with numbers only says the
//! same between two neighbouring ones: it is asked once for each such stretch, and once for each number.

use std::cell::OnceCell;

use crate::units::Share;

type Answer = Result<bool, String>;

/// What one criterion answered, by stretch.
#[derive(Debug, Default, Clone)]
pub(crate) struct Answers(OnceCell<Box<[OnceCell<Answer>]>>);

impl Answers {
    /// What it says of a ratio. `numbers`: those that it compares the ratio with, in ascending order.
    pub(crate) fn of(&self, ratio: Share, numbers: &[f64], ask: impl FnOnce(Share) -> Answer) -> Answer {
        if !ratio.0.is_finite() {
            return ask(ratio);
        }
        self.at(stretch(ratio, numbers), numbers).get_or_init(|| ask(ratio)).clone()
    }

    /// The end of the lowest stretch of which it says yes; `None`: it says it of none.
    pub(crate) fn least(&self, numbers: &[f64], ask: impl Fn(Share) -> Answer) -> Option<Share> {
        let met =
            |stretch: &usize| self.at(*stretch, numbers).get_or_init(|| ask(within(*stretch, numbers))) == &Ok(true);
        let lowest = (0..=2 * numbers.len()).find(met)?;
        Some(lowest.checked_sub(1).map_or(Share(f64::NEG_INFINITY), |below| Share(numbers[below / 2])))
    }

    fn at(&self, stretch: usize, numbers: &[f64]) -> &OnceCell<Answer> {
        &self.0.get_or_init(|| vec![OnceCell::new(); 2 * numbers.len() + 1].into())[stretch]
    }
}

/// Even ones lie below, between and above the numbers, odd ones are the numbers themselves.
fn stretch(ratio: Share, numbers: &[f64]) -> usize {
    let below = numbers.partition_point(|number| *number < ratio.0);
    2 * below + usize::from(numbers.get(below) == Some(&ratio.0))
}

/// A ratio of this stretch.
fn within(stretch: usize, numbers: &[f64]) -> Share {
    let (index, is_number) = (stretch / 2, stretch % 2 == 1);
    let number = |index: usize| numbers.get(index).copied();
    Share(match (index.checked_sub(1).and_then(number), number(index)) {
        (_, Some(number)) if is_number => number,
        (Some(below), Some(above)) => f64::midpoint(below, above),
        (Some(below), None) => below + 1.0,
        (None, Some(above)) => above - 1.0,
        (None, None) => 0.0,
    })
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_stretch_is_asked_once_and_answers_for_all_of_it() {
        let numbers = [0.5, 1.0];
        let asked = Cell::new(0);
        let ask = |ratio: Share| {
            asked.set(asked.get() + 1);
            if ratio.0 == 1.0 { Err("one".into()) } else { Ok(ratio.0 > 0.5) }
        };
        let answers = Answers::default();
        for _ in 0..2 {
            let said: Vec<_> =
                [0.0, 0.4, 0.5, 0.7, 0.9, 1.0, 2.0, 3.0].map(|ratio| answers.of(Share(ratio), &numbers, ask)).into();
            let expect: Vec<_> = [0.0, 0.4, 0.5, 0.7, 0.9, 1.0, 2.0, 3.0].map(|ratio| ask(Share(ratio))).into();
            assert_eq!(said, expect);
        }
        assert_eq!(asked.get(), 5 + 16);
        assert_eq!(answers.least(&numbers, ask), Some(Share(0.5)));
        assert_eq!(asked.get(), 5 + 16);
    }

    #[test]
    fn the_least_ratio_is_where_the_first_yes_begins() {
        let least = |numbers: &[f64], met: fn(f64) -> bool| Answers::default().least(numbers, |ratio| Ok(met(ratio.0)));
        assert_eq!(least(&[0.5], |ratio| ratio >= 0.5), Some(Share(0.5)));
        assert_eq!(least(&[0.5, 2.0], |ratio| ratio > 2.0), Some(Share(2.0)));
        assert_eq!(least(&[0.5], |ratio| ratio < 0.5), Some(Share(f64::NEG_INFINITY)));
        assert_eq!(least(&[0.5], |_| false), None);
        assert_eq!(least(&[], |_| true), Some(Share(f64::NEG_INFINITY)));
    }
}
