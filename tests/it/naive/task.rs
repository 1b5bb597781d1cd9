//! A task as plain facts.

/// Who decides about a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Auto,
    On,
    Off,
}

/// A task as the rules see it in one cycle.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NaiveTask {
    pub(crate) id: String,
    pub(crate) priority: u8,
    pub(crate) power: f64,
    pub(crate) max_power: Option<f64>,
    /// Its circuits; `@<id>` alone when it has none.
    pub(crate) keys: Vec<String>,
    pub(crate) adjustable: bool,
    /// Starts when its ratio is at least this.
    pub(crate) start: f64,
    /// Runs on while its ratio is at least this.
    pub(crate) keep: f64,
    /// What it last reported.
    pub(crate) running: bool,
    pub(crate) runnable: bool,
    pub(crate) stoppable: bool,
    pub(crate) reachable: bool,
    /// Left its last starts unanswered.
    pub(crate) blocked: bool,
    /// Its stops had no effect.
    pub(crate) deaf: bool,
    /// The meter doesn't show what it says that it uses.
    pub(crate) claim_doubted: bool,
    pub(crate) mode: Mode,
    /// Stoppable but for its `min_on`.
    pub(crate) held_by_min_on: bool,
    /// The answer to its criteria, instead of the ratio.
    pub(crate) meets_criteria: Option<bool>,
    /// It has to run for its daily deadline: its criteria count as met.
    pub(crate) deadline: bool,
}

impl NaiveTask {
    /// A task that doesn't run, whose only key is its id.
    pub(crate) fn idle(id: &str, priority: u8, power: f64) -> Self {
        Self {
            id: id.to_owned(),
            priority,
            power,
            max_power: None,
            keys: vec![id.to_owned()],
            adjustable: false,
            start: 1.0,
            keep: 0.75,
            running: false,
            runnable: true,
            stoppable: true,
            reachable: true,
            blocked: false,
            deaf: false,
            claim_doubted: false,
            mode: Mode::Auto,
            held_by_min_on: false,
            meets_criteria: None,
            deadline: false,
        }
    }

    /// The rules speak of the reachable tasks in mode auto.
    pub(super) fn takes_part(&self) -> bool {
        self.reachable && self.mode == Mode::Auto
    }

    pub(super) fn runs(&self) -> bool {
        self.takes_part() && self.running
    }

    /// Running and stoppable.
    pub(super) fn may_be_stopped(&self) -> bool {
        self.runs() && self.stoppable && !self.held_by_min_on
    }

    /// It may be stopped, and a stop would have an effect.
    pub(super) fn heeds_a_stop(&self) -> bool {
        self.may_be_stopped() && !self.deaf
    }

    /// Stopped and runnable, and it answered its last starts.
    pub(super) fn may_be_started(&self) -> bool {
        self.takes_part() && !self.running && self.runnable && !self.blocked
    }

    /// Running, and not about to be stopped by its mode.
    pub(super) fn keeps_its_keys(&self) -> bool {
        self.running && !self.obeys_off()
    }

    /// The rules may not move it, and it runs on.
    pub(super) fn runs_beside_the_rules(&self) -> bool {
        self.keeps_its_keys() && !self.takes_part()
    }

    /// It is stopped by its mode.
    pub(super) fn obeys_off(&self) -> bool {
        self.reachable && self.mode == Mode::Off && self.running && self.stoppable && !self.held_by_min_on
    }

    /// It is started by its mode.
    pub(super) fn obeys_on(&self) -> bool {
        self.reachable && self.mode == Mode::On && !self.running && self.runnable
    }

    /// It runs in mode on, or is started by it. One that left its last starts unanswered is not reckoned with.
    pub(super) fn is_on(&self) -> bool {
        self.mode == Mode::On && (self.running || (self.obeys_on() && !self.blocked))
    }

    pub(super) fn criteria_met(&self, by_ratio: bool) -> bool {
        self.deadline || self.meets_criteria.unwrap_or(by_ratio)
    }

    pub(super) fn shares_a_key_with(&self, other: &Self) -> bool {
        self.keys.iter().any(|key| other.keys.contains(key))
    }
}
