//! What a filter, function, method or operator would make of its arguments, before it makes it.
//!
//! Whatever isn't named here makes nothing larger than its arguments together, which are within the bounds.

use minijinja::value::{Kwargs, Value, ValueKind};
use minijinja::{Error, State};

use super::bounds::{Bounds, ITEM, exceeded};
use super::measure::{Size, size};

/// Those that hand a value on, or look at its outside only: what it is made of doesn't matter to them.
const SHALLOW: [&str; 15] = [
    "get",
    "default",
    "d",
    "iif",
    "is_defined",
    "length",
    "first",
    "last",
    "attr",
    "items",
    "keys",
    "values",
    "is true",
    "is false",
    "loop",
];

/// Tests that look at the inside of their values. All others see the outside.
pub(super) const DEEP_TESTS: [&str; 25] = [
    "eq",
    "equalto",
    "==",
    "ne",
    "!=",
    "lt",
    "lessthan",
    "<",
    "le",
    "<=",
    "gt",
    "greaterthan",
    ">",
    "ge",
    ">=",
    "in",
    "startingwith",
    "endingwith",
    "match",
    "search",
    "lower",
    "upper",
    "divisibleby",
    "filter",
    "test",
];

/// Returns whether what this hands on was there before.
pub(super) fn is_shallow(name: &str) -> bool {
    match name.strip_prefix(TEST) {
        Some(test) => !DEEP_TESTS.contains(&test),
        None => SHALLOW.contains(&name),
    }
}

/// What stands before the name of a test: some filters have the same name.
pub(super) const TEST: &str = "is ";

/// Those that write their arguments as text.
const WRITTEN: [&str; 21] = [
    "~",
    "output",
    "string",
    "join",
    "format",
    "pprint",
    "escape",
    "e",
    "safe",
    "bool",
    "lower",
    "upper",
    "title",
    "capitalize",
    "replace",
    "trim",
    "indent",
    "split",
    "lines",
    "in",
    "is in",
];

/// What is known of one call.
pub(super) struct Call<'a> {
    pub(super) name: &'a str,
    /// A method's first argument is what it is called on.
    pub(super) args: &'a [Value],
    pub(super) bounds: &'a Bounds,
}

impl Call<'_> {
    /// Counts the work of this call, and refuses it if it would make too much.
    pub(super) fn check(&self, state: &State<'_, '_>) -> Result<(), Error> {
        let Self { name, args, bounds } = self;
        if is_shallow(name) || self.is_scalar() {
            return Ok(());
        }
        if *name == "[:]" && args.iter().skip(1).any(is_far) {
            return Err(exceeded(format!("a slice: expected positions and steps within ±{}", i32::MAX)));
        }
        let measured = if *name == "[]" { &args[1..] } else { args };
        let size = size(measured, bounds, &self.shown()).inspect_err(|_| {
            // As much was looked at.
            let _ = bounds.charge(state, bounds.value);
        })?;
        bounds.charge(state, size.bytes + size.items * 3 * ITEM)?;
        if WRITTEN.contains(name) && size.text > bounds.value {
            return Err(bounds.too_large(&self.shown()));
        }
        self.each(state)?;
        bounds.charge(state, self.work(size))?;
        if self.made(size) > bounds.value { Err(bounds.too_large(&self.shown())) } else { Ok(()) }
    }

    /// A call on numbers alone.
    fn is_scalar(&self) -> bool {
        !matches!(self.name, "range" | "batch" | "slice" | "output")
            && self.args.iter().all(|value| {
                matches!(value.kind(), ValueKind::Number | ValueKind::Bool | ValueKind::None | ValueKind::Undefined)
            })
    }

    fn shown(&self) -> String {
        format!("`{}`", self.name)
    }

    /// `map` and its like call another filter or test for each item.
    fn each(&self, state: &State<'_, '_>) -> Result<(), Error> {
        let other = match self.name {
            "map" | "select" | "reject" => 1,
            "selectattr" | "rejectattr" => 2,
            _ => return Ok(()),
        };
        let Some(named) = self.args.get(other).and_then(Value::as_str) else { return Ok(()) };
        let name = if self.name == "map" { named.to_owned() } else { format!("{TEST}{named}") };
        let mut made = 0_usize;
        for item in self.args[0].try_iter()? {
            let item = if other == 2 { self.attribute(&item) } else { item };
            let args: Vec<Value> = std::iter::once(item).chain(self.args[other + 1..].iter().cloned()).collect();
            let call = Call { name: &name, args: &args, bounds: self.bounds };
            // To call it costs as much again, however little it does.
            self.bounds.charge(state, 0)?;
            call.check(state)?;
            if self.name == "map" && !call.is_scalar() {
                made = made.saturating_add(call.made(size(&args, self.bounds, &self.shown())?));
            }
            if made > self.bounds.value {
                return Err(self.bounds.too_large(&self.shown()));
            }
        }
        Ok(())
    }

    fn attribute(&self, item: &Value) -> Value {
        let name = self.text(1);
        item.get_item(&Value::from(name)).unwrap_or_default()
    }

    fn text(&self, index: usize) -> &str {
        self.args.get(index).and_then(Value::as_str).unwrap_or_default()
    }

    /// A text that may be given by its position or by its name.
    fn named(&self, index: usize, name: &str) -> String {
        match self.args.get(index) {
            Some(value) if !value.is_kwargs() => value.as_str().unwrap_or_default().to_owned(),
            _ => self.kwarg(name).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default(),
        }
    }

    fn kwarg(&self, name: &str) -> Option<Value> {
        let kwargs = Kwargs::try_from(self.args.last()?.clone()).ok()?;
        kwargs.get::<Option<Value>>(name).ok().flatten()
    }

    fn count(&self, index: usize, name: &str) -> usize {
        let given = self.args.get(index).filter(|value| !value.is_kwargs()).cloned().or_else(|| self.kwarg(name));
        given.and_then(|value| unsigned(&value)).unwrap_or(0)
    }

    /// What it makes, in bytes, at most.
    fn made(&self, size: Size) -> usize {
        let written = size.text.max(size.bytes);
        match self.name {
            "*" => repeated(self.args, size.bytes),
            "~" | "output" | "string" | "pprint" | "safe" => size.text,
            "replace" => self.replaced(size.text),
            "join" => {
                // As a method of the separator, or as a filter of the list.
                let (list, separator) = match self.args {
                    [separator, list] if separator.as_str().is_some() && list.as_str().is_none() => {
                        (list, self.text(0).len())
                    }
                    [list, ..] => (list, self.named(1, "d").len().max(self.text(0).len())),
                    [] => return 0,
                };
                let letters = self.args.iter().filter_map(Value::as_str).map(str::len).max().unwrap_or(0);
                let items = list.len().unwrap_or(size.items).max(letters);
                let items =
                    if list.as_str().is_some() || separator == 0 { items } else { list.len().unwrap_or(size.items) };
                size.text.saturating_add(items.saturating_mul(separator))
            }
            "indent" => {
                let lines = self.text(0).bytes().filter(|byte| *byte == b'\n').count() + 1;
                let width = if self.args.len() > 1 { self.count(1, "width") } else { 4 };
                written.saturating_add(width.saturating_mul(lines))
            }
            "format" => formatted(self.args, size, self.bounds),
            "upper" | "lower" | "title" | "capitalize" if !self.text(0).is_ascii() => size.text.saturating_mul(3),
            "escape" | "e" => size.text.saturating_mul(6),
            "split" | "lines" | "splitlines" => self.parts(size.text),
            "list" | "sort" | "unique" | "map" | "select" | "reject" | "batch" | "slice" | "reverse" | "chain"
            | "zip" => {
                let filled = match self.name {
                    "batch" | "slice" => self.count(1, "count").saturating_mul(ITEM + self.text(2).len()),
                    _ => 0,
                };
                let letters = self.args.iter().filter_map(Value::as_str).map(str::len).sum::<usize>();
                size.bytes.saturating_add(letters.saturating_mul(ITEM)).saturating_add(filled)
            }
            _ => written.min(self.bounds.value),
        }
    }

    fn replaced(&self, length: usize) -> usize {
        let (text, old, new) = (self.text(0), self.text(1), self.text(2));
        let at_most = self.args.get(3).filter(|value| !value.is_kwargs()).and_then(unsigned).unwrap_or(usize::MAX);
        let found = text.matches(old).take(at_most).count();
        length.max(text.len()).saturating_add(found.saturating_mul(new.len().saturating_sub(old.len())))
    }

    fn parts(&self, length: usize) -> usize {
        let text = self.text(0);
        let parts = match (self.name, self.args.get(1).and_then(Value::as_str)) {
            ("split", Some(separator)) => text.matches(separator).count(),
            ("split", None) => text.split_whitespace().count(),
            _ => text.bytes().filter(|byte| *byte == b'\n').count(),
        };
        length.saturating_add((parts + 1).saturating_mul(ITEM))
    }

    /// The items that it goes through, which are the letters of a text.
    fn walked(&self, size: Size) -> usize {
        self.args.first().and_then(Value::as_str).map_or(size.items, str::len)
    }

    /// What is read if all other arguments are read for each item, and the item itself.
    fn walk(&self, size: Size) -> usize {
        let given = self.args.iter().skip(1).map(|value| measured(value, self.bounds).min(self.bounds.value));
        self.walked(size).saturating_mul(given.sum::<usize>() / 2 + ITEM)
    }

    /// Bytes that it reads beyond its arguments, once each.
    fn work(&self, size: Size) -> usize {
        let first = self.text(0).len();
        match self.name {
            // Each character is looked for among those to be cut off.
            "strip" | "lstrip" | "rstrip" | "trim" => first.saturating_mul(self.text(1).len() / 8),
            // A list or text that grows with each item is copied again and again.
            "sum" => self.walked(size).saturating_mul(size.bytes / 16 + ITEM),
            "sort" | "unique" | "dictsort" | "groupby" | "max" | "min" => {
                size.bytes.saturating_mul(8).saturating_add(self.walk(size))
            }
            "map" | "select" | "reject" | "selectattr" | "rejectattr" => self.walk(size),
            "format" => first.saturating_mul(4),
            "replace" | "split" | "find" | "rfind" | "count" | "startswith" | "endswith" => size.bytes,
            // A path of attributes is taken for each item.
            _ if size.items > 1 => {
                let given: usize = self.args.iter().skip(1).filter_map(Value::as_str).map(str::len).sum();
                size.items.saturating_mul(given / 2)
            }
            _ => 0,
        }
    }
}

/// Returns the size of a text or list that is multiplied by a number.
pub(super) fn repeated(args: &[Value], bytes: usize) -> usize {
    let times = args.iter().filter(|value| value.kind() == ValueKind::Number).filter_map(unsigned).max();
    let is_repeated = args.iter().any(|value| value.as_str().is_some() || value.as_object().is_some());
    if is_repeated { bytes.max(1).saturating_mul(times.unwrap_or(1)) } else { 0 }
}

/// A position where minijinja's own arithmetic ends.
fn is_far(position: &Value) -> bool {
    let near = |number| (-i64::from(i32::MAX)..=i64::from(i32::MAX)).contains(&number);
    position.kind() == ValueKind::Number && !position.as_i64().is_some_and(near)
}

/// A number as a count: none below nothing, and the largest where it doesn't fit.
fn unsigned(value: &Value) -> Option<usize> {
    if value.kind() != ValueKind::Number {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    let saturated = |number: f64| number as usize;
    value.as_usize().or_else(|| f64::try_from(value.clone()).ok().map(saturated))
}

/// Returns the size of what a format makes, of both kinds: all numbers in its fields count as widths.
fn formatted(args: &[Value], size: Size, bounds: &Bounds) -> usize {
    let format = args.first().and_then(Value::as_str).unwrap_or_default();
    let (mut widths, mut number, mut fields, mut inside) = (0_usize, 0_usize, 0_usize, false);
    for byte in format.bytes() {
        match byte {
            b'{' | b'%' => (inside, fields) = (true, fields + 1),
            b'0'..=b'9' if inside => number = number.saturating_mul(10).saturating_add(usize::from(byte - b'0')),
            _ => {
                widths = widths.saturating_add(std::mem::take(&mut number));
                inside &= byte != b'}' && byte != b' ' && byte != b'\n';
            }
        }
    }
    widths = widths.saturating_add(number);
    let has_given_width =
        format.contains('*') || ["{{", ":{", ".{", ">{", "<{", "^{"].iter().any(|it| format.contains(it));
    if has_given_width {
        let given = args.iter().skip(1).filter(|value| value.is_integer());
        widths = given.filter_map(unsigned).fold(widths, usize::saturating_add);
    }
    // Digits are grouped, and a character that fills has up to four bytes; a number in base two has 130 digits.
    let lengths = args.iter().skip(1).map(|value| measured(value, bounds));
    let longest = lengths.max().unwrap_or(0).min(size.text);
    let one = longest.saturating_add(200);
    format.len().saturating_add(widths.saturating_mul(4)).saturating_add(fields.saturating_mul(one))
}

fn measured(value: &Value, bounds: &Bounds) -> usize {
    size(std::slice::from_ref(value), bounds, "").map_or(usize::MAX, |size| size.text)
}
