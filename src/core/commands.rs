//! What a user, or missing data, wants of all tasks at once (SPEC section 8).
//!
//! Refuses to start anything.

use jiff::Timestamp;

use crate::core::directives::Choice;
use crate::core::task::mode::Mode;
use crate::core::task::task::Task;
use crate::core::{Action, Command, Now, OnNoData, Rule, Scheduler, input};

impl Scheduler {
    pub(crate) fn obey(&mut self, command: Command, now: Now) {
        let before = self.activity();
        match command {
            Command::Pause => {
                self.paused = true;
                // Everybody stays as it is: a stop that was not followed is forgotten.
                for task in &mut self.tasks {
                    task.stopping = false;
                }
            }
            Command::Resume => {
                self.paused = false;
                for task in &mut self.tasks {
                    task.stop_all = false;
                }
            }
            Command::StopAll => {
                self.paused = true;
                for task in &mut self.tasks {
                    // A start may be on its way: until the next cycle it may still be followed.
                    task.stop_all = task.registration.is_some() && (task.running() || task.answers.awaited());
                    if task.mode() == Mode::On {
                        task.hand.release();
                    }
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

    pub(crate) fn repeat_stop_all(&mut self, now: Now) {
        let stops = self.stops(Rule::StopAll, "everything is to be stopped", now, |task| task.stop_all);
        self.carry_out(stops, now);
    }

    /// Whom missing data stops: those of the rules, but for who runs for its deadline.
    pub(crate) fn stops_without_data(&self, now: Now) -> Vec<Choice> {
        let silent = input::Seconds(now.at.since(self.last_record));
        let reason = format!("no power record for {silent}, and it is not to run without");
        self.stops(Rule::NoData, &reason, now, |task| {
            let stops = |registration: &crate::core::Registration| registration.on_no_data == OnNoData::Stop;
            task.mode() == Mode::Auto && !task.pressed && task.registration.as_ref().is_some_and(stops)
        })
    }

    /// Every running, stoppable, reachable task of a kind, outside of the rules of a cycle.
    fn stops(&self, rule: Rule, reason: &str, now: Now, chosen: impl Fn(&Task) -> bool) -> Vec<Choice> {
        let stops = self.tasks.iter().enumerate().filter(|(_, task)| {
            task.running()
                && task.registration.is_some()
                && task.stoppable(now.at)
                && self.is_reachable(task, now)
                && chosen(task)
        });
        let stop = |slot| Choice { slot, action: Action::Stop, rule, reason: reason.to_owned(), ratio: None };
        stops.map(|(slot, _)| stop(slot)).collect()
    }
}
