//! Where expressions and templates are compiled and run: every evaluation is bounded.

use minijinja::{Environment, UndefinedBehavior};

use super::bounds::Bounds;
use super::{functions, gate, numbers, patterns, ranges};

/// The longest source that is compiled, in bytes: enough for a screenful, too short to exhaust the parser's stack.
pub(crate) const LONGEST: usize = 2_000;

/// Returns an environment with Home Assistant's filters and functions, in which every evaluation is bounded.
pub(crate) fn environment(undefined: UndefinedBehavior, bounds: Bounds) -> Environment<'static> {
    let mut jinja = Environment::new();
    jinja.set_undefined_behavior(undefined);
    jinja.set_fuel(Some(bounds.fuel));
    // Python's methods, which templates written for Home Assistant use: `topic.split('/')`, `value_json.get('power')`.
    jinja.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    functions::add_to(&mut jinja);
    numbers::add_to(&mut jinja);
    patterns::add_to(&mut jinja, bounds);
    ranges::add_to(&mut jinja, bounds);
    gate::add_to(&mut jinja, bounds);
    // It shows everything at once.
    jinja.remove_global("debug");
    jinja
}
