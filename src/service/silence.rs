//! What the service does about silence: it asks whose it is before the scheduler judges.

use super::output::Output;
use super::service::Service;
use crate::core::Event;

impl Service {
    /// Data is about to count as missing: first the broker is asked whether that is the meter's silence.
    pub(super) fn make_sure_of_silence(&mut self) {
        if self.hearing.next_wakeup().is_some_and(|at| at <= self.now.at) {
            (self.hearing.asked, self.hearing.certain) = (None, true);
            self.handle(Event::Heard { anew: false }, "");
        }
        if !self.hearing.certain && self.scheduler.begins_to_miss_data(self.now) {
            self.hearing.asked = Some(self.now.at);
            self.outputs.push(Output::Ask);
            self.handle(Event::Unheard, "");
        }
    }

    /// The broker answers: what it had before this has come.
    pub(super) fn answered(&mut self) {
        let Some(asked) = self.hearing.asked.take() else { return };
        let after = self.now.at.since(asked);
        self.hearing.certain = after <= self.hearing.prompt;
        if !self.hearing.certain {
            let after = after.as_secs();
            self.outputs.warn(format!("the broker was silent for {after} s: missing data counts from now on"));
        }
        self.handle(Event::Heard { anew: !self.hearing.certain }, "");
    }

    /// The connection is lost.
    pub(super) fn hear_nothing(&mut self) {
        (self.hearing.asked, self.hearing.subscribes) = (None, false);
        self.handle(Event::Unheard, "");
    }

    /// The connection is there again.
    pub(super) fn hear_soon(&mut self) {
        (self.hearing.asked, self.hearing.subscribes) = (None, true);
        // A broker that never answers a subscription doesn't hold up the verdict.
        self.handle(Event::Heard { anew: true }, "");
    }

    /// All subscriptions are answered: from here on somebody would be heard who says something.
    pub(super) fn hear_all(&mut self) {
        if std::mem::take(&mut self.hearing.subscribes) {
            self.handle(Event::Heard { anew: true }, "");
        }
    }
}
