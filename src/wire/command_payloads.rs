//! What the commands of a task say: `payload_on` and `payload_off` of its registration (`docs/mqtt.md`, *A task*).

use super::fields::Fields;
use super::payload_error::PayloadError;
use crate::core::Action;

/// The longest command, in bytes.
const LONGEST: usize = 256;

/// The payloads of a start and of a stop. The default is `start` and `stop`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandPayloads {
    /// The payload of a start.
    pub on: String,
    /// The payload of a stop.
    pub off: String,
}

impl CommandPayloads {
    /// The payload of this action.
    #[must_use]
    pub fn of(&self, action: Action) -> &str {
        match action {
            Action::Start => &self.on,
            Action::Stop => &self.off,
        }
    }

    /// The fields `payload_on` and `payload_off`; what is omitted is what `self` has.
    ///
    /// # Errors
    /// Names the field that is empty, no text, or longer than 256 bytes.
    pub(super) fn or_fields(self, fields: &Fields<'_>) -> Result<Self, PayloadError> {
        Ok(Self {
            on: fields.text("payload_on", LONGEST)?.map_or(self.on, str::to_owned),
            off: fields.text("payload_off", LONGEST)?.map_or(self.off, str::to_owned),
        })
    }
}

impl Default for CommandPayloads {
    fn default() -> Self {
        Self { on: "start".into(), off: "stop".into() }
    }
}
