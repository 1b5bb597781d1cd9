//! Who decides about a task: the rules, or somebody's wish (SPEC section 10). A wish is a mode that a user set, or a
//! switch by hand that is held for a while (`hold.rs`).
//!
//! Refuses to overrule a task's guards: a wish waits until the task is runnable or stoppable.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;

use crate::core::directives::Choice;
use crate::core::task::task::Task;
use crate::core::task::verdict::Verdict;
use crate::core::{Action, Now, Priority, Refusal, Rule, Scheduler, TaskId};

/// Who decides about a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Mode {
    /// The rules.
    #[default]
    Auto,
    /// It is to run.
    On,
    /// It is not to run.
    Off,
}

impl Mode {
    /// All of them, as people are offered them.
    pub const ALL: [Self; 3] = [Self::Auto, Self::On, Self::Off];

    /// The word of the wire: `auto`, `on`, `off`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::On => "on",
            Self::Off => "off",
        }
    }

    pub(crate) fn of(running: bool) -> Self {
        if running { Self::On } else { Self::Off }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Words in any case.
impl FromStr for Mode {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|mode| text.trim().eq_ignore_ascii_case(mode.as_str())).ok_or(())
    }
}

/// What somebody wants of a task.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Wish {
    pub(crate) mode: Mode,
    /// Without an end: until somebody wants something else.
    pub(crate) until: Option<Now>,
}

impl Wish {
    pub(crate) fn is_over(&self, now: Now) -> bool {
        self.until.is_some_and(|until| until.at <= now.at)
    }
}

impl Task {
    /// The mode in force: what was switched by hand is the newer wish.
    pub(crate) fn mode(&self) -> Mode {
        self.hand.hold().map_or(self.wish.mode, |hold| hold.mode)
    }
}

impl Scheduler {
    /// A user sets a task's mode, for a time or until it is set again. A change acts at once.
    pub(crate) fn set_mode(
        &mut self,
        id: TaskId,
        mode: Mode,
        lasting: Option<Duration>,
        now: Now,
    ) -> Result<(), Refusal> {
        let slot = self.registered(id)?;
        let task = &mut self.tasks[slot];
        let before = (task.wish.mode, task.mode());
        let until = lasting.filter(|_| mode != Mode::Auto).map(|lasting| now + lasting);
        task.wish = Wish { mode, until };
        task.hand.release();
        if before != (mode, mode) {
            task.stopping = false;
            task.stop_all &= mode != Mode::On;
            // What was decided for the mode before is not why it is as it is.
            task.verdict = Verdict::Pending;
            self.note_guards(slot);
            let choice = self.wanted_by_mode(slot, now);
            self.carry_out(choice.into_iter().collect(), now);
        }
        self.note_guards(slot);
        Ok(())
    }

    /// A user sets a task's priority; without one, the task's own counts again.
    pub(crate) fn set_priority(&mut self, id: TaskId, priority: Option<Priority>) -> Result<(), Refusal> {
        let slot = self.registered(id)?;
        self.tasks[slot].preferred = priority;
        Ok(())
    }

    /// Takes over the mode that an earlier run had told. It is nothing new, so that nothing acts at once.
    pub fn restore_mode(&mut self, id: &TaskId, mode: Mode, until: Option<Timestamp>, now: Now) {
        let wish = Wish { mode, until: until.map(|until| now.until(until)) };
        if let Ok(slot) = self.registered(id.clone())
            && !wish.is_over(now)
        {
            self.tasks[slot].wish = wish;
            self.note_guards(slot);
        }
    }

    /// Whether wishes have ended; they end by the clock.
    pub(crate) fn end_wishes(&mut self, now: Now) {
        for slot in self.timed.iter().copied().collect::<Vec<_>>() {
            let task = &mut self.tasks[slot];
            task.hand.release_if_over(now);
            if task.wish.is_over(now) {
                task.wish = Wish::default();
            }
            self.note_guards(slot);
        }
    }

    /// What a task's mode asks for now.
    pub(crate) fn wanted_by_mode(&self, slot: usize, now: Now) -> Option<Choice> {
        let task = &self.tasks[slot];
        if task.mode() == Mode::Auto || !self.is_reachable(task, now) {
            return None;
        }
        let action = match task.mode() {
            Mode::On if !task.running() && task.runnable(now.at) => Action::Start,
            Mode::Off if task.running() && task.stoppable(now.at) => Action::Stop,
            _ => return None,
        };
        Some(Choice { slot, action, rule: Rule::Mode, reason: self.wish_in_words(task), ratio: None })
    }

    /// `mode is on until 2026-06-01 12:00`.
    pub(crate) fn wish_in_words(&self, task: &Task) -> String {
        let until = |wish: &Wish| wish.until.map(|until| format!(" until {}", self.local(until.wall)));
        match task.hand.hold() {
            Some(hold) => format!("held {} by hand{}", hold.mode, until(hold).unwrap_or_default()),
            None => format!("mode is {}{}", task.wish.mode, until(&task.wish).unwrap_or_default()),
        }
    }
}
