//! What the scheduler is doing.

/// What the scheduler is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// It schedules.
    Active,
    /// A user paused it.
    Paused,
    /// No record arrives.
    NoData,
}

impl Activity {
    /// The word of the wire: `active`, `paused`, `no_data`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::NoData => "no_data",
        }
    }
}
