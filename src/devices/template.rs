//! Home Assistant's templates for MQTT messages: `{{ value_json.power | float }}`.
//!
//! A template yields text, or nothing: a message without the field, a `null`, a word such as `unavailable`. Nothing is no
//! error and no zero; the last value stays. Refuses names and filters that don't exist when it is compiled, and to take
//! more than a bounded effort when it runs.

use std::fmt;
use std::sync::LazyLock;

use minijinja::value::Value;
use minijinja::{Environment, ErrorKind, UndefinedBehavior, context};

pub use crate::devices::message::Message;
use crate::jinja::{self, LONGEST, Number, is_placeholder, plain};

#[cfg(test)]
mod tests;

/// The names of a template that reads a message.
const MESSAGE: [&str; 3] = ["value", "value_json", "topic"];

/// The one template of its environment.
const NAME: &str = "template";

/// The longest text that a template may yield, in bytes.
const LONGEST_RESULT: usize = 4_096;

static JINJA: LazyLock<Environment<'static>> = LazyLock::new(|| {
    // Only the question whether a field is there may be asked of one that isn't, as in Home Assistant.
    let mut jinja = jinja::environment(UndefinedBehavior::SemiStrict);
    jinja.add_test("none", |value: &Value| value.is_none() || value.is_undefined());
    jinja
});

/// A compiled template.
pub struct Template {
    source: String,
    jinja: Environment<'static>,
    /// The names that it uses.
    names: Vec<String>,
}

/// Why a text can't be a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Not Jinja.
    #[error("expected a template such as \"{{{{ value_json.power }}}}\": {0}")]
    Syntax(String),
    /// A name that is not given to it.
    #[error("`{name}` is unknown: expected one of {known}")]
    UnknownName {
        /// As it was written.
        name: String,
        /// What it may use.
        known: String,
    },
    /// A filter or test that doesn't exist.
    #[error("there is no filter or test `{0}`")]
    UnknownFilter(String),
    /// Longer than is compiled.
    #[error("the template has {0} characters, at most {LONGEST} are allowed")]
    TooLong(usize),
    /// Without any braces it would yield itself, whatever arrives.
    #[error("\"{0}\" is plain text: expected a template such as \"{{{{ {0} }}}}\"")]
    Constant(String),
}

/// What a template made of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Yield {
    /// This text, without white space around it.
    Text(String),
    /// Nothing: the message has no value for it.
    Absent(Absent),
}

/// Why a message has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Absent {
    /// What the template asks for isn't in the message, or `null`.
    #[error("the message does not have what the template asks for")]
    Missing,
    /// It says so: `unavailable`, an empty text.
    #[error("the value is {0:?}")]
    Placeholder(String),
}

/// Why a template failed on a message, in words. Not the same as a message without a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Failure(pub(crate) String);

impl Template {
    /// A template that reads messages: it may use `value`, `value_json` and `topic`.
    ///
    /// # Errors
    /// When it does not compile, is too long, or uses a name, filter or test that doesn't exist.
    pub fn new(source: &str) -> Result<Self, TemplateError> {
        Self::over(source, &MESSAGE)
    }

    /// A template over other names, for [`Template::fill`].
    ///
    /// # Errors
    /// As [`Template::new`].
    pub fn over(source: &str, names: &[&str]) -> Result<Self, TemplateError> {
        if source.len() > LONGEST {
            return Err(TemplateError::TooLong(source.len()));
        }
        if !source.contains("{{") && !source.contains("{%") {
            return Err(TemplateError::Constant(source.to_owned()));
        }
        let mut jinja = JINJA.clone();
        let syntax = |error: minijinja::Error| TemplateError::Syntax(plain(&error));
        jinja.add_template_owned(NAME, source.to_owned()).map_err(syntax)?;
        let mut used: Vec<String> =
            jinja.get_template(NAME).map_err(syntax)?.undeclared_variables(false).into_iter().collect();
        used.sort_unstable();
        let known = |name: &str| names.contains(&name) || jinja.globals().any(|(global, _)| global == name);
        if let Some(name) = used.iter().find(|name| !known(name)) {
            return Err(TemplateError::UnknownName { name: name.clone(), known: names.join(", ") });
        }
        if let Some(word) = jinja::unknown_word(&jinja, source, false) {
            return Err(TemplateError::UnknownFilter(word));
        }
        Ok(Self { source: source.to_owned(), jinja, names: used })
    }

    /// As it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it uses this name.
    #[must_use]
    pub fn uses(&self, name: &str) -> bool {
        self.names.iter().any(|used| used == name)
    }

    /// What it makes of a message.
    ///
    /// # Errors
    /// When the payload is not the JSON that the template needs, or the template fails on it.
    pub fn read(&self, message: &Message<'_>) -> Result<Yield, Failure> {
        let given = |json: Value| context! { value => message.text(), topic => message.topic(), value_json => json };
        if !self.uses("value_json") {
            return self.fill(given(Value::UNDEFINED));
        }
        let json = match message.json() {
            Ok(json) => json,
            Err(_) if is_placeholder(message.text()) => {
                return Ok(Yield::Absent(Absent::Placeholder(message.text().trim().to_owned())));
            }
            // `value_json` isn't defined: the template may know what to do about it.
            Err(problem) => {
                return match self.fill(given(Value::UNDEFINED))? {
                    Yield::Absent(Absent::Missing) => Err(Failure(format!("the payload is not JSON: {problem}"))),
                    outcome => Ok(outcome),
                };
            }
        };
        if let Some(without_nulls) = &json.without_nulls {
            // What reckons with a null or compares it has no value, where minijinja finds it smaller than any number.
            let outcome = self.fill(given(without_nulls.clone()))?;
            if matches!(outcome, Yield::Absent(_)) {
                return Ok(outcome);
            }
        }
        self.fill(given(json.as_sent.clone()))
    }

    /// What it makes of these names.
    ///
    /// # Errors
    /// When it fails on them.
    pub fn fill(&self, names: Value) -> Result<Yield, Failure> {
        let rendered = self.jinja.get_template(NAME).and_then(|template| template.render(names));
        let text = match rendered {
            Ok(text) if text.len() > LONGEST_RESULT => {
                return Err(Failure(format!(
                    "the template yields {} bytes, at most {LONGEST_RESULT} are used",
                    text.len()
                )));
            }
            Ok(text) => text.trim().to_owned(),
            Err(error) if is_undefined(&error) => return Ok(Yield::Absent(Absent::Missing)),
            Err(error) => return Err(Failure(plain(&error))),
        };
        if is_placeholder(&text) { Ok(Yield::Absent(Absent::Placeholder(text))) } else { Ok(Yield::Text(text)) }
    }
}

/// Whether it failed on something that isn't there. minijinja has no kind of its own for reckoning with that: `+` names
/// the types, and a minus before it says nothing at all.
fn is_undefined(error: &minijinja::Error) -> bool {
    let reckoned = || error.detail().is_none_or(|detail| detail.contains("types") && detail.contains("undefined"));
    error.kind() == ErrorKind::UndefinedError || error.kind() == ErrorKind::InvalidOperation && reckoned()
}

/// A text that should be a number, with the devices' words for having none.
///
/// # Errors
/// When it is something else.
pub fn number(text: &str) -> Result<Result<f64, Absent>, Failure> {
    match jinja::number(text) {
        Number::Is(number) => Ok(Ok(number)),
        Number::Absent => Ok(Err(Absent::Placeholder(text.trim().to_owned()))),
        Number::Not => {
            let (shown, more) = match text.char_indices().nth(60) {
                Some((end, _)) => (&text[..end], "…"),
                None => (text, ""),
            };
            Err(Failure(format!("expected a number, found \"{shown}\"{more}")))
        }
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.source)
    }
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}
