//! Switches by hand (`manual_hold`): a change that no command explains is somebody's wish, and is held for a while.
//!
//! What comes with a change of `runnable` or availability is no such wish: a charger that starts when the car is plugged
//! in, a plug that reboots.

use std::time::Duration;

use crate::core::output::Action;
use crate::core::task::mode::{Mode, ModeSetting};
use crate::core::time::{Instant, Now};

/// A command explains a change for so many cycles: it may be followed late.
const PATIENCE: u32 = 3;

/// Changes of `runnable`, availability and `running` that lie closer together than this are one: devices report them on
/// several topics.
pub(crate) const TOGETHER: Duration = Duration::from_secs(10);

/// What was commanded, and what somebody switched by hand.
#[derive(Debug, Default)]
pub(crate) struct ManualOverride {
    /// The last start and stop that were sent and are not followed yet.
    start: Option<Instant>,
    stop: Option<Instant>,
    /// When `runnable` or the availability last changed.
    disturbed: Option<Instant>,
    held: Option<Held>,
}

#[derive(Debug)]
struct Held {
    setting: ModeSetting,
    since: Instant,
}

impl ManualOverride {
    /// What somebody switched by hand and is held.
    pub(crate) fn held(&self) -> Option<&ModeSetting> {
        self.held.as_ref().map(|held| &held.setting)
    }

    /// Holds what somebody switched by hand.
    pub(crate) fn hold(&mut self, setting: ModeSetting, since: Instant) {
        self.held = Some(Held { setting, since });
    }

    pub(crate) fn release(&mut self) {
        self.held = None;
    }

    /// Returns whether what was held is over.
    pub(crate) fn release_if_over(&mut self, now: Now) -> bool {
        self.held.take_if(|held| held.setting.is_over(now)).is_some()
    }

    /// The first state came, after what an earlier run had held: a task that is not as it should be was switched since.
    pub(crate) fn compare(&mut self, running: bool) {
        self.held.take_if(|held| held.setting.mode != Mode::of(running));
    }

    /// A command is on its way.
    pub(crate) fn command(&mut self, action: Action, now: Instant) {
        match action {
            Action::Start => self.start = Some(now),
            Action::Stop => self.stop = Some(now),
        }
    }

    /// `runnable` or the availability changed: what was switched a moment ago was nobody's wish.
    pub(crate) fn disturb(&mut self, now: Instant) {
        self.disturbed = Some(now);
        self.held.take_if(|held| now.since(held.since) <= TOGETHER);
    }

    /// When `runnable` or the availability last changed.
    pub(crate) fn disturbed(&self) -> Option<Instant> {
        self.disturbed
    }

    /// Whether somebody switched the task by hand, as it starts (`running`) or stops now.
    pub(crate) fn is_by_hand(&mut self, running: bool, now: Instant, cycle: Duration) -> bool {
        let commanded = self.explains(running, now, cycle);
        let disturbed = self.disturbed.is_some_and(|disturbed| now.since(disturbed) <= TOGETHER);
        !commanded && !disturbed
    }

    /// Whether a command explains that the task runs or doesn't. It explains one change.
    fn explains(&mut self, running: bool, now: Instant, cycle: Duration) -> bool {
        let command = if running { &mut self.start } else { &mut self.stop };
        command.take().is_some_and(|sent| now.since(sent) <= cycle * PATIENCE)
    }
}
