//! `start` and `keep`: which share of a task's power the sun must cover (SPEC section 5.4).
//!
//! A criterion is a number or a Jinja expression. Evaluation is bounded by minijinja's fuel and never panics; what isn't
//! known is an error, not a guess: `state.soc < 20` without a `soc` is not met.

use std::cell::OnceCell;
use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use minijinja::{Environment, Expression, UndefinedBehavior, Value, context};

use crate::jinja::{self, ExpressionError, plain};
use crate::scheduler::Priority;
use crate::units::{Share, Watts};

/// The names an expression may use.
const NAMES: [&str; 9] = ["ratio", "power", "running", "priority", "on_for", "off_for", "state", "record", "now"];

static JINJA: LazyLock<Environment<'static>> = LazyLock::new(|| jinja::environment(UndefinedBehavior::Strict));

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
    expression: Expression<'static, 'static>,
}

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
        let (expression, names) = jinja::compile(&JINJA, source).map_err(|problem| match problem {
            ExpressionError::Syntax(why) => CriterionError::Syntax(why),
            problem => CriterionError::Unfit(problem.to_string()),
        })?;
        if let Some(unknown) = names.into_iter().find(|name| !NAMES.contains(&name.as_str())) {
            return Err(CriterionError::UnknownName(unknown));
        }
        Ok(Self::Expression(Arc::new(Compiled { source: source.to_owned(), expression })))
    }

    /// Whether it is met.
    ///
    /// # Errors
    /// The reason, in words, when an expression fails; it then counts as not met.
    pub(crate) fn met<'a>(&self, ratio: Share, question: impl FnOnce() -> Question<'a>) -> Result<bool, String> {
        match self {
            Self::AtLeast(share) => Ok(ratio >= *share),
            Self::Expression(compiled) => question().evaluate(&compiled.expression, ratio),
        }
    }

    /// The smallest ratio that can meet it, where that is known.
    pub(crate) fn needed_ratio(&self) -> Option<Share> {
        match self {
            Self::AtLeast(share) => Some(*share),
            Self::Expression(_) => None,
        }
    }
}

/// `ratio >= 0.75`, or the expression as it was written.
impl fmt::Display for Criterion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(share) => write!(f, "ratio >= {share}"),
            Self::Expression(compiled) => f.write_str(&compiled.source),
        }
    }
}

/// What is the same for all criteria of a cycle; made only when an expression asks.
#[derive(Debug, Default)]
pub(crate) struct Surroundings {
    values: OnceCell<(Value, Value)>,
}

/// Everything an expression may ask for beside the ratio.
pub(crate) struct Question<'a> {
    pub(crate) power: Watts,
    pub(crate) running: bool,
    pub(crate) priority: Priority,
    pub(crate) on_for: Duration,
    pub(crate) off_for: Duration,
    pub(crate) state: &'a Value,
    pub(crate) surroundings: &'a Surroundings,
    /// Makes `record` and `now`, in this order.
    pub(crate) surround: &'a dyn Fn() -> (Value, Value),
}

impl Question<'_> {
    fn evaluate(&self, expression: &Expression<'_, '_>, ratio: Share) -> Result<bool, String> {
        let (record, now) = self.surroundings.values.get_or_init(self.surround);
        let names = context! {
            ratio => ratio.0,
            power => self.power.0,
            running => self.running,
            priority => self.priority.level(),
            on_for => self.on_for.as_secs_f64(),
            off_for => self.off_for.as_secs_f64(),
            state => self.state,
            record => record,
            now => now,
        };
        expression.eval(names).map(|value| value.is_true()).map_err(|error| plain(&error))
    }
}

#[cfg(test)]
mod tests {
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
        Criterion::expression(source).map_err(|error| error.to_string())?.met(Share(ratio), || question)
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
    fn what_does_not_compile_is_refused() {
        insta::assert_snapshot!(ask("ratio >= (", 1.0).unwrap_err(), @r#"expected a number or a Jinja expression such as "ratio >= 0.8 or now.hour < 7": syntax error: unexpected end of input, expected expression"#);
        insta::assert_snapshot!(ask("rato >= 1", 1.0).unwrap_err(), @"`rato` is unknown: an expression may use ratio, power, running, priority, on_for, off_for, state, record, now");
        insta::assert_snapshot!(ask("ratio | rond > 1", 1.0).unwrap_err(), @"there is no filter or test `rond`");
        insta::assert_snapshot!(ask(&"(".repeat(3000), 1.0).unwrap_err(), @"the expression has 3000 characters, at most 2000 are allowed");
    }
}
