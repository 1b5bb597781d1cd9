//! Power values: records as they come, values of sensors, and what is derived from both. `devices` reads what sensors say.

use super::service::Service;
use crate::core::{Event, Refusal, Source};
use crate::mqtt::Message;
use crate::wire::PowerMessage;

impl Service {
    /// A message for the sensors of the configuration. False: none listens to its topic.
    pub(super) fn receive_from_sensors(&mut self, message: &Message) -> bool {
        if !self.sensors.listens_to(&message.topic) {
            return false;
        }
        self.sensors.receive(&message.topic, &message.payload, message.retain, self.now.at);
        self.take_sensed();
        true
    }

    /// A power message.
    pub(super) fn take_power_message(&mut self, source: Source, message: PowerMessage, topic: &str) {
        let PowerMessage { mut values, measured, ignored, .. } = message;
        for key in ignored {
            self.outputs.debug(format!("{topic}: `{key}` is left out, it is no number"));
        }
        // What an estimator says is taken as it is.
        let inputs = if source == Source::Meter { self.sensors.remove_derived(&mut values) } else { Vec::new() };
        let outcome = self.feed_scheduler(Event::Power { source, values, measured }, topic);
        if !matches!(outcome, Err(Refusal::Old { .. })) {
            let now = self.now;
            self.sensors.note_record(inputs, now.at - now.age(measured), now.at);
            self.take_sensed();
        }
    }

    /// Some derived key has waited long enough.
    pub(super) fn wake_sensors(&mut self) {
        self.sensors.wake(self.now.at);
        self.take_sensed();
        // It may have turned out to have no value.
        self.reports_due.state();
    }

    fn take_sensed(&mut self) {
        while let Some((from, heard)) = self.sensors.next_output() {
            self.feed_received(heard, &from);
        }
    }
}
