//! Leases (SPEC section 10): the start of a task that is wanted to run is repeated in time, so that firmware that stops
//! when it hears nothing is safe.
//!
//! Refuses to renew for a task that is to stop.

use std::time::Duration;

use crate::core::task::guards::manual_override::TOGETHER;
use crate::core::task::mode::Mode;
use crate::core::task::task::Task;
use crate::core::{Instant, Instruction, Now, Scheduler};

impl Task {
    /// When its start has to be repeated. A plug that has just come back may not have told yet that it is off.
    pub(crate) fn renewal(&self) -> Option<Instant> {
        let lease = self.registration.as_ref()?.lease?;
        let wanted = self.running() && !self.is_away() && self.mode() != Mode::Off && !self.stop_all && !self.stopping;
        let half = lease / 2;
        let due = self.started_at.map_or(Instant::START, |sent| sent + half);
        let settled = self.hand.stirred().map_or(Instant::START, |stirred| stirred + TOGETHER.min(half));
        wanted.then_some(due.max(settled))
    }
}

impl Scheduler {
    /// Repeats the starts that are due.
    pub(crate) fn renew_leases(&mut self, now: Now) {
        for slot in self.timed.iter().copied().collect::<Vec<_>>() {
            let task = &self.tasks[slot];
            if task.renewal().is_none_or(|due| now.at < due) {
                continue;
            }
            let reachable = self.is_reachable(task, now);
            let task = &mut self.tasks[slot];
            // One that can't be heard is looked at again half a lease later.
            task.started_at = Some(now.at);
            if reachable {
                task.hand.command(crate::core::Action::Start, now.at);
                self.instructions.push_back(Instruction::Renew(task.id.clone()));
            }
        }
    }

    /// The next moment at which a lease is due or a wish ends.
    pub(crate) fn next_timer(&self) -> Option<Instant> {
        let moments = self.timed.iter().flat_map(|slot| {
            let task = &self.tasks[*slot];
            let ends = [task.wish.until, task.hand.hold().and_then(|hold| hold.until)];
            ends.into_iter().flatten().map(|until| until.at).chain(task.renewal())
        });
        moments.min()
    }
}

/// The shortest lease: shorter ones would be renewed more often than any device needs.
pub const SHORTEST_LEASE: Duration = Duration::from_secs(10);
