//! What the connection tells: that it is there or gone, messages, and what the broker refuses.

use super::service::Service;
use crate::core::Event;
use crate::mqtt::Incoming;

impl Service {
    pub(super) fn on_incoming(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::Connected { first, .. } => self.connected(first),
            Incoming::Subscribed => {
                self.start_up.subscribed(self.now.at);
                self.hear_all();
                self.query_devices();
            }
            Incoming::Message(message) => self.receive(message),
            Incoming::CommandSent { topic, payload } => self.command_sent(&topic, &payload),
            Incoming::Answered => self.answered(),
            Incoming::Disconnected { reason } => {
                self.devices.disconnected();
                self.start_up.disconnected();
                self.disconnected.get_or_insert(self.now.at);
                self.hear_nothing();
                // The reason begins with the broker's address.
                self.outputs.warn(format!("not connected to {reason}"));
            }
            Incoming::Refused { what } => self.refused_by_broker(what),
            Incoming::Dropped { count, loudest } => {
                self.outputs.warn(format!(
                    "{count} messages came in faster than they could be taken, and were dropped; most came on {loudest}"
                ));
            }
            Incoming::ClientIdConflict { times } => self.refused_by_broker(format!(
                "another program connected {times} times with this client id: are there two Sunwards? (mqtt.client_id); this one \
                 goes on under another id"
            )),
        }
    }

    fn connected(&mut self, first: bool) {
        self.outputs.info(format!("connected to {}", self.broker));
        self.rejections.forget_broker();
        self.reports_due.state();
        if let Some(since) = self.disconnected.take().filter(|_| !first) {
            self.handle(Event::Reconnected(since), "");
        }
        self.hear_soon();
        if !first && self.start_up.is_over() {
            self.publish_again();
        }
    }

    fn refused_by_broker(&mut self, what: String) {
        self.rejections.refused_by_broker(what, &mut self.outputs);
        self.reports_due.state();
    }

    /// Sunward's being there first, then the devices: what follows is about them.
    pub(super) fn publish_again(&mut self) {
        let mut first = vec![self.topics.scheduler_availability()];
        first.extend(self.discovery.topics());
        self.publisher.publish_again(first, self.now.at);
    }
}
