//! Home Assistant's filters and tests with regular expressions. What they cost is counted before each search.
//!
//! The `regex` crate takes a time that grows with the size of the compiled pattern times the length of the text, for each
//! search. The first is held small here, and both are charged.

use minijinja::value::{Kwargs, Value};
use minijinja::{Environment, Error, ErrorKind, State};
use regex::{Captures, Regex, RegexBuilder};

use super::arguments::{given, invalid};
use super::bounds::{Bounds, ITEM, exceeded};

/// The longest pattern, in bytes.
const LONGEST_PATTERN: usize = 256;

/// The most memory of a compiled pattern, in bytes: enough for every meter's telegram. Smaller ones are tried first, as
/// the size tells what a search costs.
const PATTERN_SIZES: [usize; 5] = [2_000, 6_000, 20_000, 60_000, 100_000];

/// Bytes of a compiled pattern that are as much work, for each byte of a text, as one byte of a text elsewhere.
const SIZE_PER_BYTE: usize = 1_000;

/// How many bytes elsewhere are as much work as compiling a pattern of one byte.
const COMPILING: usize = 4;

/// The most matches that are looked for.
const MOST_MATCHES: usize = 1_000;

pub(super) fn add_to(jinja: &mut Environment<'static>, bounds: Bounds) {
    let at_start = move |state: &State<'_, '_>, text: &str, find: &str, kwargs: Kwargs| {
        Search::new(state, bounds, text, &format!("^(?:{find})"), kwargs)?.is_found()
    };
    let anywhere = move |state: &State<'_, '_>, text: &str, find: &str, kwargs: Kwargs| {
        Search::new(state, bounds, text, find, kwargs)?.is_found()
    };
    jinja.add_test("match", at_start);
    jinja.add_filter("regex_match", at_start);
    jinja.add_test("search", anywhere);
    jinja.add_filter("regex_search", anywhere);
    jinja.add_filter(
        "regex_replace",
        move |state: &State<'_, '_>, text: &str, find: Option<&str>, replace: Option<&str>, kwargs: Kwargs| {
            let find = given(find, "find", &kwargs)?.unwrap_or_default().to_owned();
            let replace = given(replace, "replace", &kwargs)?.unwrap_or_default().to_owned();
            Search::new(state, bounds, text, &find, kwargs)?.replaced(&replace)
        },
    );
    jinja.add_filter("regex_findall", move |state: &State<'_, '_>, text: &str, find: Option<&str>, kwargs: Kwargs| {
        let find = given(find, "find", &kwargs)?.unwrap_or_default().to_owned();
        Search::new(state, bounds, text, &find, kwargs)?.all(MOST_MATCHES)
    });
    jinja.add_filter(
        "regex_findall_index",
        move |state: &State<'_, '_>, text: &str, find: Option<&str>, index: Option<usize>, kwargs: Kwargs| {
            let index = given(index, "index", &kwargs)?.unwrap_or(0);
            let find = given(find, "find", &kwargs)?.unwrap_or_default().to_owned();
            let found =
                Search::new(state, bounds, text, &find, kwargs)?.all(index.saturating_add(1).min(MOST_MATCHES))?;
            // A telegram without the line that is looked for has no value.
            found.into_iter().nth(index).ok_or_else(|| ErrorKind::UndefinedError.into())
        },
    );
}

/// A pattern that is applied to a text.
struct Search<'a> {
    state: &'a State<'a, 'a>,
    bounds: Bounds,
    text: &'a str,
    pattern: Regex,
    /// The size of the compiled pattern, in bytes, at most.
    size: usize,
}

impl<'a> Search<'a> {
    fn new(state: &'a State<'_, '_>, bounds: Bounds, text: &'a str, find: &str, kwargs: Kwargs) -> Result<Self, Error> {
        let ignorecase = kwargs.get::<Option<bool>>("ignorecase")?.unwrap_or(false);
        kwargs.assert_all_used()?;
        if find.len() > LONGEST_PATTERN {
            let length = find.len();
            return Err(exceeded(format!(
                "a regular expression of {length} bytes: expected at most {LONGEST_PATTERN}"
            )));
        }
        if text.len() > bounds.searched {
            let (length, most) = (text.len(), bounds.searched >> 10);
            return Err(exceeded(format!(
                "a regular expression on a text of {length} bytes: expected at most {most} KiB"
            )));
        }
        for size in PATTERN_SIZES {
            bounds.charge(state, size * COMPILING)?;
            match RegexBuilder::new(find).case_insensitive(ignorecase).size_limit(size).dfa_size_limit(size * 4).build()
            {
                Ok(pattern) => return Ok(Self { state, bounds, text, pattern, size }),
                Err(regex::Error::CompiledTooBig(_)) => {}
                Err(problem) => return Err(invalid(format!("bad regular expression: {problem}"))),
            }
        }
        let most = PATTERN_SIZES[PATTERN_SIZES.len() - 1] / 1_000;
        Err(exceeded(format!("a regular expression that takes more than {most} kB: expected fewer repetitions")))
    }

    /// Counts one search from here to the end of the text.
    fn charge(&self, from: usize) -> Result<(), Error> {
        let bytes = self.text.len().saturating_sub(from) + ITEM;
        self.bounds.charge(self.state, bytes * (1 + self.size / SIZE_PER_BYTE) + 64)
    }

    fn is_found(&self) -> Result<bool, Error> {
        self.charge(0)?;
        Ok(self.pattern.is_match(self.text))
    }

    /// Calls `each` with all matches, one after the other.
    fn each(&self, most: usize, mut each: impl FnMut(&Captures<'a>) -> Result<(), Error>) -> Result<(), Error> {
        let mut from = 0;
        let mut all = self.pattern.captures_iter(self.text);
        for _ in 0..most {
            self.charge(from)?;
            let Some(found) = all.next() else { break };
            from = found.get(0).map_or(from, |whole| whole.end());
            each(&found)?;
        }
        Ok(())
    }

    fn replaced(&self, replace: &str) -> Result<String, Error> {
        // Python writes a group as \1, the `regex` crate as ${1}. A $ is plain text in Python.
        let mut with = replace.replace('$', "$$");
        for group in 0..=9 {
            with = with.replace(&format!("\\{group}"), &format!("${{{group}}}"));
        }
        let references = with.matches("${").count();
        let (mut made, mut done) = (String::new(), 0);
        self.each(usize::MAX, |found| {
            let Some(whole) = found.get(0) else { return Ok(()) };
            // All groups lie within the match.
            let added = with.len().saturating_add(whole.len().saturating_mul(references));
            let sum = made.len().saturating_add(whole.start() - done).saturating_add(added);
            if sum > self.bounds.value {
                return Err(self.bounds.too_large("`regex_replace`"));
            }
            self.bounds.charge(self.state, added)?;
            made.push_str(&self.text[done..whole.start()]);
            found.expand(&with, &mut made);
            done = whole.end();
            Ok(())
        })?;
        made.push_str(&self.text[done..]);
        Ok(made)
    }

    /// Returns for each match, like Python's `findall`, the whole match, its only group, or a list of its groups.
    fn all(&self, most: usize) -> Result<Vec<Value>, Error> {
        let mut all = Vec::new();
        let mut size = 0_usize;
        self.each(most, |captures| {
            let whole = captures.get(0).map_or(0, |whole| whole.len());
            size = size.saturating_add(captures.len() * (ITEM + whole));
            if size > self.bounds.value {
                return Err(self.bounds.too_large("`regex_findall`"));
            }
            let group = |number: usize| Value::from(captures.get(number).map_or("", |found| found.as_str()));
            all.push(match captures.len() {
                1 => group(0),
                2 => group(1),
                groups => (1..groups).map(group).collect::<Vec<_>>().into(),
            });
            Ok(())
        })?;
        Ok(all)
    }
}
