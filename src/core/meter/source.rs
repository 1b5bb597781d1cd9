//! Who measured a value: the meter, or the estimator that stands in for it.

/// Where a record comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The meter.
    Meter,
    /// The estimator that stands in for it.
    Fallback,
}

impl Source {
    /// The word of the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Meter => "meter",
            Self::Fallback => "fallback",
        }
    }
}
