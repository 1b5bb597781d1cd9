//! `start` and `keep`: which share of a task's power the sun must cover (docs/rules.md, *Criteria*).
//!
//! A criterion is a number or a Jinja expression. Evaluation is bounded (`src/jinja/bounds.rs`) and never panics; what isn't
//! known is an error, not a guess: `state.soc < 20` without a `soc` is not met.

use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use minijinja::value::ValueKind;
use minijinja::{Environment, UndefinedBehavior, Value, context};

use crate::core::task::exhausted::CriterionFailure;
use crate::core::task::priority::Priority;
use crate::core::task::question::{Question, Surroundings};
use crate::jinja::{self, CRITERIA, ExpressionError, Names, Program, StateFields};
use crate::units::{Share, Watts};

/// The names an expression may use.
const NAMES: [&str; 9] = ["ratio", "power", "running", "priority", "on_for", "off_for", "state", "record", "now"];

static JINJA: LazyLock<Environment<'static>> =
    LazyLock::new(|| jinja::environment(UndefinedBehavior::Strict, CRITERIA));

/// The criteria of one task.
#[derive(Debug, Clone, PartialEq)]
pub struct Criteria {
    /// Asked while it is stopped.
    pub start: Criterion,
    /// Asked while it runs.
    pub keep: Criterion,
}

impl Default for Criteria {
    fn default() -> Self {
        Self { start: Criterion::AtLeast(Share(1.0)), keep: Criterion::AtLeast(Share(0.75)) }
    }
}

/// One criterion.
#[derive(Debug, Clone)]
pub enum Criterion {
    /// `ratio >= x`.
    AtLeast(Share),
    /// A Jinja expression that is true when it is met.
    Expression(Arc<Compiled>),
}

impl PartialEq for Criterion {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::AtLeast(a), Self::AtLeast(b)) => a == b,
            (Self::Expression(a), Self::Expression(b)) => a.source == b.source,
            _ => false,
        }
    }
}

/// A compiled expression and how it was written.
pub struct Compiled {
    source: String,
    program: Program,
    /// What it asks for of `state`, `record` and `now`, such as `state.soc`.
    asks: Vec<String>,
    /// The numbers that it compares the ratio with; absent: it does something else with the ratio.
    numbers: Option<Vec<f64>>,
}

/// So many bytes of values stand in a reason.
const MOST_VALUES: usize = 120;

/// So many characters of an expression do: what others wrote may be as long as a registration.
const LONGEST_SHOWN: usize = 300;

/// The longest text among them, in characters.
const LONGEST_TEXT: usize = 20;

impl fmt::Debug for Compiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.source)
    }
}

/// Why an expression can't be a criterion.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CriterionError {
    /// Not Jinja.
    #[error("expected a number or a Jinja expression such as \"ratio >= 0.8 or now.hour < 7\": {0}")]
    Syntax(String),
    /// A name that no criterion knows.
    #[error(
        "`{0}` is unknown: an expression may use ratio, power, running, priority, on_for, off_for, state, record, now"
    )]
    UnknownName(String),
    /// Too long, or with a filter or test that doesn't exist.
    #[error("{0}")]
    Unfit(String),
}

impl Criterion {
    /// Compiles a Jinja expression.
    ///
    /// # Errors
    /// When it does not compile, uses an unknown name, or is too long.
    pub fn expression(source: &str) -> Result<Self, CriterionError> {
        let compiled = jinja::compile(&JINJA, source, Names::Of(&NAMES)).map_err(|problem| match problem {
            ExpressionError::Syntax(why) => CriterionError::Syntax(why),
            problem => CriterionError::Unfit(problem.to_string()),
        })?;
        if let Some(unknown) = compiled.names.into_iter().find(|name| !NAMES.contains(&name.as_str())) {
            return Err(CriterionError::UnknownName(unknown));
        }
        let of_home = |name: &String| ["state", "record", "now"].contains(&name.split('.').next().unwrap_or_default());
        let asks = compiled.paths.into_iter().filter(of_home).collect();
        let numbers = jinja::numbers_compared_with("ratio", source);
        Ok(Self::Expression(Arc::new(Compiled { source: source.to_owned(), program: compiled.program, asks, numbers })))
    }

    /// What it asks for of `state`, `record` and `now`, such as `state.soc`; `state` alone where that can't be told.
    #[must_use]
    pub fn asks(&self) -> &[String] {
        match self {
            Self::AtLeast(_) => &[],
            Self::Expression(compiled) => &compiled.asks,
        }
    }

    /// As it was written, with the values of what it asks for: `state.soc < 20; state.soc is 15`. `values` returns the
    /// value of `state`, `record` or `now`.
    pub(crate) fn with_values(&self, values: impl Fn(&str) -> Option<Value>) -> String {
        let mut text = self.to_string();
        let most = text.len() + MOST_VALUES;
        let mut before = "; ";
        for name in self.asks() {
            let mut path = name.split('.');
            let first = path.next().and_then(&values);
            let value = path.try_fold(first.unwrap_or_default(), |value, part| value.get_attr(part).ok());
            let Some(value) = value.and_then(|value| in_words(&value)) else { continue };
            let more = format!("{before}{name} is {value}");
            if text.len() + more.len() <= most {
                text.push_str(&more);
                before = ", ";
            }
        }
        text
    }

    /// Whether it is met. An expression asks for `question`, unless it isn't to be asked.
    ///
    /// # Errors
    /// The reason, in words, when an expression fails or isn't asked; it then counts as not met.
    pub(crate) fn met<'a>(
        &self,
        ratio: Share,
        question: impl FnOnce() -> Result<Question<'a>, CriterionFailure>,
    ) -> Result<bool, CriterionFailure> {
        match self {
            Self::AtLeast(share) => Ok(ratio >= *share),
            Self::Expression(compiled) => question()?.evaluate(&compiled.program, ratio),
        }
    }

    /// The numbers that an expression compares the ratio with, in ascending order, if it does nothing else with it: then
    /// it says the same of all ratios between two of them.
    pub(crate) fn compared_numbers(&self) -> Option<&[f64]> {
        match self {
            Self::AtLeast(_) => None,
            Self::Expression(compiled) => compiled.numbers.as_deref(),
        }
    }

    /// Asks it about a stopped task with this state and the full ratio, in a home without records at midnight of a Monday.
    ///
    /// # Errors
    /// The reason, in words, when an expression fails.
    pub fn try_on(&self, state: &StateFields) -> Result<bool, String> {
        let surround = || (context! {}, context! { hour => 0, minute => 0, weekday => 0 });
        let question = Question {
            power: Watts(1.0),
            running: false,
            priority: Priority::default(),
            on_for: Duration::ZERO,
            off_for: Duration::ZERO,
            state: state.value(),
            surroundings: &Surroundings::default(),
            surround: &surround,
        };
        self.met(Share::FULL, || Ok(question)).map_err(|failure| failure.why)
    }

    /// The smallest ratio that can meet it, where that is known.
    pub(crate) fn needed_ratio(&self) -> Option<Share> {
        match self {
            Self::AtLeast(share) => Some(*share),
            Self::Expression(_) => None,
        }
    }
}

/// `ratio >= 0.75`, or the expression as it was written, as far as people read it.
impl fmt::Display for Criterion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(share) => write!(f, "ratio >= {share}"),
            Self::Expression(compiled) => match compiled.source.char_indices().nth(LONGEST_SHOWN) {
                Some((end, _)) => write!(f, "{}…", &compiled.source[..end]),
                None => f.write_str(&compiled.source),
            },
        }
    }
}

/// A short value; nothing for what isn't known, and for lists and the like.
fn in_words(value: &Value) -> Option<String> {
    match value.kind() {
        ValueKind::Number => {
            f64::try_from(value.clone()).ok().map(|number| ((number * 100.0).round() / 100.0).to_string())
        }
        ValueKind::Bool => Some(value.is_true().to_string()),
        ValueKind::String => {
            value.as_str().filter(|text| text.chars().count() <= LONGEST_TEXT).map(|text| format!("{text:?}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn ask(source: &str, ratio: f64) -> Result<bool, String> {
        let surround =
            || (context! { net => -500.0, ev => 1400.0 }, context! { hour => 6, minute => 30, weekday => 0 });
        let question = Question {
            power: Watts(1380.0),
            running: true,
            priority: Priority::High,
            on_for: Duration::from_secs(90),
            off_for: Duration::ZERO,
            state: &context! { soc => 15 },
            surroundings: &Surroundings::default(),
            surround: &surround,
        };
        Criterion::expression(source)
            .map_err(|error| error.to_string())?
            .met(Share(ratio), || Ok(question))
            .map_err(|failure| failure.why)
    }

    #[test]
    fn expressions_see_everything_the_contract_names() {
        for source in [
            "ratio >= 0.8 or (state.soc < 20 and now.hour < 7)",
            "power == 1380 and running and priority == 3",
            "on_for >= 90 and off_for == 0",
            "record.net < 0 and record['ev'] > 1000 and now.weekday == 0 and now.minute == 30",
            "[ratio, 2] | max == 2",
            "state.soh is undefined",
            "state.soh | default(100) > 50",
        ] {
            assert_eq!(ask(source, 0.5), Ok(true), "{source}");
        }
    }

    #[test]
    fn what_is_not_known_is_not_met_and_says_why() {
        for source in ["state.range < 20", "record.battery > 0", "range(100000) | list | length > 3"] {
            assert!(ask(source, 1.0).is_err(), "{source}");
        }
    }

    #[test]
    fn a_decision_tells_what_was_asked_for() {
        let told = |source: &str| {
            Criterion::expression(source).unwrap().with_values(|word| match word {
                "state" => Some(context! { temperature => 38, mode => "eco", long => "x".repeat(99), deep => context! { a => true } }),
                "record" => Some(context! { net => -2000.0, ev => 1234.567 }),
                "now" => Some(context! { hour => 6 }),
                _ => None,
            })
        };
        assert_eq!(
            told("ratio >= 1 or state.temperature < 42"),
            "ratio >= 1 or state.temperature < 42; state.temperature is 38"
        );
        for (source, values) in [
            ("ratio > 0 or power > 0", ""),
            ("record.ev > 1 and now.hour < 7 or record.ev > 9", "; now.hour is 6, record.ev is 1234.57"),
            (
                "state.mode == 'eco' and state.deep.a and record.net < 0",
                "; record.net is -2000, state.deep.a is true, state.mode is \"eco\"",
            ),
            ("state.long or state.soc is defined or state['mode'] or state.get('mode') or state.deep", ""),
            (
                "[state.temperature] | max > 3 and (state.soc | default(2)) > now.hour",
                "; now.hour is 6, state.temperature is 38",
            ),
        ] {
            assert_eq!(told(source), format!("{source}{values}"));
        }
        let many = (0..20).map(|n| format!("record.a{n:09}")).collect::<Vec<_>>().join(" + ");
        let all = |_: &str| Some((0..20).map(|n| (format!("a{n:09}"), n)).collect::<BTreeMap<_, _>>().into());
        let told = Criterion::expression(&many).unwrap().with_values(all);
        assert!(told.len() <= many.len() + MOST_VALUES && told.contains("; record.a000000000 is 0, "), "{told}");
    }

    #[test]
    fn what_does_not_compile_is_refused() {
        insta::assert_snapshot!(ask("ratio >= (", 1.0).unwrap_err(), @r#"expected a number or a Jinja expression such as "ratio >= 0.8 or now.hour < 7": syntax error: unexpected end of input, expected expression"#);
        insta::assert_snapshot!(ask("rato >= 1", 1.0).unwrap_err(), @"`rato` is unknown: an expression may use ratio, power, running, priority, on_for, off_for, state, record, now");
        insta::assert_snapshot!(ask("ratio | rond > 1", 1.0).unwrap_err(), @"there is no filter or test `rond`");
        insta::assert_snapshot!(ask(&"(".repeat(3000), 1.0).unwrap_err(), @"the expression has 3000 characters, at most 2000 are allowed");
    }
}
