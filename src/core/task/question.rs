//! What an expression may ask for.

use std::cell::OnceCell;
use std::time::Duration;

use minijinja::{Value, context};

use crate::core::task::exhausted::CriterionFailure;
use crate::core::task::priority::Priority;
use crate::jinja::{CRITERIA, Program, plain, takes_too_much};
use crate::units::{Share, Watts};

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

impl Surroundings {
    /// `record` and `now`.
    pub(crate) fn get(&self, surround: &dyn Fn() -> (Value, Value)) -> &(Value, Value) {
        self.values.get_or_init(surround)
    }
}

impl Question<'_> {
    pub(crate) fn evaluate(&self, program: &Program, ratio: Share) -> Result<bool, CriterionFailure> {
        let (record, now) = self.surroundings.get(self.surround);
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
        program
            .evaluate(names)
            .map(|value| value.is_true())
            .map_err(|error| CriterionFailure { why: plain(&error, CRITERIA), too_much: takes_too_much(&error) })
    }
}
