//! What is sent to a device.

use crate::devices::template::Template;

/// A message to a device: a command, a set-point or a question. It must not be retained, or a device that restarts would
/// obey it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToDevice {
    /// The topic to publish it on.
    pub topic: String,
    /// The payload.
    pub payload: String,
}

/// Where the set-points of a device go, and what turns watts into what it understands. Without a template: whole watts.
#[derive(Debug)]
pub(super) struct SetpointTopic {
    pub(super) topic: String,
    pub(super) template: Option<Template>,
}
