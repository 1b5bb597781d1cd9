//! What the demo learns from the broker, as any client could: decisions, reports, the scheduler's state.
//!
//! Refuses to interpret: it keeps what is shown.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde_json::Value;

use crate::client::{Command, Order};
use crate::config::Mqtt;
use crate::mqtt::{Connection, Handle, Inbox, Incoming, Outgoing, connect};
use crate::simulate::{Appliance, Flows};
use crate::wire::topics::{TaskTopic, Topic, Topics};

/// So many happenings are remembered.
const MOST: usize = 100;

/// Something happened that people want to see.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Happening {
    pub(super) time: Timestamp,
    pub(super) what: What,
    /// The task, if it concerns one.
    pub(super) task: String,
    pub(super) why: String,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// The scheduler starts a task.
    Start,
    /// The scheduler stops a task.
    Stop,
    /// A task ended by itself.
    End,
    /// The scheduler itself is something else now.
    Scheduler,
}

/// How the scheduler sees a task.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Report {
    pub(super) status: String,
    pub(super) reason: String,
}

/// The demo's own connection: its meter, and its ears.
pub(super) struct Observer {
    pub(super) inbox: Inbox,
    handle: Handle,
    connection: Connection,
    topics: Topics,
}

impl Observer {
    pub(super) fn new(mqtt: &Mqtt) -> anyhow::Result<Self> {
        let topics = Topics::new(&mqtt.base_topic)?;
        let options = Mqtt { client_id: "sunward-demo".into(), ..mqtt.clone() }.options()?;
        let filters = [topics.scheduler_state(), topics.scheduler_cycle(), topics.every_task(TaskTopic::Report)];
        let (handle, inbox, connection) = connect(options, filters, None)?;
        Ok(Self { inbox, handle, connection, topics })
    }

    /// The meter speaks.
    pub(super) fn publish_power(&self, flows: &Flows) {
        // A meter knows tenths of a watt at best.
        let watts = |watts: crate::units::Watts| (watts.0 * 10.0).round() / 10.0;
        let mut record = BTreeMap::from([("net", watts(flows.net())), ("solar", watts(flows.solar))]);
        record.extend(Appliance::ALL.map(|which| (which.name(), watts(flows.appliances[which.index()]))));
        let record = serde_json::to_vec(&record).unwrap_or_default();
        self.publish(Outgoing::telemetry(self.topics.power(), record));
    }

    pub(super) fn order(&self, order: Order) {
        self.publish(Outgoing::event(self.topics.scheduler_set(), order.as_str()));
    }

    fn publish(&self, message: Outgoing) {
        if let Err(problem) = self.handle.publish(message) {
            tracing::warn!("{problem}");
        }
    }

    pub(super) async fn close(self) {
        self.handle.close(Vec::new()).await;
        drop(self.connection);
    }

    /// What a message says, if it is one that is shown.
    pub(super) fn understand(&self, incoming: &Incoming) -> Option<Told> {
        let Incoming::Message(message) = incoming else { return None };
        let topic = self.topics.parse(&message.topic)?;
        let value = serde_json::from_slice(&message.payload).ok()?;
        match topic {
            Topic::SchedulerState => Some(Told::State(value)),
            Topic::SchedulerCycle => Some(Told::Cycle(value)),
            Topic::Task(id, TaskTopic::Report) => Some(Told::Report(id.to_string(), value)),
            _ => None,
        }
    }
}

/// What was told.
pub(super) enum Told {
    State(Value),
    Cycle(Value),
    Report(String, Value),
}

/// All that was told so far.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// `active`, `paused`, `no_data`; empty before the scheduler is there.
    pub(super) state: String,
    pub(super) reports: BTreeMap<String, Report>,
    /// The newest last.
    pub(super) happened: VecDeque<Happening>,
    /// Of those, so many were handed out by [`Seen::news`].
    handed_out: usize,
}

impl Seen {
    pub(super) fn take(&mut self, told: Told, now: Timestamp) {
        match told {
            Told::State(state) => {
                let word = text(&state, "state");
                if word != self.state {
                    let time = text(&state, "since").parse().unwrap_or(now);
                    self.note(Happening { time, what: What::Scheduler, task: String::new(), why: word.clone() });
                    self.state = word;
                }
            }
            Told::Cycle(report) => {
                let time = text(&report, "time").parse().unwrap_or(now);
                // Stops were sent first.
                for (key, what) in [("stopped", What::Stop), ("started", What::Start)] {
                    for decision in report[key].as_array().into_iter().flatten() {
                        let why = format!("{} ({})", text(decision, "reason"), text(decision, "rule"));
                        self.note(Happening { time, what, task: text(decision, "task"), why });
                    }
                }
            }
            Told::Report(id, report) => {
                let report = Report { status: text(&report, "status"), reason: text(&report, "reason") };
                self.reports.insert(id, report);
            }
        }
    }

    pub(super) fn note(&mut self, happening: Happening) {
        self.happened.push_back(happening);
        if self.happened.len() > MOST {
            self.happened.pop_front();
            self.handed_out = self.handed_out.saturating_sub(1);
        }
    }

    /// What happened since the last call.
    pub(super) fn news(&mut self) -> Vec<Happening> {
        let news = self.happened.iter().skip(self.handed_out).cloned().collect();
        self.handed_out = self.happened.len();
        news
    }

    pub(super) fn is_paused(&self) -> bool {
        self.state == "paused"
    }
}

/// A command, as a switch of the home.
pub(super) fn is_on(command: Command) -> Option<bool> {
    match command {
        Command::Start => Some(true),
        Command::Stop => Some(false),
        Command::Setpoint(_) => None,
    }
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}
