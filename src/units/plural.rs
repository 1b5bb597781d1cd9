//! Numbers of things, as people read them.

/// Returns a number with its noun: `1 task`, `2 tasks`.
#[must_use]
pub fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
