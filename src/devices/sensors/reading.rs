//! What a sensor makes of a message.

use crate::devices::template::{Absent, TemplateFailure};
use crate::units::Quantity;

/// What a message came to for one of the sensors that listen to its topic.
#[derive(Debug, Clone, PartialEq)]
pub struct SensorReading {
    /// The number of the `[[power.sensor]]`, from 0.
    pub sensor: usize,
    /// The key of the value. `None`: the template of the key failed.
    pub key: Option<String>,
    /// What the message came to.
    pub outcome: Outcome,
}

/// What a message came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// A new value.
    Value(Quantity),
    /// A value of a retained message: it may be days old, so it is not used.
    Retained(Quantity),
    /// The message has no value: the last one stays.
    Absent(Absent),
    /// The message can't be read.
    Failed(TemplateFailure),
}
