//! What a message of a sensor or a device comes to.

use crate::core::Event;

/// What a message of a sensor or a device comes to: an event for the scheduler, or why it could not be read.
pub type Received = Result<Event, String>;
