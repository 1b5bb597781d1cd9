//! Expressions, such as `ratio > 0.8` or `house - solar`.

use minijinja::Environment;

use super::bounds::{CRITERIA, plain};
use super::environment::LONGEST;
use super::names::Names;
use super::program::{Program, ProgramError};
use super::words::unknown_word;

/// Why a text can't be an expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ExpressionError {
    /// Not Jinja.
    #[error("{0}")]
    Syntax(String),
    /// A filter or test that doesn't exist.
    #[error("there is no filter or test `{0}`")]
    UnknownWord(String),
    /// A method that doesn't exist.
    #[error("there is no method `{0}`")]
    UnknownMethod(String),
    /// Longer than [`LONGEST`].
    #[error("the expression has {0} characters, at most {LONGEST} are allowed")]
    TooLong(usize),
}

/// A compiled expression.
pub(crate) struct Compiled {
    /// It, ready to be evaluated.
    pub(crate) program: Program,
    /// The variables that it needs, in alphabetical order.
    pub(crate) names: Vec<String>,
    /// The same with their fields, such as `state.soc`.
    pub(crate) paths: Vec<String>,
}

/// Compiles an expression. Of variables that aren't in `names` nothing can be had: the caller refuses them.
///
/// # Errors
/// When it has a syntax error, is too long, or uses a filter, test or method that doesn't exist.
pub(crate) fn compile(
    jinja: &'static Environment<'static>,
    source: &str,
    names: Names,
) -> Result<Compiled, ExpressionError> {
    if source.len() > LONGEST {
        return Err(ExpressionError::TooLong(source.len()));
    }
    let program = Program::expression(jinja, source, names).map_err(|error| match error {
        ProgramError::Jinja(error) => ExpressionError::Syntax(plain(&error, CRITERIA)),
        ProgramError::UnknownMethod(name) => ExpressionError::UnknownMethod(name),
    })?;
    if let Some(word) = unknown_word(jinja, source, true) {
        return Err(ExpressionError::UnknownWord(word));
    }
    let expression = jinja.compile_expression_owned(source.to_owned());
    let expression = expression.map_err(|error| ExpressionError::Syntax(plain(&error, CRITERIA)))?;
    let is_given = |name: &String| !jinja.globals().any(|(global, _)| global == name);
    let mut names: Vec<String> = expression.undeclared_variables(false).into_iter().filter(is_given).collect();
    names.sort_unstable();
    let mut paths: Vec<String> = expression.undeclared_variables(true).into_iter().collect();
    paths.sort_unstable();
    Ok(Compiled { program, names, paths })
}
