//! MQTT's topics and filters: what can be one, which topic fits which filter, and which filter another one covers.
//!
//! Whose topics they are is not known here. Two subscriptions that fit one topic may deliver its messages twice, and a value
//! that counts twice is a wrong mean: hence [`distinct`].

/// Whether a filter has wildcards.
pub(crate) fn has_wildcard(filter: &str) -> bool {
    filter.split('/').any(|level| matches!(level, "+" | "#"))
}

/// Whether everything that fits `other`, which may be a topic, fits `filter` too.
pub(crate) fn covers(filter: &str, other: &str) -> bool {
    // The broker's own topics are not meant by a wildcard at the start.
    if other.starts_with('$') != filter.starts_with('$') {
        return false;
    }
    let (mut filter, mut other) = (filter.split('/'), other.split('/'));
    loop {
        match (filter.next(), other.next()) {
            (Some("#"), _) | (None, None) => return true,
            (Some("+"), Some(level)) if level != "#" => {}
            (Some(a), Some(b)) if a == b => {}
            _ => return false,
        }
    }
}

/// The filters without those that others cover, in their order, each once.
#[must_use]
pub(crate) fn distinct(filters: Vec<String>) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::new();
    for filter in filters {
        if !distinct.iter().any(|other| covers(other, &filter)) {
            distinct.retain(|other| !covers(&filter, other));
            distinct.push(filter);
        }
    }
    distinct
}

/// Whether this is one topic, to publish to or to listen to.
///
/// # Errors
/// The end of a sentence that began with the key.
pub(crate) fn check_topic(topic: &str) -> Result<(), String> {
    check_text(topic)?;
    match topic.chars().find(|c| "+#".contains(*c)) {
        Some(wildcard) => Err(format!("expected one topic, without the wildcard {wildcard}, found {}", quoted(topic))),
        None => Ok(()),
    }
}

/// Whether this can be subscribed to.
///
/// # Errors
/// The end of a sentence that began with the key.
pub(crate) fn check_filter(filter: &str) -> Result<(), String> {
    check_text(filter)?;
    let levels: Vec<&str> = filter.split('/').collect();
    for (index, level) in levels.iter().enumerate() {
        if level.contains('#') && (*level != "#" || index + 1 < levels.len()) {
            return Err(format!("expected # alone and at the end, as in \"shellies/#\", found {}", quoted(filter)));
        }
        if level.contains('+') && *level != "+" {
            return Err(format!("expected + for a whole level, as in \"tele/+/SENSOR\", found {}", quoted(filter)));
        }
    }
    Ok(())
}

/// The longest base: together with the longest task id a topic stays far below what any broker accepts.
const LONGEST_BASE: usize = 128;

/// Whether other topics can begin with this.
///
/// # Errors
/// The end of a sentence that began with the key.
pub(crate) fn check_base(base: &str) -> Result<(), String> {
    if base.starts_with('$') {
        return Err(format!("topics that begin with $ belong to the broker, found {}", quoted(base)));
    }
    if !base.is_empty() && base.split('/').any(str::is_empty) {
        let levels: Vec<&str> = base.split('/').filter(|level| !level.is_empty()).collect();
        return Err(format!("expected no / at the ends and no two in a row, write {}", quoted(&levels.join("/"))));
    }
    if base.len() > LONGEST_BASE {
        return Err(format!("expected at most {LONGEST_BASE} bytes, found {}", base.len()));
    }
    check_topic(base)
}

fn check_text(topic: &str) -> Result<(), String> {
    if topic.len() > usize::from(u16::MAX) {
        return Err(format!("expected at most {} bytes, found {}", u16::MAX, topic.len()));
    }
    if topic.trim() != topic || topic.is_empty() {
        return Err(format!("expected a topic, without spaces at its ends, found {}", quoted(topic)));
    }
    if topic.contains(char::is_control) {
        return Err(format!("expected a topic without control characters, found {}", quoted(topic)));
    }
    Ok(())
}

/// Its beginning, in quotes.
fn quoted(topic: &str) -> String {
    let mut shown = topic.chars();
    let beginning: String = shown.by_ref().take(80).collect();
    if shown.next().is_none() { format!("{beginning:?}") } else { format!("{beginning:?}…") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_fit_as_the_standard_says() {
        let table = [
            ("a/b", "a/b", true),
            ("a/b", "a/c", false),
            ("a/+", "a/b", true),
            ("a/+", "a", false),
            ("a/+", "a/b/c", false),
            ("a/+/c", "a//c", true),
            ("a/#", "a", true),
            ("a/#", "a/b/c", true),
            ("#", "a/b", true),
            ("#", "$SYS/a", false),
            ("+/a", "$SYS/a", false),
            ("$SYS/#", "$SYS/a", true),
            ("+", "+", true),
            ("+/b", "#", false),
            ("a/+", "a/#", false),
            ("a/#", "a/+", true),
            ("a", "a/", false),
        ];
        for (filter, topic, expect) in table {
            assert_eq!(covers(filter, topic), expect, "{filter} {topic}");
        }
    }

    #[test]
    fn what_others_cover_is_not_asked_for_again() {
        let filters = ["tele/a/SENSOR", "x", "tele/+/SENSOR", "x", "tele/b/SENSOR"].map(str::to_owned);
        assert_eq!(distinct(filters.into()), ["x", "tele/+/SENSOR"]);
    }

    #[test]
    fn what_is_no_topic_is_refused() {
        for topic in ["", " a", "a/+", "#", "a\0b", &"x".repeat(65_536)] {
            assert!(check_topic(topic).is_err(), "{topic}");
        }
        for topic in ["a", "a/b", "/", "ä/ö", "$SYS/x"] {
            assert_eq!(check_topic(topic), Ok(()), "{topic}");
        }
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        for filter in ["", " a", "a\0", "a#", "#/a", "a/b+", "a/+b/c", &"x".repeat(70_000)] {
            assert!(check_filter(filter).is_err(), "{filter}");
        }
        for filter in ["a", "#", "+", "a/+/b/#", "/", "N/XXXXXXXXXXX/system/0/Ac/Grid/L1/Power"] {
            assert_eq!(check_filter(filter), Ok(()), "{filter}");
        }
    }
}
