//! What a user, or missing data, wants of all tasks at once (SPEC section 8).
//!
//! Refuses to start anything.

use jiff::Timestamp;

use crate::scheduler::task::Task;
use crate::scheduler::{Action, Command, Decision, Instruction, Now, OnNoData, Rule, Scheduler, event};

impl Scheduler {
    pub(super) fn obey(&mut self, command: Command, now: Now) {
        let before = self.activity();
        match command {
            Command::Pause => self.paused = true,
            Command::Resume => {
                self.paused = false;
                for task in &mut self.tasks {
                    task.stop_all = false;
                }
            }
            Command::StopAll => {
                self.paused = true;
                for task in &mut self.tasks {
                    task.stop_all = task.registration.is_some() && task.running();
                }
                self.repeat_stop_all(now);
            }
        }
        if self.activity() != before {
            self.since = now.wall;
        }
    }

    /// Takes over what an earlier run had told: whether a user had paused it, and since when.
    pub fn restore_pause(&mut self, since: Timestamp) {
        self.paused = true;
        self.since = since;
    }

    pub(super) fn repeat_stop_all(&mut self, now: Now) {
        self.stop_where(Rule::StopAll, "everything is to be stopped", now, |task| task.stop_all);
    }

    pub(super) fn stop_without_data(&mut self, now: Now) {
        let silent = event::Seconds(now.at.since(self.last_record));
        let reason = format!("no power record for {silent}, and it is not to run without");
        self.stop_where(Rule::NoData, &reason, now, |task| {
            task.registration.as_ref().is_some_and(|registration| registration.on_no_data == OnNoData::Stop)
        });
    }

    /// Stops every running, stoppable, reachable task of a kind, outside of the rules of a cycle.
    fn stop_where(&mut self, rule: Rule, reason: &str, now: Now, chosen: impl Fn(&Task) -> bool) {
        let stops: Vec<Decision> = self
            .tasks
            .iter()
            .filter(|task| {
                task.running()
                    && task.registration.is_some()
                    && task.stoppable(now.at)
                    && task.unreachable(now.at, &self.settings).is_none()
                    && chosen(task)
            })
            .map(|task| Decision { task: task.id.clone(), action: Action::Stop, rule, reason: reason.to_owned() })
            .collect();
        self.instructions.extend(stops.iter().cloned().map(Instruction::Decided));
        self.between.extend(stops);
    }
}
