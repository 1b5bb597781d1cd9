//! A full tank, a wash that is over (SPEC section 10, `finished`): a running task that uses next to nothing for a while
//! is done.
//!
//! Refuses to guess: only what was measured since its start counts, as it came, and what isn't measured is not low.

use std::time::Duration;

use crate::core::directives::Choice;
use crate::core::input::Seconds;
use crate::core::task::mode::Mode;
use crate::core::task::task::Task;
use crate::core::{Action, Instant, Now, Rule, Scheduler};
use crate::units::Watts;

/// `finished` of a registration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Finished {
    /// It uses less than this,
    pub below: Watts,
    /// for this long,
    pub lasting: Duration,
    /// and is not started again for this long.
    pub rest: Duration,
}

impl Task {
    pub(crate) fn finished(&self) -> Option<&Finished> {
        self.registration.as_ref()?.finished.as_ref()
    }

    /// It has used next to nothing for so long that it is done.
    pub(crate) fn is_done(&self, now: Instant) -> bool {
        let low = self.low_since.filter(|_| self.running());
        low.zip(self.finished()).is_some_and(|(since, finished)| now.since(since) >= finished.lasting)
    }

    /// Until when it rests, if it does.
    pub(crate) fn rests_until(&self, now: Instant) -> Option<Now> {
        self.rests_until.filter(|until| now < until.at)
    }
}

impl Scheduler {
    /// Something was measured, or time has passed.
    pub(crate) fn watch_usage(&mut self, slot: usize, now: Instant) {
        let measured = self.raw_usage(slot, now);
        let task = &mut self.tasks[slot];
        let low = task.running().then_some(measured).flatten().filter(|(usage, _)| {
            task.registration.as_ref().and_then(|it| it.finished).is_some_and(|finished| *usage < finished.below)
        });
        task.low_since = low.map(|(_, at)| task.low_since.unwrap_or(at));
    }

    pub(crate) fn watch_all_usage(&mut self, now: Instant) {
        for slot in self.metered.iter().copied().collect::<Vec<_>>() {
            self.watch_usage(slot, now);
        }
    }

    /// What a task uses, as it was measured since its last start or stop, and when the last part of it was.
    fn raw_usage(&self, slot: usize, now: Instant) -> Option<(Watts, Instant)> {
        let task = &self.tasks[slot];
        if task.key_names().is_empty() {
            return task.reported_usage();
        }
        let since = task.spell.seen_since();
        task.keys.iter().try_fold((Watts::ZERO, since), |(sum, newest), key| {
            let measured = self.meter.last(*key, now)?;
            (measured.at >= since).then_some((sum + measured.value, newest.max(measured.at)))
        })
    }

    /// Stops who is done, settles what it owed, and sends it to rest.
    pub(crate) fn stop_who_is_done(&mut self, slot: usize, now: Now) -> Option<Choice> {
        let task = &mut self.tasks[slot];
        let finished = task.finished().copied().filter(|_| task.is_done(now.at) && task.mode() != Mode::On)?;
        if task.unreachable(now.at, &self.settings).is_some() {
            return None;
        }
        if let Some(account) = &mut task.account {
            account.settled = true;
        }
        task.rests_until = Some(now + finished.rest);
        let (below, lasting) = (finished.below, Seconds(finished.lasting));
        let reason = format!("it is done: it used less than {below} for {lasting}");
        let choice = Choice { slot, action: Action::Stop, rule: Rule::Finished, reason, ratio: None };
        task.stoppable(now.at).then_some(choice)
    }
}
