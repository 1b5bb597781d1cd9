//! Arguments of filters and functions.

use std::borrow::Cow;

use minijinja::ErrorKind;
use minijinja::value::{ArgType, Kwargs};

/// Returns an argument that may be given by its position or by its name.
pub(super) fn given<'a, T>(
    positional: Option<T>,
    name: &'a str,
    kwargs: &'a Kwargs,
) -> Result<Option<T>, minijinja::Error>
where
    T: ArgType<'a, Output = T>,
{
    match positional {
        None => kwargs.get::<Option<T>>(name),
        positional => Ok(positional),
    }
}

/// Returns the error of a filter or function that can't work with its arguments.
pub(super) fn invalid(problem: impl Into<Cow<'static, str>>) -> minijinja::Error {
    minijinja::Error::new(ErrorKind::InvalidOperation, problem)
}
