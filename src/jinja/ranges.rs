//! `range`, built at once: minijinja only describes it, of any length.

use minijinja::value::Value;
use minijinja::{Environment, Error};

use super::arguments::invalid;
use super::bounds::{Bounds, ITEM};

pub(super) fn add_to(jinja: &mut Environment<'static>, bounds: Bounds) {
    jinja.add_function("range", move |first: i64, second: Option<i64>, step: Option<i64>| {
        let (begin, end) = second.map_or((0, first), |end| (first, end));
        numbers(i128::from(begin), i128::from(end), i128::from(step.unwrap_or(1)), &bounds)
    });
}

fn numbers(begin: i128, end: i128, step: i128, bounds: &Bounds) -> Result<Value, Error> {
    if step == 0 {
        return Err(invalid("expected a step that is not 0"));
    }
    let distance = if step > 0 { end - begin } else { begin - end };
    let count = distance.max(0).unsigned_abs().div_ceil(step.unsigned_abs());
    match usize::try_from(count) {
        Ok(count) if count.saturating_mul(ITEM) <= bounds.value => {
            let numbers = (0..count as i128).map(|index| i64::try_from(begin + step * index).unwrap_or(i64::MAX));
            Ok(numbers.map(Value::from).collect())
        }
        _ => Err(bounds.too_large("`range`")),
    }
}
