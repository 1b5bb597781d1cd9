//! Keys that are made of others: `net = "house - solar"` (SPEC section 3).
//!
//! After a change of one input the others get a moment to follow, so that the values of one instant meet. Refuses to reckon
//! with what is missing or has expired: then the derived key is missing too.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;
use std::time::Duration;

use minijinja::{Environment, Expression, UndefinedBehavior, Value, value::ValueKind};

use crate::core::{Expiry, Instant, Sensed};
use crate::devices::sensor::name_problem;
use crate::jinja::{self, ExpressionError, plain};
use crate::units::Watts;
use crate::wire::PayloadError;

/// What the other inputs get to follow.
const PATIENCE: Duration = Duration::from_millis(200);

static JINJA: LazyLock<Environment<'static>> = LazyLock::new(|| jinja::environment(UndefinedBehavior::Strict));

/// All of `[power.derived]`, and the newest values of what they are made of.
#[derive(Default)]
pub(super) struct DerivedKeys {
    /// The numbers of the names below.
    names: HashMap<String, usize>,
    values: Vec<Option<Known>>,
    /// Each after those that it is made of.
    keys: Vec<Derived>,
}

/// The newest value of a key.
#[derive(Clone, Copy)]
struct Known {
    value: Watts,
    measured: Instant,
    expires: Option<Instant>,
}

struct Derived {
    key: String,
    /// Its own number.
    id: usize,
    expression: Expression<'static, 'static>,
    inputs: Vec<Input>,
    /// When the first input changed that it doesn't know of yet.
    since: Option<Instant>,
    /// Why it had no value when it was last asked for.
    missing: Option<String>,
}

struct Input {
    id: usize,
    name: String,
    /// It has a value that was not reckoned with yet.
    fresh: bool,
}

impl DerivedKeys {
    /// The keys out of their expressions.
    ///
    /// # Errors
    /// The first key that can't be meant, and why.
    pub(super) fn new(written: &BTreeMap<String, String>) -> Result<Self, PayloadError> {
        let mut derived = Self::default();
        for (key, source) in written {
            let problem = |problem: String| PayloadError::field(key, problem);
            if let Some(why) = name_problem(key) {
                return Err(problem(format!("`{key}` {why}")));
            }
            let (expression, names) = compile(source).map_err(problem)?;
            let id = derived.number(key);
            let inputs =
                names.into_iter().map(|name| Input { id: derived.number(&name), name, fresh: false }).collect();
            derived.keys.push(Derived { key: key.clone(), id, expression, inputs, since: None, missing: None });
        }
        derived.sort()?;
        Ok(derived)
    }

    fn number(&mut self, name: &str) -> usize {
        let next = self.names.len();
        let id = *self.names.entry(name.to_owned()).or_insert(next);
        if id == next {
            self.values.push(None);
        }
        id
    }

    /// Puts each key behind those that it is made of.
    fn sort(&mut self) -> Result<(), PayloadError> {
        let mut sorted: Vec<Derived> = Vec::new();
        let mut left = std::mem::take(&mut self.keys);
        while !left.is_empty() {
            let waits = |key: &Derived| left.iter().any(|other| key.inputs.iter().any(|input| input.id == other.id));
            match left.iter().position(|key| !waits(key)) {
                Some(ready) => sorted.push(left.remove(ready)),
                None => return Err(circle(&left)),
            }
        }
        self.keys = sorted;
        Ok(())
    }

    pub(super) fn is_derived(&self, key: &str) -> bool {
        self.keys.iter().any(|derived| derived.key == key)
    }

    /// Whether some key is made of this one.
    pub(super) fn is_input(&self, key: &str) -> bool {
        self.names.contains_key(key) && !self.is_derived(key)
    }

    /// Notes a value. `news`: it was measured just now, and what is made of it has to be reckoned again.
    pub(super) fn note(&mut self, value: &Sensed, news: bool, now: Instant) {
        let Some(id) = self.names.get(&value.key).copied() else { return };
        let expires = value.expiry.end(value.measured);
        self.values[id] = Some(Known { value: value.value, measured: value.measured, expires });
        if news {
            self.touch(id, now);
        }
    }

    fn touch(&mut self, id: usize, since: Instant) {
        for derived in &mut self.keys {
            for input in derived.inputs.iter_mut().filter(|input| input.id == id) {
                input.fresh = true;
                derived.since = Some(derived.since.map_or(since, |earlier| earlier.min(since)));
            }
        }
    }

    /// When [`DerivedKeys::settle`] has something to do although nothing arrived.
    pub(super) fn next_wakeup(&self) -> Option<Instant> {
        self.keys.iter().filter_map(|derived| derived.since).min().map(|since| since + PATIENCE)
    }

    /// Reckons what has waited long enough, or has all its inputs new.
    pub(super) fn settle(&mut self, now: Instant) -> Vec<Result<Sensed, PayloadError>> {
        let mut settled = Vec::new();
        for at in 0..self.keys.len() {
            let derived = &mut self.keys[at];
            let Some(since) = derived.since else { continue };
            if now < since + PATIENCE && derived.inputs.iter().any(|input| !input.fresh) {
                continue;
            }
            derived.since = None;
            derived.inputs.iter_mut().for_each(|input| input.fresh = false);
            let (id, outcome) = (derived.id, derived.reckon(&self.values, now));
            if let Some(Ok(value)) = &outcome {
                let expires = value.expiry.end(value.measured);
                self.values[id] = Some(Known { value: value.value, measured: value.measured, expires });
                // What waits for this one has waited as long as this one has.
                self.touch(id, since);
            }
            settled.extend(outcome);
        }
        settled
    }

    /// Why keys have no value now.
    pub(super) fn missing(&self) -> impl Iterator<Item = String> {
        self.keys.iter().filter_map(|derived| {
            let why = derived.missing.as_ref()?;
            Some(format!("power.derived.{}: no value, as {why}", derived.key))
        })
    }
}

impl Derived {
    fn reckon(&mut self, values: &[Option<Known>], now: Instant) -> Option<Result<Sensed, PayloadError>> {
        let known: Vec<Option<Known>> = self.inputs.iter().map(|input| values[input.id]).collect();
        let current = |known: &&Known| known.expires.is_none_or(|end| now <= end);
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
        let outcome = self.expression.eval(Value::from_pairs(names)).map_err(|error| plain(&error));
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

/// The expression, and the keys that it is made of.
fn compile(source: &str) -> Result<(Expression<'static, 'static>, Vec<String>), String> {
    const EXAMPLE: &str = "\"house - solar\"";
    if source.contains("{{") || source.contains("{%") {
        return Err(format!("expected an expression over keys such as {EXAMPLE}, without {{{{ }}}}"));
    }
    let (expression, names) = jinja::compile(&JINJA, source).map_err(|problem| match problem {
        ExpressionError::Syntax(why) => format!("expected an expression over keys such as {EXAMPLE}: {why}"),
        problem => problem.to_string(),
    })?;
    if names.is_empty() {
        return Err(format!("expected an expression over keys such as {EXAMPLE}, found none in \"{source}\""));
    }
    Ok((expression, names))
}

/// The keys that are made of each other.
fn circle(left: &[Derived]) -> PayloadError {
    let next = |key: &Derived| left.iter().position(|other| key.inputs.iter().any(|input| input.id == other.id));
    let mut way = vec![0];
    loop {
        // Each of those left is made of another of them.
        let at = next(&left[way[way.len() - 1]]).unwrap_or(0);
        if let Some(start) = way.iter().position(|passed| *passed == at) {
            let way = &way[start..];
            let names: Vec<&str> = way.iter().chain(&way[..1]).map(|key| left[*key].key.as_str()).collect();
            let problem = match way {
                [_] => "is made of itself".into(),
                _ => format!("is made of itself: {}", names.join(" ← ")),
            };
            return PayloadError::field(names[0], problem);
        }
        way.push(at);
    }
}

fn finite(value: &Value) -> Result<Watts, String> {
    let number = f64::try_from(value.clone()).ok().filter(|_| value.kind() == ValueKind::Number);
    match number {
        Some(number) if number.is_finite() => Ok(Watts(number)),
        Some(number) => Err(format!("expected a finite number, the result is {number}")),
        None => Err(format!("expected a number, the result is a {}", value.kind())),
    }
}
