//! What the last cycle found of a task, kept as numbers; words are made only when somebody reads them.

use std::fmt;

use crate::core::output::Action;
use crate::core::task::id::TaskId;
use crate::units::{Share, Watts};

/// What the last cycle found.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// No cycle has judged it yet.
    Pending,
    /// It was started or stopped, for this reason.
    Decided {
        /// What it was told.
        action: Action,
        /// The decision's sentence.
        reason: String,
        /// The ratio that decided it, where one did.
        ratio: Option<Share>,
    },
    /// It runs, and so much of it is covered.
    Covered(Share),
    /// It is stopped, and waits for something.
    Waits(Waits),
}

/// What a stopped task waits for.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Waits {
    /// More sun.
    Sun {
        /// The ratio it has.
        ratio: Share,
        /// The ratio it needs, where its criterion is a number.
        needs: Option<Share>,
        /// Its criterion, where that is an expression, or why it failed.
        why: Option<String>,
        /// Its `power`.
        power: Watts,
        /// Kept from it for others.
        held_back: Watts,
    },
    /// A key that another task runs on.
    Key {
        /// The key.
        key: String,
        /// The other task.
        holder: TaskId,
    },
    /// The end of its wait after unanswered starts.
    BackOff,
    /// More records of the source in use: its criterion is met in those that there are.
    Records {
        /// How many more.
        missing: usize,
        /// How many have to agree: `confirm_records`.
        of: usize,
        /// The ratio it has.
        ratio: Share,
    },
}

impl Verdict {
    /// The ratio it was judged by.
    #[must_use]
    pub fn ratio(&self) -> Option<Share> {
        match self {
            Self::Decided { ratio, .. } => *ratio,
            Self::Covered(ratio) | Self::Waits(Waits::Sun { ratio, .. } | Waits::Records { ratio, .. }) => Some(*ratio),
            Self::Pending | Self::Waits(_) => None,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pending => f.write_str("no cycle has judged it yet"),
            Self::Decided { reason, .. } => f.write_str(reason),
            Self::Covered(ratio) => write!(f, "the sun covers {ratio} of it"),
            Self::Waits(Waits::Key { key, holder }) => write!(f, "`{key}` is taken: {holder} runs on it"),
            Self::Waits(Waits::BackOff) => f.write_str("waits: it did not follow its last starts"),
            Self::Waits(Waits::Records { of: 2, .. }) => f.write_str("waits for a second record"),
            Self::Waits(Waits::Records { missing: 1, .. }) => f.write_str("waits for one more record"),
            Self::Waits(Waits::Records { missing, .. }) => write!(f, "waits for {missing} more records"),
            Self::Waits(Waits::Sun { ratio, needs, why, power, held_back }) => {
                match (needs, why) {
                    (_, Some(why)) => write!(f, "{why}: has ratio {ratio}")?,
                    (Some(needs), None) => {
                        let short = *power * (needs.0 - ratio.0);
                        write!(f, "needs ratio {needs}, has {ratio}: {short} short")?;
                    }
                    (None, None) => write!(f, "its state says that its criteria are not met, has ratio {ratio}")?,
                }
                if *held_back > Watts::ZERO {
                    write!(f, " ({held_back} are held back for more important tasks)")?;
                }
                Ok(())
            }
        }
    }
}
