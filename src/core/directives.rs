//! What is decided beside the rules: by modes, deadlines and guards, with a record or without. And how whatever was
//! chosen becomes a decision.
//!
//! Refuses to ask for the sun.

use crate::core::output::{Action, Decision, Instruction, Rule};
use crate::core::task::verdict::Verdict;
use crate::core::{Now, Scheduler};
use crate::units::Share;

/// What was chosen for one task.
#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) slot: usize,
    pub(crate) action: Action,
    pub(crate) rule: Rule,
    pub(crate) reason: String,
    /// The ratio that decided it, where one did.
    pub(crate) ratio: Option<Share>,
}

impl Scheduler {
    /// What doesn't ask for the sun: modes, deadlines, missing data.
    pub(crate) fn do_without_record(&mut self, now: Now) {
        self.sort_by_importance();
        let mut choices = self.ordered(now);
        if self.no_data {
            let stops = self.stops_without_data(now);
            let new = |stop: &Choice| choices.iter().all(|choice| choice.slot != stop.slot);
            let stops: Vec<_> = stops.into_iter().filter(new).collect();
            choices.extend(stops);
        }
        self.start_for_deadlines(&mut choices, now);
        self.carry_out(choices, now);
    }

    pub(crate) fn sort_by_importance(&mut self) {
        self.order.sort_by(|a, b| {
            let (a, b) = (&self.tasks[*a], &self.tasks[*b]);
            // Nearly always enough.
            b.priority().cmp(&a.priority()).then_with(|| a.importance().most_first(&b.importance()))
        });
    }

    /// What modes and guards ask for, whatever the rules say.
    pub(crate) fn ordered(&mut self, now: Now) -> Vec<Choice> {
        let mut choices = Vec::new();
        for place in 0..self.order.len() {
            let slot = self.order[place];
            let choice = self
                .stop_who_is_done(slot, now)
                .or_else(|| self.wanted_by_mode(slot, now))
                .or_else(|| self.stop_who_is_exhausted(slot, now));
            choices.extend(choice);
        }
        choices
    }

    /// What was chosen becomes decisions, to be sent and told; stops come before starts.
    pub(crate) fn carry_out(&mut self, mut choices: Vec<Choice>, now: Now) {
        choices.sort_by_key(|choice| choice.action == Action::Start);
        for Choice { slot, action, rule, reason, ratio } in choices {
            let task = &mut self.tasks[slot];
            task.verdict = Verdict::Decided { action, reason: reason.clone(), ratio };
            // What isn't sent is not answered either.
            if !self.settings.dry_run {
                task.command(action, now.at);
            }
            let decision = Decision { task: task.id.clone(), action, rule, reason };
            self.instructions.push_back(Instruction::Decided(decision.clone()));
            self.between.push(decision);
        }
    }
}
