//! What playing a record came to, and where it differs from what was recorded.

use jiff::Timestamp;

use super::record_format::{Line, What};
use crate::wire::report;

/// What a playback came to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Playback {
    /// Runs, each of which began with a start of Sunward.
    pub runs: usize,
    /// Inputs that were played.
    pub inputs: usize,
    /// What is decided now.
    pub decisions: Vec<PlayedDecision>,
    /// What was decided when it was recorded.
    pub recorded: Vec<PlayedDecision>,
    /// Outputs that were compared with the recorded ones: messages published or cleared, subscriptions that ended, and that
    /// the start-up was over. Decisions are counted on their own, and the log is not compared.
    pub outputs: usize,
    /// Why some outputs, or all, were not compared, in a sentence; then decisions alone are. None: all were.
    pub not_compared: Option<String>,
    /// The first of the other outputs that differs from what was recorded, in one sentence.
    pub different_output: Option<String>,
    /// What of a run lies before a file is missing, so that it may be decided otherwise.
    pub cut: bool,
    /// What is missing, in a sentence each, with the file.
    pub missing: Vec<String>,
}

impl Playback {
    /// Returns the first decision that differs from what was recorded, in one sentence; if there is none, the first other
    /// output that does.
    #[must_use]
    pub fn difference(&self) -> Option<String> {
        self.different_decision().or_else(|| self.different_output.clone())
    }

    fn different_decision(&self) -> Option<String> {
        let most = self.decisions.len().max(self.recorded.len());
        let first = (0..most).find(|at| self.decisions.get(*at) != self.recorded.get(*at))?;
        let words = |decision: Option<&PlayedDecision>| match decision {
            Some(PlayedDecision { time, action, task, reason, rule }) => {
                format!("{} {action} {task}: {reason} ({rule})", report::time(*time))
            }
            None => "nothing".into(),
        };
        let (now, then) = (words(self.decisions.get(first)), words(self.recorded.get(first)));
        Some(format!("decision {} differs: {now}; when it was recorded: {then}", first + 1))
    }
}

/// One decision, as it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct PlayedDecision {
    /// When.
    pub time: Timestamp,
    /// `start` or `stop`.
    pub action: String,
    /// The task that it is about.
    pub task: String,
    /// Why, in one word.
    pub rule: String,
    /// Why, in one sentence.
    pub reason: String,
}

impl PlayedDecision {
    /// None for a line of something else.
    pub(super) fn of(line: Line) -> Option<Self> {
        let What::Decided { action, task, rule, reason } = line.what else { return None };
        Some(Self { time: line.wall, action, task, rule, reason })
    }
}
