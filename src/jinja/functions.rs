//! The filters and functions of Home Assistant that are about neither numbers nor patterns, as far as templates of messages use them.
//!
//! Those that need the time or other entities are left out: `now`, `as_timestamp`, `states`.

use minijinja::value::{Kwargs, Serde, Value};
use minijinja::{Environment, Error, ErrorKind};

use super::arguments::{given, invalid};
use super::numbers::shown;

pub(super) fn add_to(jinja: &mut Environment<'static>) {
    jinja.add_filter("is_defined", is_defined);
    jinja.add_filter("iif", iif);
    jinja.add_function("iif", iif);
    jinja.add_filter("bool", boolean);
    jinja.add_function("bool", boolean);
    jinja.add_filter("from_json", from_json);
}

/// Without a value the whole template yields nothing.
fn is_defined(value: &Value) -> Result<Value, Error> {
    if value.is_undefined() {
        return Err(ErrorKind::UndefinedError.into());
    }
    Ok(value.clone())
}

fn iif(
    value: &Value,
    if_true: Option<Value>,
    if_false: Option<Value>,
    if_none: Option<Value>,
    kwargs: Kwargs,
) -> Result<Value, Error> {
    let if_true = given(if_true, "if_true", &kwargs)?.unwrap_or(Value::from(true));
    let if_false = given(if_false, "if_false", &kwargs)?.unwrap_or(Value::from(false));
    let if_none = given(if_none, "if_none", &kwargs)?;
    kwargs.assert_all_used()?;
    Ok(match if_none {
        Some(if_none) if value.is_none() => if_none,
        _ if value.is_true() => if_true,
        _ => if_false,
    })
}

fn boolean(value: &Value, default: Option<Value>, kwargs: Kwargs) -> Result<Value, Error> {
    let default = given(default, "default", &kwargs)?;
    kwargs.assert_all_used()?;
    if value.is_undefined() {
        return Err(ErrorKind::UndefinedError.into());
    }
    match value.to_string().to_lowercase().as_str() {
        "true" | "yes" | "on" | "enable" | "1" | "1.0" => Ok(true.into()),
        "false" | "no" | "off" | "disable" | "0" | "0.0" => Ok(false.into()),
        _ => default.ok_or_else(|| invalid(format!("expected true or false, found {}", shown(value)))),
    }
}

fn from_json(text: &str, default: Option<Value>, kwargs: Kwargs) -> Result<Value, Error> {
    let default = given(default, "default", &kwargs)?;
    kwargs.assert_all_used()?;
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(json) => Ok(Value::from(Serde(&json))),
        Err(problem) => default.ok_or_else(|| invalid(format!("expected JSON: {problem}"))),
    }
}
