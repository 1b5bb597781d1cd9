//! All that reaches the service: one closed list. Nothing else makes it do anything.

use crate::mqtt::Incoming;

/// One thing that happens.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Input {
    /// The connection tells something.
    Incoming(Incoming),
    /// A moment has come that [`super::service::Service::next_wakeup`] named.
    Timer(Timer),
}

/// What the service asked to be woken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Timer {
    /// Everything retained has come in.
    Settle,
    /// A cycle begins.
    Cycle,
    /// The scheduler has something to do.
    Scheduler,
    /// A change of a sensor has settled.
    Sensors,
    /// A device is to be asked for its state.
    Devices,
    /// The next topics are to be published again.
    Republish,
    /// More messages were rejected than the state says.
    Rejections,
}
