//! Where expressions and templates are compiled and run: every evaluation is bounded.

use minijinja::{Environment, ErrorKind, UndefinedBehavior};

use super::{functions, numbers};

/// The longest source that is compiled, in bytes: enough for a screenful, too short to exhaust the parser's stack.
pub(crate) const LONGEST: usize = 2_000;

/// Instructions that one evaluation may take. A screenful needs some hundreds; what is made of long texts and lists costs
/// by its size.
const FUEL: u64 = 10_000;

/// Returns an environment with Home Assistant's filters and functions, in which every evaluation is bounded.
pub(crate) fn environment(undefined: UndefinedBehavior) -> Environment<'static> {
    let mut jinja = Environment::new();
    jinja.set_undefined_behavior(undefined);
    jinja.set_fuel(Some(FUEL));
    // Python's methods, which templates written for Home Assistant use: `topic.split('/')`, `value_json.get('power')`.
    jinja.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    functions::add_to(&mut jinja);
    numbers::add_to(&mut jinja);
    jinja
}

/// Returns the message of an error without the line number, as there is nearly always one line only.
pub(crate) fn plain(error: &minijinja::Error) -> String {
    match error.detail() {
        // minijinja speaks of fuel here, which means nothing to the author of a template.
        _ if error.kind() == ErrorKind::OutOfFuel => format!("takes more than {FUEL} steps: a loop too many?"),
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}
