//! `scheduler.criteria`: when tasks that bring no criteria of their own start and keep running.
//!
//! What an expression may say is defined in `wire`, as registrations use the same ones.

use serde::{Deserialize, Serialize};

use crate::core;
use crate::units::Share;
use crate::wire::{self, CriterionSource, PayloadError, omitted_keep};

/// `scheduler.criteria`: a number or a Jinja expression each, as in a registration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "CriteriaAsWritten")]
pub struct CriteriaSettings {
    /// Asked for a stopped task.
    pub start: CriterionSource,
    /// Asked for a running one. Where it was omitted, reading fills in the default for this `start`.
    pub keep: Option<CriterionSource>,
}

impl Default for CriteriaSettings {
    fn default() -> Self {
        CriteriaAsWritten::default().into()
    }
}

/// The same before the omitted `keep` is filled in.
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

impl From<CriteriaAsWritten> for CriteriaSettings {
    fn from(CriteriaAsWritten { start, keep }: CriteriaAsWritten) -> Self {
        let usual = core::Criteria::default().keep.needed_ratio().unwrap_or(Share::FULL);
        let keep = keep.unwrap_or_else(|| CriterionSource::Number(omitted_keep(&start, usual).0));
        Self { start, keep: Some(keep) }
    }
}

/// Returns the criteria of tasks that bring none of their own.
///
/// # Errors
/// Names the key below `scheduler` that can't be meant.
pub(super) fn criteria(written: &CriteriaSettings) -> Result<core::Criteria, PayloadError> {
    wire::criteria(Some(&written.start), written.keep.as_ref(), &core::Criteria::default())
}

#[cfg(test)]
mod tests {
    use super::{CriteriaSettings as Criteria, CriterionSource};

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
