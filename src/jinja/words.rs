//! Finds filters and tests that don't exist, without running anything.

use minijinja::{Environment, ErrorKind};

use super::quoted::quoted_length;

/// Returns the first filter or test of a template that doesn't exist. minijinja itself notices it only when it runs that
/// part of the template, which may be months later.
///
/// `code`: the source is an expression, not a template with text around `{{ }}`.
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

/// What precedes a word.
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
    /// Now inside of `{{ }}` or `{% %}`.
    code: bool,
    /// The source is an expression, so all of it is code.
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
                length = quoted_length(self.rest).unwrap_or(self.rest.len());
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
    use minijinja::UndefinedBehavior;

    use super::*;
    use crate::jinja::bounds::CRITERIA;
    use crate::jinja::environment::environment;

    #[test]
    fn unknown_filters_and_tests_are_found_without_running_anything() {
        let jinja = environment(UndefinedBehavior::Strict, CRITERIA);
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
