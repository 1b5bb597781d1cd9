//! Expressions, such as `ratio > 0.8` or `house - solar`.

use minijinja::{Environment, Expression};

use super::environment::{LONGEST, plain};
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
    /// Longer than [`LONGEST`].
    #[error("the expression has {0} characters, at most {LONGEST} are allowed")]
    TooLong(usize),
}

/// Compiles an expression. Returns it with the names of the variables that it needs, in alphabetical order.
///
/// # Errors
/// When it has a syntax error, is too long, or uses a filter or test that doesn't exist.
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
