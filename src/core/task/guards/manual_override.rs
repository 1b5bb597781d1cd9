//! Switches by hand (SPEC section 10, `manual_hold`): a change that no command explains is somebody's wish.
//!
//! Refuses to take for a wish what comes with a change of `runnable` or availability: a charger that starts when the car
//! is plugged in, a plug that reboots.

use std::time::Duration;

use jiff::Timestamp;

use crate::core::task::mode::{Mode, Wish};
use crate::core::task::task::Task;
use crate::core::{Action, Instant, Now, Scheduler, Settings, TaskId};

/// A command explains a change for so many cycles: it may be followed late.
const PATIENCE: u32 = 3;

/// Changes of `runnable`, availability and `running` that lie closer together than this are one: devices tell them on
/// several topics.
pub(crate) const TOGETHER: Duration = Duration::from_secs(10);

/// What was commanded, and what somebody did by hand.
#[derive(Debug, Default)]
pub(crate) struct Hand {
    /// The last start and stop that were sent and are not followed yet.
    start: Option<Instant>,
    stop: Option<Instant>,
    /// When `runnable` or the availability last changed.
    stirred: Option<Instant>,
    hold: Option<Hold>,
}

#[derive(Debug)]
struct Hold {
    wish: Wish,
    since: Instant,
}

impl Hand {
    /// What somebody switched by hand and is held.
    pub(crate) fn hold(&self) -> Option<&Wish> {
        self.hold.as_ref().map(|hold| &hold.wish)
    }

    pub(crate) fn release(&mut self) {
        self.hold = None;
    }

    pub(crate) fn release_if_over(&mut self, now: Now) {
        self.hold.take_if(|hold| hold.wish.is_over(now));
    }

    /// Its first state came, after what an earlier run had told: who is as it should not be was switched since.
    pub(crate) fn compare(&mut self, running: bool) {
        self.hold.take_if(|hold| hold.wish.mode != Mode::of(running));
    }

    /// A command is on its way.
    pub(crate) fn command(&mut self, action: Action, now: Instant) {
        match action {
            Action::Start => self.start = Some(now),
            Action::Stop => self.stop = Some(now),
        }
    }

    /// `runnable` or the availability changed: what was switched a moment ago was no wish.
    pub(crate) fn stir(&mut self, now: Instant) {
        self.stirred = Some(now);
        self.hold.take_if(|hold| now.since(hold.since) <= TOGETHER);
    }

    pub(crate) fn stirred(&self) -> Option<Instant> {
        self.stirred
    }

    /// Whether a command explains that the task runs or doesn't. It explains one change.
    fn explains(&mut self, running: bool, now: Instant, cycle: Duration) -> bool {
        let command = if running { &mut self.start } else { &mut self.stop };
        command.take().is_some_and(|sent| now.since(sent) <= cycle * PATIENCE)
    }
}

impl Task {
    /// It started or stopped. `known`: it was reachable before.
    pub(crate) fn note_hand(&mut self, running: bool, known: bool, now: Now, settings: &Settings) {
        let ours = self.hand.explains(running, now.at, settings.cycle);
        let stirred = self.hand.stirred.is_some_and(|stirred| now.at.since(stirred) <= TOGETHER);
        let lasting = self.registration.as_ref().map_or(Duration::ZERO, |registration| registration.manual_hold);
        if ours || stirred || !known || lasting.is_zero() || settings.dry_run {
            return;
        }
        let mode = Mode::of(running);
        let wish = Wish { mode, until: Some(now + lasting) };
        // Back to what the user's mode says: nothing has to be held.
        self.hand.hold = (mode != self.wish.mode).then_some(Hold { wish, since: now.at });
    }
}

impl Scheduler {
    /// Takes over a switch by hand that an earlier run had told.
    pub fn restore_hold(&mut self, id: &TaskId, mode: Mode, until: Timestamp, now: Now) {
        let wish = Wish { mode, until: Some(now.until(until)) };
        let Ok(slot) = self.registered(id.clone()) else { return };
        let task = &mut self.tasks[slot];
        if !wish.is_over(now) {
            task.hand.hold = Some(Hold { wish, since: Instant::START });
            // Before its first state it is unreachable, and nobody acts on this.
            if task.state.is_some() {
                task.hand.compare(task.running());
            }
            self.note_guards(slot);
        }
    }
}
