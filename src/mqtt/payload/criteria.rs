//! `criteria`: from what somebody wrote to compiled criteria (SPEC section 5.4).
//!
//! Refuses criteria that would stop what they just started: a `keep` above `start`.

use serde::Deserialize as _;
use serde_json::Value;

use super::PayloadError;
use super::fields::Fields;
use crate::config::CriterionSource;
use crate::scheduler::{Criteria, Criterion};
use crate::units::Share;

/// An omitted `keep` is at most this part of a numeric `start`.
const KEEP: f64 = 0.9;

/// Compiles a pair of criteria; what is omitted comes from `default`.
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
    let omitted_keep = match start {
        Some(CriterionSource::Number(start)) => {
            let Share(keep) = numeric(&default.keep).or(numeric(&Criteria::default().keep)).unwrap_or_default();
            Criterion::AtLeast(Share(keep.min(KEEP * start)))
        }
        _ => default.keep.clone(),
    };
    let start = start.map_or_else(|| Ok(default.start.clone()), |source| compiled(source, "criteria.start"))?;
    let Some(keep) = keep else { return Ok(Criteria { start, keep: omitted_keep }) };
    let keep = compiled(keep, "criteria.keep")?;
    let most = numeric(&start).unwrap_or(Share::FULL).min(Share::FULL);
    match numeric(&keep) {
        Some(Share(share)) if share > most.0 => Err(PayloadError::field(
            "criteria.keep",
            format!("expected at most {} (1, and never above `start`), found {share}", most.0),
        )),
        _ => Ok(Criteria { start, keep }),
    }
}

/// The field `criteria`.
pub(super) fn read(fields: &Fields<'_>, default: &Criteria) -> Result<Criteria, PayloadError> {
    let Some(fields) = fields.object("criteria", &["start", "keep"])? else { return Ok(default.clone()) };
    let source = |name| fields.read(name, "a number or a Jinja expression", source);
    criteria(source("start")?.as_ref(), source("keep")?.as_ref(), default)
}

/// As the configuration has it: a number in quotes is a number too. As an expression it would always be met.
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

fn numeric(criterion: &Criterion) -> Option<Share> {
    match criterion {
        Criterion::AtLeast(share) => Some(*share),
        Criterion::Expression(_) => None,
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
