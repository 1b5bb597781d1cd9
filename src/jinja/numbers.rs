//! What counts as a number, and the filters and functions that calculate with it.
//!
//! Devices send numbers as text, and words such as `unavailable` where they have none. A missing number is never zero.

use minijinja::value::{Kwargs, Rest, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind};

use super::arguments::{given, invalid};

/// A text where a number is expected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    /// A finite number.
    Is(f64),
    /// A word for no value: empty, `null`, `unknown`, `nan`.
    Absent,
    /// Something else.
    Not,
}

/// The words with which devices and Home Assistant say that they have no value; ESPHome says `nan`.
const PLACEHOLDERS: [&str; 8] = ["", "unknown", "unavailable", "none", "null", "nan", "undefined", "n/a"];

/// Returns whether this text says that there is no value.
pub(crate) fn is_placeholder(text: &str) -> bool {
    let text = text.trim();
    PLACEHOLDERS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Reads a text as a number.
pub(crate) fn number(text: &str) -> Number {
    if is_placeholder(text) {
        return Number::Absent;
    }
    match text.trim().parse::<f64>() {
        Ok(number) if number.is_finite() => Number::Is(number),
        _ => Number::Not,
    }
}

pub(super) fn add_to(jinja: &mut Environment<'static>) {
    jinja.add_filter("float", float);
    jinja.add_function("float", float);
    jinja.add_filter("int", int);
    jinja.add_function("int", int);
    jinja.add_filter("is_number", is_number);
    jinja.add_function("is_number", is_number);
    jinja.add_filter("round", round);
    jinja.add_function("round", round);
    jinja.add_filter("abs", abs);
    jinja.add_function("abs", abs);
    jinja.add_filter("add", |value: &Value, other: f64| Ok::<_, Error>(numeric(value)? + other));
    jinja.add_filter("multiply", |value: &Value, factor: f64| Ok::<_, Error>(numeric(value)? * factor));
    jinja.add_filter("max", |list: &Value| extreme(std::slice::from_ref(list), |a, b| a > b));
    jinja.add_function("max", |values: Rest<Value>| extreme(&values, |a, b| a > b));
    jinja.add_filter("min", |list: &Value| extreme(std::slice::from_ref(list), |a, b| a < b));
    jinja.add_function("min", |values: Rest<Value>| extreme(&values, |a, b| a < b));
    jinja.add_filter("average", |list: &Value| average(std::slice::from_ref(list)));
    jinja.add_function("average", |values: Rest<Value>| average(&values));
    jinja.add_filter("bitwise_and", |value: &Value, other: i64| Ok::<_, Error>(whole(value)? & other));
    jinja.add_filter("bitwise_or", |value: &Value, other: i64| Ok::<_, Error>(whole(value)? | other));
}

/// Returns a value as a number. `null`, `unknown` and the like are undefined, as a missing field is.
fn numeric(value: &Value) -> Result<f64, Error> {
    let undefined = || Error::new(ErrorKind::UndefinedError, "there is no number");
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => return Err(undefined()),
        ValueKind::Bool => return Ok(f64::from(u8::from(value.is_true()))),
        ValueKind::Number => {
            if let Ok(number) = f64::try_from(value.clone()) {
                return Ok(number);
            }
        }
        ValueKind::String => match number(value.as_str().unwrap_or_default()) {
            Number::Is(number) => return Ok(number),
            Number::Absent => return Err(undefined()),
            Number::Not => {}
        },
        _ => {}
    }
    Err(invalid(format!("expected a number, found {}", shown(value))))
}

#[expect(clippy::cast_possible_truncation, reason = "the fraction is what is cut, and the range saturates")]
fn whole(value: &Value) -> Result<i64, Error> {
    numeric(value).map(|number| number as i64)
}

/// Returns a value for an error message: `the text "abc"`, shortened.
pub(super) fn shown(value: &Value) -> String {
    match value.as_str() {
        Some(text) => format!("the text {:?}", text.chars().take(40).collect::<String>()),
        None => format!("a {}", value.kind()),
    }
}

/// Returns the default, if there is one, where a value can't be converted. A missing field stays undefined.
fn or_default(
    value: &Value,
    outcome: Result<Value, Error>,
    default: Option<Value>,
    kwargs: &Kwargs,
) -> Result<Value, Error> {
    let default = given(default, "default", kwargs)?;
    kwargs.assert_all_used()?;
    match default {
        Some(default) if !value.is_undefined() => Ok(outcome.unwrap_or(default)),
        _ => outcome,
    }
}

fn float(value: &Value, default: Option<Value>, kwargs: Kwargs) -> Result<Value, Error> {
    or_default(value, numeric(value).map(Value::from), default, &kwargs)
}

fn int(value: &Value, default: Option<Value>, base: Option<u32>, kwargs: Kwargs) -> Result<Value, Error> {
    let base = given(base, "base", &kwargs)?.unwrap_or(10);
    let outcome = match value.as_str().map(str::trim) {
        Some(text) if (2..=36).contains(&base) && base != 10 => {
            let digits = text.trim_start_matches(if base == 16 { "0x" } else { "0b" });
            let refusal = || invalid(format!("expected a number of base {base}"));
            i64::from_str_radix(digits, base).map_err(|_| refusal())
        }
        _ => whole(value),
    };
    or_default(value, outcome.map(Value::from), default, &kwargs)
}

fn is_number(value: &Value) -> bool {
    numeric(value).is_ok_and(f64::is_finite)
}

fn round(value: &Value, precision: Option<i32>, method: Option<&str>, kwargs: Kwargs) -> Result<Value, Error> {
    let method = given(method, "method", &kwargs)?.unwrap_or("common");
    let precision = given(precision, "precision", &kwargs)?.unwrap_or(0);
    let step = 10f64.powi(precision.clamp(-30, 30));
    let outcome = numeric(value).and_then(|number| match method {
        "common" => Ok((number * step).round() / step),
        "ceil" => Ok((number * step).ceil() / step),
        "floor" => Ok((number * step).floor() / step),
        "half" => Ok((number * 2.0).round() / 2.0),
        _ => Err(invalid("expected the method common, ceil, floor or half")),
    });
    or_default(value, outcome.map(Value::from), None, &kwargs)
}

fn abs(value: &Value) -> Result<f64, Error> {
    numeric(value).map(f64::abs)
}

/// Returns the values as numbers: each argument, or the items of a list that is the only argument.
fn listed(values: &[Value]) -> Result<Vec<(f64, Value)>, Error> {
    let listed: Vec<Value> = match values {
        [list] if matches!(list.kind(), ValueKind::Seq | ValueKind::Iterable) => list.try_iter()?.collect(),
        values => values.to_vec(),
    };
    if listed.is_empty() {
        return Err(Error::new(ErrorKind::UndefinedError, "there is no number"));
    }
    listed.into_iter().map(|value| Ok((numeric(&value)?, value))).collect()
}

fn extreme(values: &[Value], better: fn(f64, f64) -> bool) -> Result<Value, Error> {
    let best = listed(values)?.into_iter().reduce(|best, next| if better(next.0, best.0) { next } else { best });
    Ok(best.map(|(_, value)| value).unwrap_or_default())
}

fn average(values: &[Value]) -> Result<f64, Error> {
    let listed = listed(values)?;
    #[expect(clippy::cast_precision_loss, reason = "a list that fits a message")]
    Ok(listed.iter().map(|(number, _)| number).sum::<f64>() / listed.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_a_number_or_says_that_there_is_none() {
        for text in ["0", "-1077", " 12.5\n", "1e3", "+4", "007"] {
            assert!(matches!(number(text), Number::Is(_)), "{text:?}");
        }
        for text in ["", " ", "unknown", "Unavailable", "None", "null", "nan", "NaN"] {
            assert_eq!(number(text), Number::Absent, "{text:?}");
        }
        for text in ["off", "inf", "-Infinity", "1,5", "12 W", "0x10", "1e999"] {
            assert_eq!(number(text), Number::Not, "{text:?}");
        }
    }
}
