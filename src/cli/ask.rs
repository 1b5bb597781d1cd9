//! `sunward status`, `pause`, `resume`, `stop-all`, `schedule`: talk to a scheduler that runs somewhere, over its broker.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use anyhow::bail;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use crate::config::Config;
use crate::mqtt::topics::{TaskTopic, Topic, Topics};
use crate::mqtt::{Connection, Handle, Inbox, Incoming, Options, Outgoing, connect};
use crate::scheduler::TaskId;

/// The broker has so long to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is retained has come in when it is quiet for so long.
const QUIET: Duration = Duration::from_millis(300);

/// Prints what the scheduler does and how it sees its tasks, as a table.
///
/// # Errors
/// When the broker doesn't answer, or no scheduler is there.
pub async fn status(config: &Config, mut out: impl Write) -> anyhow::Result<()> {
    let mut seen = Seen::look(config).await?;
    let handle = seen.handle.clone();
    let offline = seen.require_online();
    let written = if offline.is_ok() { seen.print(&mut out) } else { Ok(()) };
    handle.close(Vec::new()).await;
    offline?;
    Ok(written?)
}

/// Sends one command to the scheduler.
///
/// # Errors
/// When the broker doesn't answer or doesn't take the command, or no scheduler is there to obey.
pub async fn send(config: &Config, word: &str) -> anyhow::Result<()> {
    let mut seen = Seen::look(config).await?;
    let online = seen.require_online();
    let last = if online.is_ok() { vec![Outgoing::event(seen.topics.scheduler_set(), word)] } else { Vec::new() };
    let confirmed = seen.handle.clone().close(last).await;
    online?;
    if !confirmed {
        bail!("the broker at {} did not confirm the command", seen.broker);
    }
    while let Some(incoming) = seen.inbox.next().await {
        if let Incoming::Refused { what } = incoming {
            bail!("{what}");
        }
    }
    Ok(())
}

/// What the broker retains of a scheduler.
struct Seen {
    topics: Topics,
    broker: String,
    handle: Handle,
    inbox: Inbox,
    _connection: Connection,
    online: bool,
    state: Option<Value>,
    reports: BTreeMap<TaskId, Value>,
}

impl Seen {
    async fn look(config: &Config) -> anyhow::Result<Self> {
        let embedded = config.broker.listen.parse().ok();
        let options = Options::from_config(&config.mqtt, embedded)?;
        let options = options.with_client_id(format!("{}-{}", config.mqtt.client_id, std::process::id()));
        let topics = Topics::new(&config.mqtt.base_topic)?;
        let broker = options.broker();
        let filters = [topics.scheduler_availability(), topics.scheduler_state(), topics.every_task(TaskTopic::Report)];
        let (handle, inbox, connection) = connect(options, filters, None)?;
        let mut seen = Self {
            topics,
            broker,
            handle,
            inbox,
            _connection: connection,
            online: false,
            state: None,
            reports: BTreeMap::new(),
        };
        seen.listen().await?;
        Ok(seen)
    }

    async fn listen(&mut self) -> anyhow::Result<()> {
        let mut deadline = Instant::now() + PATIENCE;
        let mut subscribed = false;
        loop {
            match timeout_at(deadline, self.inbox.next()).await {
                Err(_) if subscribed => return Ok(()),
                Err(_) => bail!("the broker at {} does not answer", self.broker),
                Ok(None) => bail!("the connection to {} ended", self.broker),
                Ok(Some(Incoming::Disconnected { reason })) => {
                    // It begins with the broker's address.
                    bail!("can't connect to {reason}");
                }
                Ok(Some(Incoming::Subscribed)) => {
                    subscribed = true;
                    deadline = Instant::now() + QUIET;
                }
                Ok(Some(Incoming::Message(message))) => {
                    match self.topics.parse(&message.topic) {
                        Some(Topic::SchedulerAvailability) => self.online = message.payload == b"online",
                        Some(Topic::SchedulerState) => self.state = serde_json::from_slice(&message.payload).ok(),
                        Some(Topic::Task(id, TaskTopic::Report)) => {
                            if let Ok(report) = serde_json::from_slice(&message.payload) {
                                self.reports.insert(id, report);
                            }
                        }
                        _ => {}
                    }
                    if subscribed {
                        deadline = Instant::now() + QUIET;
                    }
                }
                Ok(Some(_)) => {}
            }
        }
    }

    fn require_online(&self) -> anyhow::Result<()> {
        if self.online {
            return Ok(());
        }
        bail!("no scheduler is online at {} (topic {})", self.broker, self.topics.scheduler_availability())
    }

    fn print(&mut self, out: &mut impl Write) -> std::io::Result<()> {
        let state = self.state.take().unwrap_or_default();
        let text = |value: &Value, key: &str| match &value[key] {
            Value::Null => "-".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        writeln!(out, "Sunward is {} since {}", text(&state, "state"), text(&state, "since"))?;
        for warning in state["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            writeln!(out, "warning: {warning}")?;
        }
        if self.reports.is_empty() {
            return writeln!(out, "no task has registered yet");
        }
        let width = self.reports.keys().map(|id| id.as_str().len()).max().unwrap_or(0).max(4);
        writeln!(out, "{:width$}  {:11}  {:>8}  {:>5}  {:8}  why", "task", "status", "power", "ratio", "priority")?;
        for (id, report) in &self.reports {
            let power = format!("{} W", text(report, "power"));
            let (status, ratio, priority) = (text(report, "status"), text(report, "ratio"), text(report, "priority"));
            let why =
                report["error"].as_str().map_or_else(|| text(report, "reason"), |error| format!("refused: {error}"));
            writeln!(out, "{id:width$}  {status:11}  {power:>8}  {ratio:>5}  {priority:8}  {why}")?;
        }
        Ok(())
    }
}
