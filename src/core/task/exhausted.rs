//! Criteria that take too much: they would fail so again, so they aren't asked for ever.

/// How often a criterion may take too much.
const MOST: u8 = 3;

/// Why an expression has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CriterionFailure {
    /// In words.
    pub(crate) why: String,
    /// It took more than it may, and would again.
    pub(crate) too_much: bool,
}

/// What the criteria of one task took too much: of nearly all tasks nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Exhausted(Option<Box<StartAndKeep>>);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct StartAndKeep {
    start: Failures,
    keep: Failures,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Failures {
    count: u8,
    why: String,
}

impl Exhausted {
    /// Counts a cycle in which the criterion took too much.
    pub(crate) fn count(&mut self, running: bool, why: &str) {
        let both = self.0.get_or_insert_default();
        let failures = if running { &mut both.keep } else { &mut both.start };
        failures.count = failures.count.saturating_add(1).min(MOST);
        why.clone_into(&mut failures.why);
    }

    /// Returns why the criterion isn't asked any more, if so.
    pub(crate) fn given_up(&self, running: bool) -> Option<String> {
        let both = self.0.as_ref()?;
        let failures = if running { &both.keep } else { &both.start };
        (failures.count >= MOST).then(|| {
            format!(
                "{}; failed so {MOST} times, not asked again until the registration or the state changes",
                failures.why
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_third_failure_is_the_last() {
        let mut exhausted = Exhausted::default();
        for _ in 0..2 {
            exhausted.count(false, "too much");
            assert_eq!(exhausted.given_up(false), None);
        }
        exhausted.count(false, "too much");
        let told = "too much; failed so 3 times, not asked again until the registration or the state changes";
        assert_eq!(exhausted.given_up(false).as_deref(), Some(told));
        assert_eq!(exhausted.given_up(true), None);
    }
}
