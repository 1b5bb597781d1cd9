//! What stands before and behind each filter, test, function, method and operator (`program.rs` puts it there).
//!
//! Before: the arguments are measured, and what would be made of them. Behind: a list that is only described, such as that
//! of a slice, is built, so that nothing grows later, where nobody counts.

use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr, Tuple, Value, ValueKind};
use minijinja::{Environment, Error, State};

use super::bounds::{Bounds, ITEM};
use super::growth::Call;
use super::measure::{Size, size};

/// The names of both. No template can use them: they have spaces.
pub(super) const BEFORE: &str = "what goes in";
pub(super) const BEHIND: &str = "what comes out";

/// Takes the arguments of a call, and its name as the last. Returns the arguments, the last first, or a single one as it is.
#[derive(Debug)]
struct Before(Bounds);

/// Takes a result, and what it is of. Returns it.
#[derive(Debug)]
struct Behind(Bounds);

pub(super) fn add_to(jinja: &mut Environment<'static>, bounds: Bounds) {
    jinja.add_global(BEFORE, Value::from_object(Before(bounds)));
    jinja.add_global(BEHIND, Value::from_object(Behind(bounds)));
}

impl Object for Before {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        let Some((name, args)) = args.split_last() else { return Ok(Value::UNDEFINED) };
        Call { name: name.as_str().unwrap_or_default(), args, bounds: &self.0 }.check(state)?;
        Ok(match args {
            [one] => one.clone(),
            // They are unpacked with the first on top.
            args => Value::from(Tuple::from(args.iter().rev().cloned().collect::<Vec<_>>())),
        })
    }
}

impl Object for Behind {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        let [made, name] = args else { return Ok(Value::UNDEFINED) };
        let what = || format!("`{}`", name.as_str().unwrap_or_default());
        let made = match made.kind() {
            ValueKind::Iterable => built(made, &self.0, &what())?,
            _ => made.clone(),
        };
        if let Some(text) = made.as_str() {
            return if text.len() > self.0.value { Err(self.0.too_large(&what())) } else { Ok(made) };
        }
        if matches!(made.kind(), ValueKind::Seq | ValueKind::Map) {
            let size = size(std::slice::from_ref(&made), &self.0, &what())?;
            self.0.charge(state, size.bytes + size.items * ITEM)?;
        }
        Ok(made)
    }
}

/// Builds a list that is only described.
fn built(list: &Value, bounds: &Bounds, what: &str) -> Result<Value, Error> {
    let mut items = Vec::new();
    let mut all = Size::default();
    for item in list.try_iter()? {
        all.add(&item, bounds, what)?;
        items.push(item);
        if items.len() * ITEM > bounds.value {
            return Err(bounds.too_large(what));
        }
    }
    Ok(Value::from(items))
}
