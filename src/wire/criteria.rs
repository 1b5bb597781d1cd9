//! `criteria`: from what somebody wrote to compiled criteria (`docs/mqtt.md`, *Criteria*).
//!
//! A `keep` above `start` is an error: it would stop what was just started.

use std::fmt;

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fields::Fields;
use super::payload_error::PayloadError;
use crate::core::{Criteria, Criterion};
use crate::units::Share;

/// A criterion as it is written: a number `x` is short for `ratio >= x`. A number in quotes is a number too, which is how
/// environment variables come.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum CriterionSource {
    /// `ratio >= x`.
    Number(f64),
    /// A Jinja expression.
    Expression(String),
}

/// Compiles a pair of criteria. A `start` that is omitted comes from `default`; so does `keep`, but after a `start` that is a
/// number it is at most 0.9 times that.
///
/// # Errors
/// Names `criteria.start` or `criteria.keep` and what was expected.
pub fn criteria(
    start: Option<&CriterionSource>,
    keep: Option<&CriterionSource>,
    default: &Criteria,
) -> Result<Criteria, PayloadError> {
    let compiled = |source: &CriterionSource, field: &'static str| {
        criterion(source).map_err(|problem| PayloadError::field(field, problem))
    };
    let omitted = match start {
        Some(start @ CriterionSource::Number(_)) => {
            let usual = default.keep.needed_ratio().or(Criteria::default().keep.needed_ratio()).unwrap_or_default();
            Criterion::AtLeast(omitted_keep(start, usual))
        }
        _ => default.keep.clone(),
    };
    let start = start.map_or_else(|| Ok(default.start.clone()), |source| compiled(source, "criteria.start"))?;
    let Some(keep) = keep else { return Ok(Criteria { start, keep: omitted }) };
    let keep = compiled(keep, "criteria.keep")?;
    let most = start.needed_ratio().unwrap_or(Share::FULL).min(Share::FULL);
    match keep.needed_ratio() {
        Some(Share(share)) if share > most.0 => Err(PayloadError::field(
            "criteria.keep",
            format!("expected at most {} (1, and never above `start`), found {share}", most.0),
        )),
        _ => Ok(Criteria { start, keep }),
    }
}

/// Returns `keep` where it was omitted: `usual`, but at most 0.9 × a numeric `start`, as a task must not be stopped by the
/// very number that started it.
pub(crate) fn omitted_keep(start: &CriterionSource, usual: Share) -> Share {
    match start {
        CriterionSource::Number(start) => usual.min(Share(0.9 * start)),
        CriterionSource::Expression(_) => usual,
    }
}

/// The field `criteria`.
pub(super) fn read(fields: &Fields<'_>, default: &Criteria) -> Result<Criteria, PayloadError> {
    let Some(fields) = fields.object("criteria", &["start", "keep"])? else { return Ok(default.clone()) };
    let source = |name| fields.read(name, "a number or a Jinja expression", source);
    criteria(source("start")?.as_ref(), source("keep")?.as_ref(), default)
}

/// A number in quotes is a number here too, as in the configuration: as an expression it would always be met.
fn source(value: &Value) -> Option<CriterionSource> {
    CriterionSource::deserialize(value).ok()
}

fn criterion(source: &CriterionSource) -> Result<Criterion, String> {
    match source {
        CriterionSource::Number(share) if share.is_finite() && *share >= 0.0 => Ok(Criterion::AtLeast(Share(*share))),
        CriterionSource::Number(share) => Err(format!("expected 0 or more, or a Jinja expression, found {share}")),
        CriterionSource::Expression(text) => Criterion::expression(text).map_err(|error| error.to_string()),
    }
}

impl<'de> Deserialize<'de> for CriterionSource {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(NumberOrExpression)
    }
}

struct NumberOrExpression;

impl Visitor<'_> for NumberOrExpression {
    type Value = CriterionSource;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number or an expression such as \"ratio >= 0.8\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<CriterionSource, E> {
        // `inf` and `nan` are no numbers to compare a ratio with: as expressions they name unknown variables.
        Ok(match text.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => CriterionSource::Number(number),
            _ => CriterionSource::Expression(text.to_owned()),
        })
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<CriterionSource, E> {
        Ok(CriterionSource::Number(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<CriterionSource, E> {
        #[expect(clippy::cast_precision_loss, reason = "a ratio beyond 2^53 is as good as any other")]
        self.visit_f64(number as f64)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<CriterionSource, E> {
        #[expect(clippy::cast_precision_loss, reason = "a ratio beyond 2^53 is as good as any other")]
        self.visit_f64(number as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `start` and `keep` as JSON, beside a default `keep` as JSON.
    fn check(default_keep: &str, start: &str, keep: &str, expect: &str) {
        let source = |json: &str| source(&serde_json::from_str(json).unwrap());
        let default = Criteria {
            start: Criterion::AtLeast(Share(0.8)),
            keep: criterion(&source(default_keep).unwrap()).unwrap(),
        };
        let found = match criteria(source(start).as_ref(), source(keep).as_ref(), &default) {
            Ok(Criteria { start, keep }) => format!("{start} | {keep}"),
            Err(error) => error.named().unwrap().to_owned(),
        };
        assert_eq!(found, expect, "{start} {keep}");
    }

    #[test]
    fn what_is_omitted_comes_from_the_default() {
        check("0.6", "null", "null", "ratio >= 0.80 | ratio >= 0.60");
        check("0.6", "null", "0.7", "ratio >= 0.80 | ratio >= 0.70");
        check("0.6", "1", "null", "ratio >= 1.00 | ratio >= 0.60");
        check("0.6", "0.5", "null", "ratio >= 0.50 | ratio >= 0.45");
        check("0.6", "0", "null", "ratio >= 0.00 | ratio >= 0.00");
        check("\"ratio > 0\"", "1", "null", "ratio >= 1.00 | ratio >= 0.75");
        check("\"ratio > 0\"", "0.5", "null", "ratio >= 0.50 | ratio >= 0.45");
        check("\"ratio > 0\"", "\"running\"", "null", "running | ratio > 0");
        check("0.6", "\"running\"", "1", "running | ratio >= 1.00");
        check("0.6", "1.5", "1", "ratio >= 1.50 | ratio >= 1.00");
        check("0.6", "\"0.5\"", "null", "ratio >= 0.50 | ratio >= 0.45");
        check("0.6", "1", "\" 0.5 \"", "ratio >= 1.00 | ratio >= 0.50");
    }

    #[test]
    fn what_would_flap_or_means_nothing_is_refused() {
        check("0.6", "0.5", "0.51", "criteria.keep");
        check("0.6", "null", "0.81", "criteria.keep");
        check("0.6", "2", "1.1", "criteria.keep");
        check("0.6", "\"running\"", "1.1", "criteria.keep");
        check("0.6", "-0.1", "null", "criteria.start");
        check("0.6", "1", "-1", "criteria.keep");
        check("0.6", "\"ratio >=\"", "null", "criteria.start");
        check("0.6", "1", "\"rato\"", "criteria.keep");
        check("0.6", "0.5", "\"0.51\"", "criteria.keep");
        let endless = CriterionSource::Number(f64::INFINITY);
        assert!(criteria(Some(&endless), None, &Criteria::default()).is_err());
    }
}
