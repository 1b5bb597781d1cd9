//! A compiled template.
//!
//! Names, filters and tests that don't exist are errors when it is compiled. Running it takes a bounded effort.

use std::fmt;
use std::sync::LazyLock;

use minijinja::value::Value;
use minijinja::{Environment, ErrorKind, UndefinedBehavior, context};

use super::message::DeviceMessage;
use super::rendered::{Absent, Rendered, TemplateFailure};
use crate::jinja::{self, CONFIGURATION, LONGEST, Program, ProgramError, is_placeholder, plain};

/// The names of a template that reads a message.
const MESSAGE: [&str; 3] = ["value", "value_json", "topic"];

/// The name of the only template in its environment.
const NAME: &str = "template";

/// The longest text that a template may yield, in bytes.
const LONGEST_RESULT: usize = 4_096;

static JINJA: LazyLock<Environment<'static>> = LazyLock::new(|| {
    // As in Home Assistant, a missing field may be tested (`is defined`), and fails everywhere else.
    let mut jinja = jinja::environment(UndefinedBehavior::SemiStrict, CONFIGURATION);
    jinja.add_test("none", |value: &Value| value.is_none() || value.is_undefined());
    jinja
});

/// A compiled template. Two are equal if they were written alike.
pub struct Template {
    source: String,
    program: Program,
    /// The variables that it uses.
    names: Vec<String>,
}

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It is not Jinja.
    #[error("expected a template such as \"{{{{ value_json.power }}}}\": {0}")]
    Syntax(String),
    /// It uses a variable that it is not given.
    #[error("`{name}` is unknown: expected one of {known}")]
    UnknownName {
        /// The variable.
        name: String,
        /// Those that it may use.
        known: String,
    },
    /// It uses a filter or test that doesn't exist.
    #[error("there is no filter or test `{0}`")]
    UnknownFilter(String),
    /// It calls a method that doesn't exist.
    #[error("there is no method `{0}`")]
    UnknownMethod(String),
    /// It is longer than 2,000 bytes.
    #[error("the template has {0} characters, at most {LONGEST} are allowed")]
    TooLong(usize),
    /// It has no braces, and would yield itself whatever arrives.
    #[error("\"{0}\" is plain text: expected a template such as \"{{{{ {0} }}}}\"")]
    Constant(String),
}

impl Template {
    /// Compiles a template that reads messages. It may use `value` (the payload), `value_json` and `topic`.
    ///
    /// # Errors
    /// When it does not compile, is too long, or uses a variable, filter or test that doesn't exist.
    pub fn new(source: &str) -> Result<Self, TemplateError> {
        Self::over(source, &MESSAGE)
    }

    /// Compiles a template that may use these variables, for [`Template::fill`].
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
        let jinja = &*JINJA;
        let syntax = |error: minijinja::Error| TemplateError::Syntax(plain(&error, CONFIGURATION));
        let program = Program::template(jinja, source).map_err(|error| match error {
            ProgramError::Jinja(error) => syntax(error),
            ProgramError::UnknownMethod(name) => TemplateError::UnknownMethod(name),
        })?;
        let mut used: Vec<String> = jinja
            .template_from_named_str(NAME, source)
            .map_err(syntax)?
            .undeclared_variables(false)
            .into_iter()
            .collect();
        used.sort_unstable();
        let known = |name: &str| names.contains(&name) || jinja.globals().any(|(global, _)| global == name);
        if let Some(name) = used.iter().find(|name| !known(name)) {
            return Err(TemplateError::UnknownName { name: name.clone(), known: names.join(", ") });
        }
        if let Some(word) = jinja::unknown_word(jinja, source, false) {
            return Err(TemplateError::UnknownFilter(word));
        }
        Ok(Self { source: source.to_owned(), program, names: used })
    }

    /// Returns the template as it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Returns whether it uses this variable.
    #[must_use]
    pub fn uses(&self, name: &str) -> bool {
        self.names.iter().any(|used| used == name)
    }

    /// Renders a message.
    ///
    /// # Errors
    /// When the payload is not the JSON that the template needs, or the template fails on it.
    pub fn read(&self, message: &DeviceMessage<'_>) -> Result<Rendered, TemplateFailure> {
        let given = |json: Value| context! { value => message.text(), topic => message.topic(), value_json => json };
        if !self.uses("value_json") {
            return self.fill(given(Value::UNDEFINED));
        }
        let json = match message.json() {
            Ok(json) => json,
            Err(_) if is_placeholder(message.text()) => {
                return Ok(Rendered::Absent(Absent::Placeholder(message.text().trim().to_owned())));
            }
            // `value_json` is undefined then. A template may test for that, so only one that needs it fails.
            Err(problem) => {
                return match self.fill(given(Value::UNDEFINED))? {
                    Rendered::Absent(Absent::Missing) => {
                        Err(TemplateFailure(format!("the payload is not JSON: {problem}")))
                    }
                    outcome => Ok(outcome),
                };
            }
        };
        if let Some(without_nulls) = &json.without_nulls {
            // minijinja takes null for smaller than any number. A template that calculates with null or compares it must yield
            // nothing instead, so it is rendered without the nulls first.
            let outcome = self.fill(given(without_nulls.clone()))?;
            if matches!(outcome, Rendered::Absent(_)) {
                return Ok(outcome);
            }
        }
        self.fill(given(json.as_sent.clone()))
    }

    /// Renders the template with these variables.
    ///
    /// # Errors
    /// When it fails on them, or yields more than 4,096 bytes.
    pub fn fill(&self, names: Value) -> Result<Rendered, TemplateFailure> {
        let rendered = self.program.render(names);
        let text = match rendered {
            Ok(text) if text.len() > LONGEST_RESULT => {
                return Err(TemplateFailure(format!(
                    "the template yields {} bytes, at most {LONGEST_RESULT} are used",
                    text.len()
                )));
            }
            Ok(text) => text.trim().to_owned(),
            Err(error) if is_undefined(&error) => return Ok(Rendered::Absent(Absent::Missing)),
            Err(error) => return Err(TemplateFailure(plain(&error, CONFIGURATION))),
        };
        if is_placeholder(&text) { Ok(Rendered::Absent(Absent::Placeholder(text))) } else { Ok(Rendered::Text(text)) }
    }
}

/// Returns whether a template failed because of a missing value. minijinja has no error kind for calculating with one: the
/// error of `+` names the types in its text, and the error of a leading minus has no text.
fn is_undefined(error: &minijinja::Error) -> bool {
    let calculated = || error.detail().is_none_or(|detail| detail.contains("types") && detail.contains("undefined"));
    error.kind() == ErrorKind::UndefinedError || error.kind() == ErrorKind::InvalidOperation && calculated()
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
