//! The filters and functions of Home Assistant that are not about numbers, as far as templates of messages use them.
//!
//! Those that need the time or other entities are left out: `now`, `as_timestamp`, `states`.

use minijinja::value::{Kwargs, Serde, Value};
use minijinja::{Environment, Error, ErrorKind};
use regex::{Regex, RegexBuilder};

use super::arguments::{given, invalid};

/// The most memory of a compiled pattern, in bytes: enough for every meter's telegram.
const LARGEST_PATTERN: usize = 100_000;

/// The most matches that are looked for.
const MOST_MATCHES: usize = 1_000;

pub(super) fn add_to(jinja: &mut Environment<'static>) {
    jinja.add_filter("is_defined", is_defined);
    jinja.add_filter("iif", iif);
    jinja.add_function("iif", iif);
    jinja.add_filter("bool", boolean);
    jinja.add_function("bool", boolean);
    jinja.add_filter("from_json", from_json);
    jinja.add_test("match", |text: &str, find: &str, kwargs: Kwargs| found_at_start(text, find, kwargs));
    jinja.add_test("search", |text: &str, find: &str, kwargs: Kwargs| found(text, find, kwargs));
    jinja.add_filter("regex_match", |text: &str, find: &str, kwargs: Kwargs| found_at_start(text, find, kwargs));
    jinja.add_filter("regex_search", |text: &str, find: &str, kwargs: Kwargs| found(text, find, kwargs));
    jinja.add_filter("regex_replace", regex_replace);
    jinja.add_filter("regex_findall", regex_findall);
    jinja.add_filter("regex_findall_index", regex_findall_index);
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
        _ => default.ok_or_else(|| invalid(format!("expected true or false, found {value}"))),
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

fn found_at_start(text: &str, find: &str, kwargs: Kwargs) -> Result<bool, Error> {
    let pattern = pattern(&format!("^(?:{find})"), &kwargs)?;
    kwargs.assert_all_used()?;
    Ok(pattern.is_match(text))
}

fn found(text: &str, find: &str, kwargs: Kwargs) -> Result<bool, Error> {
    let pattern = pattern(find, &kwargs)?;
    kwargs.assert_all_used()?;
    Ok(pattern.is_match(text))
}

fn regex_replace(text: &str, find: Option<&str>, replace: Option<&str>, kwargs: Kwargs) -> Result<String, Error> {
    let find = given(find, "find", &kwargs)?.unwrap_or_default();
    let replace = given(replace, "replace", &kwargs)?.unwrap_or_default();
    let pattern = pattern(find, &kwargs)?;
    kwargs.assert_all_used()?;
    // Python writes a group as \1, the `regex` crate as ${1}. A $ is plain text in Python.
    let mut with = replace.replace('$', "$$");
    for group in 0..=9 {
        with = with.replace(&format!("\\{group}"), &format!("${{{group}}}"));
    }
    Ok(pattern.replace_all(text, with).into_owned())
}

fn regex_findall(text: &str, find: Option<&str>, kwargs: Kwargs) -> Result<Vec<Value>, Error> {
    let pattern = pattern(given(find, "find", &kwargs)?.unwrap_or_default(), &kwargs)?;
    kwargs.assert_all_used()?;
    Ok(matches(&pattern, text))
}

fn regex_findall_index(text: &str, find: Option<&str>, index: Option<usize>, kwargs: Kwargs) -> Result<Value, Error> {
    let index = given(index, "index", &kwargs)?.unwrap_or(0);
    let pattern = pattern(given(find, "find", &kwargs)?.unwrap_or_default(), &kwargs)?;
    kwargs.assert_all_used()?;
    // A telegram without the line that is looked for has no value.
    matches(&pattern, text).into_iter().nth(index).ok_or_else(|| ErrorKind::UndefinedError.into())
}

/// Returns for each match, like Python's `findall`, the whole match, its only group, or a list of its groups.
fn matches(pattern: &Regex, text: &str) -> Vec<Value> {
    let group = |captures: &regex::Captures<'_>, group: usize| {
        Value::from(captures.get(group).map_or("", |found| found.as_str()))
    };
    let found = pattern.captures_iter(text).take(MOST_MATCHES);
    found
        .map(|captures| match captures.len() {
            1 => group(&captures, 0),
            2 => group(&captures, 1),
            groups => (1..groups).map(|number| group(&captures, number)).collect::<Vec<_>>().into(),
        })
        .collect()
}

fn pattern(find: &str, kwargs: &Kwargs) -> Result<Regex, Error> {
    let ignorecase = kwargs.get::<Option<bool>>("ignorecase")?.unwrap_or(false);
    let built = RegexBuilder::new(find).case_insensitive(ignorecase).size_limit(LARGEST_PATTERN).build();
    built.map_err(|problem| invalid(format!("bad regular expression: {problem}")))
}
