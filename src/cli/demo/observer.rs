//! The demo's own connection to the broker: it publishes the meter's records and listens to the scheduler.

use std::collections::BTreeMap;

use super::scheduler_view::SchedulerMessage;
use crate::client::Order;
use crate::config::Mqtt;
use crate::mqtt::{Connection, Handle, Inbox, Incoming, Outgoing, connect};
use crate::simulate::{Appliance, Flows};
use crate::units::Watts;
use crate::wire::topics::{TaskTopic, Topic, Topics};

/// A client like any other.
pub(super) struct Observer {
    inbox: Inbox,
    handle: Handle,
    connection: Connection,
    topics: Topics,
}

impl Observer {
    /// Connects, and goes on trying until it can.
    ///
    /// # Errors
    /// When the settings of the connection mean nothing.
    pub(super) fn new(mqtt: &Mqtt) -> anyhow::Result<Self> {
        let topics = Topics::new(&mqtt.base_topic)?;
        let options = Mqtt { client_id: "sunward-demo".into(), ..mqtt.clone() }.options()?;
        let filters = [topics.scheduler_state(), topics.scheduler_cycle(), topics.every_task(TaskTopic::Report)];
        let (handle, inbox, connection) = connect(options, filters, None)?;
        Ok(Self { inbox, handle, connection, topics })
    }

    /// Publishes a record of the meter.
    pub(super) fn publish_power(&self, flows: &Flows) {
        // A meter knows tenths of a watt at best.
        let watts = |watts: Watts| (watts.0 * 10.0).round() / 10.0;
        let mut record = BTreeMap::from([("net", watts(flows.net())), ("solar", watts(flows.solar))]);
        record.extend(Appliance::ALL.map(|which| (which.name(), watts(flows.appliances[which.index()]))));
        let record = serde_json::to_vec(&record).unwrap_or_default();
        self.publish(Outgoing::telemetry(self.topics.power(), record));
    }

    /// Publishes a command to the scheduler.
    pub(super) fn order(&self, order: Order) {
        self.publish(Outgoing::event(self.topics.scheduler_set(), order.as_str()));
    }

    fn publish(&self, message: Outgoing) {
        if let Err(problem) = self.handle.publish(message) {
            tracing::warn!("{problem}");
        }
    }

    /// Waits for the next message of the scheduler; `None` after the connection was closed. Others are skipped.
    ///
    /// Cancel safe.
    pub(super) async fn next(&mut self) -> Option<SchedulerMessage> {
        loop {
            let incoming = self.inbox.next().await?;
            if let Some(message) = self.parse(&incoming) {
                return Some(message);
            }
        }
    }

    fn parse(&self, incoming: &Incoming) -> Option<SchedulerMessage> {
        let Incoming::Message(message) = incoming else { return None };
        let topic = self.topics.parse(&message.topic)?;
        let payload = &message.payload;
        match topic {
            Topic::SchedulerState => serde_json::from_slice(payload).ok().map(SchedulerMessage::State),
            Topic::SchedulerCycle => serde_json::from_slice(payload).ok().map(SchedulerMessage::Cycle),
            Topic::Task(id, TaskTopic::Report) => {
                serde_json::from_slice(payload).ok().map(|report| SchedulerMessage::Report(id.to_string(), report))
            }
            _ => None,
        }
    }

    /// Closes the connection after everything was sent.
    pub(super) async fn close(self) {
        self.handle.close(Vec::new()).await;
        drop(self.connection);
    }
}
