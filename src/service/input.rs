//! All that reaches the bridge, one thing at a time and at one moment: what decisions depend on.
//!
//! Refuses to look at a clock: the moment is an argument, so that what was recorded can be lived again.

use crate::core::{Decision, Now};
use crate::mqtt::Incoming;

use super::Bridge;

/// One thing that happens to the bridge.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Input {
    /// The connection tells something.
    Incoming(Incoming),
    /// Everything retained has come in.
    Settle,
    /// A cycle is due.
    Cycle,
    /// The scheduler wanted to be woken.
    Wake,
    /// A change of a sensor has settled.
    Sensors,
    /// A device is to be asked for its state.
    Devices,
}

/// The moment at which something happens: the same for everything that comes of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment(Now);

impl Moment {
    pub(super) fn new(now: Now) -> Self {
        Self(now)
    }

    pub(super) fn now(self) -> Now {
        self.0
    }
}

impl Bridge {
    /// Lets one thing happen. Answers what was decided.
    pub(super) fn step(&mut self, input: Input, now: Now) -> Vec<Decision> {
        self.clock = Moment::new(now);
        match input {
            Input::Incoming(incoming) => self.take(incoming),
            Input::Settle => self.settle(),
            Input::Cycle => self.run_cycle(),
            Input::Wake => self.wake(),
            Input::Sensors => self.wake_sensors(),
            Input::Devices => self.ask_devices(),
        }
        std::mem::take(&mut self.decided)
    }
}
