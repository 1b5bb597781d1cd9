//! `scheduler.criteria`: when tasks that bring no criteria of their own start and keep running.
//!
//! Refuses to compile anything: that an expression is one is `validate`'s business.

use std::fmt;

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize};

/// `scheduler.criteria`: a number or a Jinja expression each, as in a registration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "CriteriaAsWritten")]
pub struct Criteria {
    /// Asked for a stopped task.
    pub start: CriterionSource,
    /// Asked for a running one. Where it was omitted, reading fills in [`Criteria::omitted_keep`].
    pub keep: Option<CriterionSource>,
}

impl Criteria {
    /// What `keep` is where it was omitted beside this `start`: 0.75, but at most 0.9 × a numeric `start`, as a task must
    /// not be stopped by the very number that started it.
    #[must_use]
    pub fn omitted_keep(start: &CriterionSource) -> CriterionSource {
        CriterionSource::Number(match start {
            CriterionSource::Number(start) => (0.9 * start).min(0.75),
            CriterionSource::Expression(_) => 0.75,
        })
    }
}

impl Default for Criteria {
    fn default() -> Self {
        CriteriaAsWritten::default().into()
    }
}

/// `Criteria` before the omitted `keep` is filled in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct CriteriaAsWritten {
    start: CriterionSource,
    keep: Option<CriterionSource>,
}

impl Default for CriteriaAsWritten {
    fn default() -> Self {
        Self { start: CriterionSource::Number(1.0), keep: None }
    }
}

impl From<CriteriaAsWritten> for Criteria {
    fn from(CriteriaAsWritten { start, keep }: CriteriaAsWritten) -> Self {
        let keep = keep.unwrap_or_else(|| Self::omitted_keep(&start));
        Self { start, keep: Some(keep) }
    }
}

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
    use super::{Criteria, CriterionSource};

    fn check(json: &str, start: CriterionSource, keep: CriterionSource) {
        let criteria: Criteria = serde_json::from_str(json).unwrap();
        assert_eq!(criteria, Criteria { start, keep: Some(keep) }, "{json}");
    }

    #[test]
    fn an_omitted_keep_stays_below_its_start() {
        use CriterionSource::{Expression, Number};
        check("{}", Number(1.0), Number(0.75));
        check(r#"{"start": 0.7}"#, Number(0.7), Number(0.9 * 0.7));
        check(r#"{"start": "0.7"}"#, Number(0.7), Number(0.9 * 0.7));
        check(r#"{"start": 2}"#, Number(2.0), Number(0.75));
        check(r#"{"start": 0}"#, Number(0.0), Number(0.0));
        check(r#"{"start": "running"}"#, Expression("running".into()), Number(0.75));
        check(r#"{"start": 0.7, "keep": 0.7}"#, Number(0.7), Number(0.7));
        check(r#"{"keep": "on_for < 60"}"#, Number(1.0), Expression("on_for < 60".into()));
        check(r#"{"keep": "nan"}"#, Number(1.0), Expression("nan".into()));
    }

    #[test]
    fn the_defaults_are_those_of_the_page() {
        assert_eq!(Criteria::default().keep, Some(CriterionSource::Number(0.75)));
    }
}
