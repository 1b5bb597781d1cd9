//! What the demo learns from the broker, as any client could: decisions, reports, the scheduler's state. It keeps what the
//! screen shows.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;

use crate::client::{Command, Order};
use crate::config::Mqtt;
use crate::mqtt::{Connection, Handle, Inbox, Incoming, Options, Outgoing, connect};
use crate::simulate::{Appliance, Flows};
use crate::wire::report::{SchedulerCycle, SchedulerState, TaskReport};
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
        let options = Options::from_config(&Mqtt { client_id: "sunward-demo".into(), ..mqtt.clone() }, None)?;
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
        let payload = &message.payload;
        match topic {
            Topic::SchedulerState => serde_json::from_slice(payload).ok().map(Told::State),
            Topic::SchedulerCycle => serde_json::from_slice(payload).ok().map(Told::Cycle),
            Topic::Task(id, TaskTopic::Report) => {
                serde_json::from_slice(payload).ok().map(|report| Told::Report(id.to_string(), report))
            }
            _ => None,
        }
    }
}

/// A message that is shown.
pub(super) enum Told {
    State(SchedulerState),
    Cycle(SchedulerCycle),
    Report(String, TaskReport),
}

/// What has come in so far.
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
    pub(super) fn take(&mut self, message: Told, now: Timestamp) {
        match message {
            Told::State(state) => {
                let word = state.state.to_string();
                if word != self.state {
                    let time = state.since.value().unwrap_or(now);
                    self.note(Happening { time, what: What::Scheduler, task: String::new(), why: word.clone() });
                    self.state = word;
                }
            }
            Told::Cycle(cycle) => {
                let time = cycle.time.value().unwrap_or(now);
                // Stops were sent first.
                for (decisions, what) in [(cycle.stopped, What::Stop), (cycle.started, What::Start)] {
                    for decision in decisions {
                        let why = format!("{} ({})", decision.reason, decision.rule);
                        self.note(Happening { time, what, task: decision.task, why });
                    }
                }
            }
            Told::Report(id, report) => {
                let report = Report { status: report.status.to_string(), reason: report.reason };
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
