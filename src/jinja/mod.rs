//! Jinja as everybody here uses it: criteria, the templates of devices, derived keys. Bounded, and with the filters and
//! functions that Home Assistant adds.
//!
//! Refuses files, the clock and the network: an expression sees what it is given. What isn't known is an error of the kind
//! "undefined", never a guess.

mod functions;
mod numbers;

use std::borrow::Cow;

use minijinja::value::{ArgType, Kwargs};
use minijinja::{Environment, ErrorKind, Expression, UndefinedBehavior};

pub(crate) use numbers::{Number, is_placeholder, number};

/// The longest source that is compiled, in bytes: enough for a screenful, too short to exhaust the parser's stack.
pub(crate) const LONGEST: usize = 2_000;

/// Instructions that one evaluation may take. A screenful needs some hundreds; what is made of long texts and lists costs
/// by its size.
const FUEL: u64 = 10_000;

/// An environment in which every evaluation is bounded.
pub(crate) fn environment(undefined: UndefinedBehavior) -> Environment<'static> {
    let mut jinja = Environment::new();
    jinja.set_undefined_behavior(undefined);
    jinja.set_fuel(Some(FUEL));
    // Python's methods, which templates written for Home Assistant use: `topic.split('/')`, `value_json.get('power')`.
    jinja.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    functions::add_to(&mut jinja);
    numbers::add_to(&mut jinja);
    jinja
}

/// An argument that may be given by its place or by its name.
fn given<'a, T>(positional: Option<T>, name: &'a str, kwargs: &'a Kwargs) -> Result<Option<T>, minijinja::Error>
where
    T: ArgType<'a, Output = T>,
{
    match positional {
        None => kwargs.get::<Option<T>>(name),
        positional => Ok(positional),
    }
}

/// What a filter or function can't work with.
fn invalid(problem: impl Into<Cow<'static, str>>) -> minijinja::Error {
    minijinja::Error::new(ErrorKind::InvalidOperation, problem)
}

/// Why a text can't be an expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ExpressionError {
    /// Not Jinja.
    #[error("{0}")]
    Syntax(String),
    /// A filter or test that doesn't exist.
    #[error("there is no filter or test `{0}`")]
    UnknownWord(String),
    /// Longer than is compiled.
    #[error("the expression has {0} characters, at most {LONGEST} are allowed")]
    TooLong(usize),
}

/// Compiles an expression. Answers also the names that must be given to it, in their order.
///
/// # Errors
/// When it is none, is too long, or uses a filter or test that doesn't exist.
pub(crate) fn compile(
    jinja: &'static Environment<'static>,
    source: &str,
) -> Result<(Expression<'static, 'static>, Vec<String>), ExpressionError> {
    if source.len() > LONGEST {
        return Err(ExpressionError::TooLong(source.len()));
    }
    let compiled = jinja.compile_expression_owned(source.to_owned());
    let expression = compiled.map_err(|error| ExpressionError::Syntax(plain(&error)))?;
    if let Some(word) = unknown_word(jinja, source, true) {
        return Err(ExpressionError::UnknownWord(word));
    }
    let is_given = |name: &String| !jinja.globals().any(|(global, _)| global == name);
    let mut names: Vec<String> = expression.undeclared_variables(false).into_iter().filter(is_given).collect();
    names.sort_unstable();
    Ok((expression, names))
}

/// minijinja's words without the place, which is nearly always the only line.
pub(crate) fn plain(error: &minijinja::Error) -> String {
    match error.detail() {
        // Its name for the bound says nothing to who wrote the template.
        _ if error.kind() == ErrorKind::OutOfFuel => format!("takes more than {FUEL} steps: a loop too many?"),
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}

/// The first filter or test of a template that doesn't exist. minijinja itself notices only when it gets there, which may
/// be on a winter evening.
pub(crate) fn unknown_word(jinja: &Environment<'_>, source: &str, code: bool) -> Option<String> {
    let mut state = jinja.empty_state();
    let mut words = Words { rest: source, code, always: code, before: Before::Other };
    words.find_map(|(kind, word)| {
        let outcome = match kind {
            Before::Pipe => state.apply_filter(word, &[]).map(drop),
            Before::Is => state.perform_test(word, &[]).map(drop),
            Before::Other => return None,
        };
        let unknown = |error: minijinja::Error| {
            matches!(error.kind(), ErrorKind::UnknownFilter | ErrorKind::UnknownTest).then(|| word.to_owned())
        };
        outcome.err().and_then(unknown)
    })
}

/// What stands before a word.
#[derive(Clone, Copy, PartialEq)]
enum Before {
    /// `|`: the word is a filter.
    Pipe,
    /// `is` or `is not`: the word is a test.
    Is,
    Other,
}

/// The words of the code of a template, without its text and its strings.
struct Words<'a> {
    rest: &'a str,
    /// Inside of `{{ }}` or `{% %}`.
    code: bool,
    /// It is an expression: all is code.
    always: bool,
    before: Before,
}

impl<'a> Iterator for Words<'a> {
    type Item = (Before, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let first = self.rest.chars().next()?;
            let mut length = first.len_utf8();
            let two = self.rest.get(..2).unwrap_or_default();
            if !self.code {
                self.code = matches!(two, "{{" | "{%");
                if two == "{#" {
                    length = self.rest.find("#}").unwrap_or(self.rest.len());
                }
            } else if !self.always && matches!(two, "}}" | "%}") {
                self.code = false;
                length = 2;
            } else if matches!(first, '"' | '\'') {
                let body = &self.rest[1..];
                let mut escaped = false;
                let end = body.find(|c| {
                    let ends = c == first && !escaped;
                    escaped = c == '\\' && !escaped;
                    ends
                });
                length = end.map_or(self.rest.len(), |end| end + 2);
                self.before = Before::Other;
            } else if first.is_alphabetic() || first == '_' {
                let end = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.rest.len());
                let (word, rest) = self.rest.split_at(end);
                self.rest = rest;
                let before = self.before;
                self.before = match word {
                    "is" => Before::Is,
                    "not" if before == Before::Is => Before::Is,
                    _ => Before::Other,
                };
                return Some((if word == "not" { Before::Other } else { before }, word));
            } else if !first.is_whitespace() {
                self.before = if first == '|' { Before::Pipe } else { Before::Other };
            }
            self.rest = &self.rest[length..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_filters_and_tests_are_found_without_running_anything() {
        let jinja = environment(UndefinedBehavior::Strict);
        let check = |source: &str, expect: Option<&str>| {
            assert_eq!(unknown_word(&jinja, source, false).as_deref(), expect, "{source}");
        };
        check("{{ value | float }}", None);
        check("{{ value | flaot }}", Some("flaot"));
        check("{{ value_json.a|float(0)|rnd(2) }}", Some("rnd"));
        check("a | nothing {{ '| no' ~ \"| no\" }} | nothing", None);
        check("{# | nothing #}{{ 'it\\'s | no' | lower }}", None);
        check("{% if value is not definde %}1{% endif %}", Some("definde"));
        check("{% if value is not defined and value is number or value is divisibleby 3 %}1{% endif %}", None);
        check("{{ value == 'ü", None);
        assert_eq!(unknown_word(&jinja, "a | nope", true).as_deref(), Some("nope"));
        assert_eq!(unknown_word(&jinja, "a }} b | round", true), None);
    }
}
