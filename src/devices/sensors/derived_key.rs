//! One derived key: its expression, and the inputs that it is calculated from.

use std::sync::LazyLock;
use std::time::Duration;

use minijinja::value::ValueKind;
use minijinja::{Environment, UndefinedBehavior, Value};

use crate::core::{Expiry, Instant, Sensed};
use crate::jinja::{self, CONFIGURATION, ExpressionError, Names, Program, plain};
use crate::units::Quantity;
use crate::wire::PayloadError;

/// How long to wait for the other inputs after one has changed.
const PATIENCE: Duration = Duration::from_millis(200);

static JINJA: LazyLock<Environment<'static>> =
    LazyLock::new(|| jinja::environment(UndefinedBehavior::Strict, CONFIGURATION));

/// The newest value of a key.
#[derive(Clone, Copy)]
pub(super) struct KnownValue {
    value: Quantity,
    measured: Instant,
    expires: Option<Instant>,
}

/// One key of `[power.derived]`.
pub(super) struct DerivedKey {
    key: String,
    /// Its number among all keys.
    id: usize,
    expression: Program,
    inputs: Vec<DerivedInput>,
    /// When an input changed first since the last calculation.
    since: Option<Instant>,
    /// Why it had no value the last time.
    missing: Option<String>,
}

struct DerivedInput {
    id: usize,
    name: String,
    /// It has changed since the last calculation.
    fresh: bool,
}

impl KnownValue {
    pub(super) fn new(sensed: &Sensed) -> Self {
        Self { value: sensed.value, measured: sensed.measured, expires: sensed.expiry.end(sensed.measured) }
    }
}

impl DerivedKey {
    /// Compiles an expression. `number` returns the number of a key.
    ///
    /// # Errors
    /// Why it can't be used, in words.
    pub(super) fn new(key: &str, source: &str, mut number: impl FnMut(&str) -> usize) -> Result<Self, String> {
        let (expression, names) = compile(source)?;
        let id = number(key);
        let inputs = names.into_iter().map(|name| DerivedInput { id: number(&name), name, fresh: false }).collect();
        Ok(Self { key: key.to_owned(), id, expression, inputs, since: None, missing: None })
    }

    pub(super) fn key(&self) -> &str {
        &self.key
    }

    pub(super) fn id(&self) -> usize {
        self.id
    }

    pub(super) fn depends_on(&self, other: &Self) -> bool {
        self.inputs.iter().any(|input| input.id == other.id)
    }

    /// Notes that a key has changed, which may be one of its inputs.
    pub(super) fn note_change(&mut self, id: usize, since: Instant) {
        for input in self.inputs.iter_mut().filter(|input| input.id == id) {
            input.fresh = true;
            self.since = Some(self.since.map_or(since, |earlier| earlier.min(since)));
        }
    }

    /// Returns when it has to be calculated although its other inputs haven't changed.
    pub(super) fn due(&self) -> Option<Instant> {
        self.since.map(|since| since + PATIENCE)
    }

    /// Returns since when it waits, if it has to be calculated now. Then it waits no longer.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Instant> {
        let is_complete = self.inputs.iter().all(|input| input.fresh);
        let since = self.since.take_if(|since| is_complete || now >= *since + PATIENCE)?;
        self.inputs.iter_mut().for_each(|input| input.fresh = false);
        Some(since)
    }

    /// Returns why it has no value, as a sentence.
    pub(super) fn missing(&self) -> Option<String> {
        let why = self.missing.as_ref()?;
        Some(format!("power.derived.{}: no value, as {why}", self.key))
    }

    /// Calculates its value. `None`: an input is missing or has expired.
    pub(super) fn calculate(
        &mut self,
        values: &[Option<KnownValue>],
        now: Instant,
    ) -> Option<Result<Sensed, PayloadError>> {
        let known: Vec<Option<KnownValue>> = self.inputs.iter().map(|input| values[input.id]).collect();
        let current = |known: &&KnownValue| known.expires.is_none_or(|end| now <= end);
        let missing = self.inputs.iter().zip(&known).filter_map(|(input, known)| match known {
            None => Some(format!("`{}` has not come yet", input.name)),
            Some(known) if current(&known) => None,
            Some(_) => Some(format!("`{}` has expired", input.name)),
        });
        let missing: Vec<String> = missing.collect();
        self.missing = (!missing.is_empty()).then(|| missing.join(" and "));
        if self.missing.is_some() {
            return None;
        }
        let known = || known.iter().flatten();
        let names = self.inputs.iter().zip(known()).map(|(input, known)| (input.name.as_str(), known.value.0));
        let outcome = self.expression.evaluate(Value::from_pairs(names)).map_err(|error| plain(&error, CONFIGURATION));
        Some(match outcome.and_then(|value| finite(&value)) {
            Ok(value) => Ok(Sensed {
                key: self.key.clone(),
                value,
                measured: known().map(|known| known.measured).max().unwrap_or(now),
                expiry: known().filter_map(|known| known.expires).min().map_or(Expiry::Never, Expiry::At),
            }),
            Err(problem) => Err(PayloadError::field(&self.key, problem)),
        })
    }
}

/// Compiles an expression. Returns it with the keys that it uses.
fn compile(source: &str) -> Result<(Program, Vec<String>), String> {
    const EXAMPLE: &str = "\"house - solar\"";
    if source.contains("{{") || source.contains("{%") {
        return Err(format!("expected an expression over keys such as {EXAMPLE}, without {{{{ }}}}"));
    }
    let compiled = jinja::compile(&JINJA, source, Names::Configured).map_err(|problem| match problem {
        ExpressionError::Syntax(why) => format!("expected an expression over keys such as {EXAMPLE}: {why}"),
        problem => problem.to_string(),
    })?;
    if compiled.names.is_empty() {
        return Err(format!("expected an expression over keys such as {EXAMPLE}, found none in \"{source}\""));
    }
    Ok((compiled.program, compiled.names))
}

/// Returns the result of an expression, if it is a finite number.
fn finite(value: &Value) -> Result<Quantity, String> {
    let number = f64::try_from(value.clone()).ok().filter(|_| value.kind() == ValueKind::Number);
    match number {
        Some(number) if number.is_finite() => Ok(Quantity(number)),
        Some(number) => Err(format!("expected a finite number, the result is {number}")),
        None => Err(format!("expected a number, the result is a {}", value.kind())),
    }
}
