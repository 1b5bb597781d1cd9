//! Power values: records as they come, values of sensors, and what is derived from both.
//!
//! Refuses to read what sensors say: that is `devices`'.

use crate::core::{Event, Refusal, Source};
use crate::mqtt::Message;
use crate::wire::Record;

use super::Bridge;

impl Bridge {
    /// A message for the sensors of the configuration. False: none listens to its topic.
    pub(super) fn receive_from_sensors(&mut self, message: &Message) -> bool {
        if !self.sensors.listens_to(&message.topic) {
            return false;
        }
        self.sensors.receive(&message.topic, &message.payload, message.retain, self.clock.now().at);
        self.take_outputs();
        true
    }

    /// A whole record.
    pub(super) fn take_record(&mut self, source: Source, record: Record, topic: &str) {
        let Record { mut values, measured, .. } = record;
        // What an estimator says is taken as it is.
        let inputs = if source == Source::Meter { self.sensors.remove_derived(&mut values) } else { Vec::new() };
        let outcome = self.hand_over(Event::Power { source, values, measured }, topic);
        if !matches!(outcome, Err(Refusal::Old { .. })) {
            let now = self.clock.now();
            self.sensors.note_record(inputs, now.at - now.age(measured), now.at);
            self.take_outputs();
        }
    }

    /// Some derived key has waited long enough.
    pub(super) fn wake_sensors(&mut self) {
        self.sensors.wake(self.clock.now().at);
        self.take_outputs();
        // It may have turned out to have no value.
        self.tell_state();
    }

    fn take_outputs(&mut self) {
        while let Some((from, heard)) = self.sensors.next_output() {
            self.take_in(heard, &from);
        }
    }
}
