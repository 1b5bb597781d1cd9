//! The words that reports use for values of the core.

use std::borrow::Cow;

use crate::core::{Activity, Mode, Priority, Rule, Skipped, Source, Status};

use super::parsed::Word;

/// The one of `all` that is written like this.
fn find<T: Copy>(all: &[T], word: fn(T) -> &'static str, text: &str) -> Option<T> {
    all.iter().copied().find(|value| word(*value) == text)
}

impl Word for Activity {
    fn read(text: &str) -> Option<Self> {
        find(&[Self::Active, Self::Paused, Self::NoData], Self::as_str, text)
    }

    fn write(&self) -> Cow<'static, str> {
        self.as_str().into()
    }
}

impl Word for Status {
    fn read(text: &str) -> Option<Self> {
        const ALL: [Status; 5] =
            [Status::Running, Status::Stopped, Status::Unrunnable, Status::Unreachable, Status::Invalid];
        find(&ALL, Self::as_str, text)
    }

    fn write(&self) -> Cow<'static, str> {
        self.as_str().into()
    }
}

impl Word for Rule {
    fn read(text: &str) -> Option<Self> {
        const ALL: [Rule; 10] = [
            Rule::ConflictingKeys,
            Rule::FailingCriteria,
            Rule::DiminishingAdjustable,
            Rule::LowerPriority,
            Rule::Elected,
            Rule::Mode,
            Rule::Daily,
            Rule::Finished,
            Rule::StopAll,
            Rule::NoData,
        ];
        find(&ALL, Self::as_str, text)
    }

    fn write(&self) -> Cow<'static, str> {
        self.as_str().into()
    }
}

impl Word for Source {
    fn read(text: &str) -> Option<Self> {
        find(&[Self::Meter, Self::Fallback], Self::as_str, text)
    }

    fn write(&self) -> Cow<'static, str> {
        self.as_str().into()
    }
}

impl Word for Skipped {
    fn read(text: &str) -> Option<Self> {
        find(&[Self::Paused, Self::NoRecord], why_skipped, text)
    }

    fn write(&self) -> Cow<'static, str> {
        why_skipped(*self).into()
    }
}

fn why_skipped(skipped: Skipped) -> &'static str {
    match skipped {
        Skipped::Paused => "paused",
        Skipped::NoRecord => "no_record",
    }
}

/// Read in any case, as users write it.
impl Word for Mode {
    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn write(&self) -> Cow<'static, str> {
        self.as_str().into()
    }
}

/// Read in any case, as users write it.
impl Word for Priority {
    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn write(&self) -> Cow<'static, str> {
        self.as_str().into()
    }
}
