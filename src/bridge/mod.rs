//! The one event loop: between the broker and the scheduler, and the only reader of the clock.
//!
//! Refuses to decide anything about appliances; it carries messages to the scheduler and decisions from it.

mod clock;
mod faults;
mod outlet;
mod set_up;
mod start_up;

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use crate::config::Config;
use crate::mqtt::payload::{self, SetCommand};
use crate::mqtt::topics::{TaskTopic, Topic, Topics};
use crate::mqtt::{Handle, Incoming, Message, Options, Outgoing};
use crate::report;
use crate::scheduler::{Action, Activity, Command, Criteria, Decision, Event, Refusal, Scheduler, Source, TaskId};

use clock::Clock;
use faults::Faults;
use outlet::Outlet;
use set_up::Power;
pub use set_up::settings;
use start_up::StartUp;

/// The service manager is told that we live this often at least, whatever it asks.
const WATCHDOG: Duration = Duration::from_secs(60);

/// The embedded broker has so long to tell everybody that Sunward is offline.
#[cfg(feature = "embedded-broker")]
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Runs until `shutdown` is done. `settled` is called once, when the start-up is over and Sunward is online.
///
/// # Errors
/// When the settings can't work, or the embedded broker doesn't start. A broker that comes and goes is no error.
pub async fn run(config: Config, shutdown: impl Future<Output = ()>, settled: impl FnOnce()) -> anyhow::Result<()> {
    #[cfg(feature = "embedded-broker")]
    let embedded = if config.mqtt.url.is_none() {
        let broker = crate::mqtt::broker::start(&config.broker, config.mqtt.max_packet_size).await?;
        tracing::info!("the embedded broker listens on {}", broker.address());
        Some(broker)
    } else {
        None
    };
    #[cfg(feature = "embedded-broker")]
    let address = embedded.as_ref().map(crate::mqtt::broker::Embedded::address);
    #[cfg(not(feature = "embedded-broker"))]
    let address = None;

    let options = Options::from_config(&config.mqtt, address)?;
    let broker = options.broker();
    let topics = Topics::new(&config.mqtt.base_topic)?;
    let power = Power::new(&config, &topics);
    let mut filters = topics.filters();
    filters.extend([power.topic.clone(), power.fallback_topic.clone()]);
    let read_once = StartUp::filters(&topics);
    filters.extend(read_once.iter().cloned());
    let will = Outgoing::state(topics.scheduler_availability(), "offline");
    let (handle, mut inbox, connection) = crate::mqtt::connect(options, filters, Some(will.clone()))?;

    let mut bridge = Bridge::new(config, topics, power, handle.clone())?;
    let mut settled = Some(settled);
    let mut boundary = bridge.clock.next_boundary(bridge.cycle);
    let watchdog = sd_notify::watchdog_enabled().map_or(WATCHDOG, |limit| (limit / 3).min(WATCHDOG));
    let mut alive = tokio::time::interval(watchdog);
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            incoming = inbox.next() => match incoming {
                Some(incoming) => bridge.take(incoming, &broker),
                None => anyhow::bail!("the MQTT connection ended by itself"),
            },
            () = bridge.start_up.over(), if bridge.start_up.is_open() => {
                bridge.settle(&read_once);
                boundary = bridge.clock.next_boundary(bridge.cycle);
                if let Some(settled) = settled.take() {
                    settled();
                }
            }
            () = bridge.clock.reach(boundary), if !bridge.start_up.is_open() => {
                bridge.run_cycle();
                boundary = bridge.clock.next_boundary(bridge.cycle);
            }
            () = bridge.clock.until(bridge.scheduler.next_wakeup()), if !bridge.start_up.is_open() => bridge.wake(),
            _ = alive.tick() => {
                // Without a service manager there is nobody to tell.
                let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]);
            }
        }
        if bridge.untold {
            // The commands are on their way before a hundred reports are written.
            tokio::task::yield_now().await;
            bridge.tell();
        }
    }
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    handle.close(vec![will]).await;
    drop(connection);
    #[cfg(feature = "embedded-broker")]
    if let Some(embedded) = embedded {
        // It confirms what it has not passed on yet, and its end passes nothing on.
        tokio::time::sleep(LAST_WORDS).await;
        embedded.shutdown().await;
    }
    Ok(())
}

struct Bridge {
    scheduler: Scheduler,
    /// Of tasks that bring none of their own.
    criteria: Criteria,
    topics: Topics,
    power: Power,
    outlet: Outlet,
    clock: Clock,
    faults: Faults,
    start_up: StartUp,
    /// What registrations ask for that this version does not do.
    not_yet: BTreeMap<TaskId, Vec<&'static str>>,
    cycle: Duration,
    dry_run: bool,
    /// A cycle has run, and people have not been told yet what it changed.
    untold: bool,
}

impl Bridge {
    fn new(config: Config, topics: Topics, power: Power, handle: Handle) -> anyhow::Result<Self> {
        let clock = Clock::new();
        let written = &config.scheduler.criteria;
        let criteria = payload::criteria(Some(&written.start), written.keep.as_ref(), &Criteria::default())
            .map_err(|problem| anyhow::anyhow!("scheduler.{problem}"))?;
        Ok(Self {
            scheduler: Scheduler::new(settings(&config)?, clock.now()),
            criteria,
            topics,
            power,
            outlet: Outlet::new(handle),
            clock,
            faults: Faults::default(),
            start_up: StartUp::default(),
            not_yet: BTreeMap::new(),
            cycle: config.scheduler.cycle,
            dry_run: config.scheduler.dry_run,
            untold: false,
        })
    }

    fn take(&mut self, incoming: Incoming, broker: &str) {
        match incoming {
            Incoming::Connected { first, .. } => {
                tracing::info!("connected to {broker}");
                self.faults.forget_refusals();
                if !first {
                    self.outlet.publish_again();
                }
            }
            Incoming::Subscribed => self.start_up.subscribed(),
            Incoming::Message(message) => self.receive(message),
            // The reason begins with the broker's address.
            Incoming::Disconnected { reason } => tracing::warn!("not connected to {reason}"),
            Incoming::Refused { what } => self.faults.refused(what),
            Incoming::Dropped { count } => {
                tracing::warn!("{count} messages came in faster than they could be taken, and were dropped");
            }
            Incoming::TakenOver { times } => self.faults.refused(format!(
                "another program connected {times} times with this client id: are there two Sunwards? (mqtt.client_id)"
            )),
        }
    }

    fn receive(&mut self, message: Message) {
        if message.retain {
            self.start_up.heard();
        }
        let is_power = message.topic == self.power.topic;
        if is_power || message.topic == self.power.fallback_topic {
            let source = if is_power { Source::Meter } else { Source::Fallback };
            self.receive_power(source, &message);
            return;
        }
        let topic = self.topics.parse(&message.topic);
        match topic {
            Some(Topic::SchedulerSet) => self.receive_command(message),
            Some(Topic::Task(id, kind)) => self.receive_task(id, kind, &message),
            Some(Topic::SchedulerState) if self.start_up.is_open() && message.retain => {
                self.start_up.own_state(&message.payload);
            }
            // Nothing that somebody publishes for us may be passed over in silence.
            None if message.payload.is_empty() => {}
            None => self.fault(&message.topic, "not a topic of Sunward's: a task id has 1 to 64 of A-Z a-z 0-9 _ -"),
            Some(_) => {}
        }
    }

    fn receive_power(&mut self, source: Source, message: &Message) {
        if message.retain {
            tracing::debug!("{}: a retained record is not a new one", message.topic);
            return;
        }
        match payload::record(&message.payload, self.power.unit) {
            Ok(record) => {
                let before = self.scheduler.activity();
                let event = Event::Power { source, values: record.values, measured: record.measured };
                self.handle(event, &message.topic);
                if before != self.scheduler.activity() {
                    tracing::info!("power records arrive again");
                    self.tell();
                }
            }
            Err(problem) => self.fault(&message.topic, &problem.to_string()),
        }
    }

    fn receive_command(&mut self, message: Message) {
        if message.payload.is_empty() {
            return;
        }
        if self.start_up.is_open() {
            self.start_up.keep(message);
            return;
        }
        // Obeyed once: it must not come again with the next connection. A retained one that comes live doesn't say so.
        self.outlet.clear(&message.topic);
        match payload::command(&message.payload) {
            Ok(Some(SetCommand::Do(command))) => {
                tracing::info!("{}: {}", message.topic, describe(command));
                self.handle(Event::Command(command), &message.topic);
                self.tell();
            }
            Ok(Some(SetCommand::Schedule)) => self.run_cycle(),
            Ok(None) => {}
            Err(problem) => self.fault(&message.topic, &problem.to_string()),
        }
    }

    fn receive_task(&mut self, id: TaskId, kind: TaskTopic, message: &Message) {
        let topic = &message.topic;
        let payload = message.payload.as_slice();
        let event = match kind {
            TaskTopic::Config if payload.is_empty() => {
                self.not_yet.remove(&id);
                Ok(Event::Unregistered(id))
            }
            TaskTopic::Config => match payload::registration(&id, payload, &self.criteria) {
                Ok(registered) => {
                    self.note_not_yet(&id, registered.not_yet);
                    Ok(Event::Registered(id, Box::new(registered.registration)))
                }
                Err(problem) => Err((Event::RegistrationRefused(id, problem.to_string()), problem)),
            },
            TaskTopic::State if payload.is_empty() => Ok(Event::StateCleared(id)),
            TaskTopic::State => match payload::state(payload) {
                // What the broker replays after a reconnect is as old as it was.
                Ok(state) if message.retain && self.scheduler.state(&id) == Some(&state) => return,
                Ok(state) => Ok(Event::State(id, Box::new(state))),
                Err(problem) => Err((Event::StateRefused(id, problem.to_string()), problem)),
            },
            TaskTopic::Availability => match payload::availability(payload) {
                Ok(available) => Ok(Event::Availability(id, available)),
                Err(problem) => return self.fault(topic, &problem.to_string()),
            },
            TaskTopic::ModeSet | TaskTopic::PrioritySet if !payload.is_empty() => {
                return self.fault(topic, "modes and priorities can't be set in this version yet");
            }
            TaskTopic::Report if self.start_up.is_open() && message.retain => {
                return self.outlet.remember(topic, payload);
            }
            _ => return,
        };
        match event {
            Ok(event) => self.handle(event, topic),
            Err((event, problem)) => {
                self.handle(event, topic);
                self.fault(topic, &problem.to_string());
            }
        }
        self.tell();
    }

    fn note_not_yet(&mut self, id: &TaskId, fields: Vec<&'static str>) {
        if fields.is_empty() {
            self.not_yet.remove(id);
        } else {
            self.not_yet.insert(id.clone(), fields);
        }
    }

    fn handle(&mut self, event: Event, topic: &str) {
        let refused: Result<(), Refusal> = self.scheduler.handle(event, self.clock.now());
        if let Err(refusal) = refused {
            self.fault(topic, &refusal.to_string());
        }
        self.send();
    }

    fn fault(&mut self, topic: &str, error: &str) {
        self.faults.note(topic, error, self.clock.now());
        self.tell_state();
    }

    /// The retained messages have come in: what earlier runs left is taken over, and scheduling begins.
    fn settle(&mut self, read_once: &[String]) {
        for filter in read_once {
            self.outlet.handle().unsubscribe(filter);
        }
        if let Some(since) = self.start_up.paused_since() {
            self.scheduler.restore_pause(since);
            tracing::info!("still paused, since {since}");
        }
        let commands = self.start_up.close();
        self.outlet.state(self.topics.scheduler_availability(), b"online".to_vec());
        self.tell();
        let (tasks, power) = (self.scheduler.task_count(), &self.power.topic);
        tracing::info!("online with {tasks} tasks, waiting for power records on {power}");
        for command in commands {
            self.receive_command(command);
        }
    }

    fn run_cycle(&mut self) {
        let report = self.scheduler.cycle(self.clock.now());
        self.send();
        let report = report::cycle(&report).to_string();
        self.outlet.event(self.topics.scheduler_cycle(), report.into_bytes());
        self.untold = true;
    }

    fn wake(&mut self) {
        let before = self.scheduler.activity();
        self.scheduler.wake(self.clock.now());
        if before != self.scheduler.activity() {
            tracing::warn!("no power record arrives on {}", self.power.topic);
        }
        self.send();
        self.tell();
    }

    /// Sends what was decided: stops come before starts.
    fn send(&mut self) {
        while let Some(decision) = self.scheduler.next_decision() {
            let Decision { task, action, .. } = &decision;
            let Some(registration) = self.scheduler.registration(task) else { continue };
            if self.dry_run {
                tracing::info!("dry run, not sent: {decision}");
                continue;
            }
            tracing::info!("{decision}");
            let payload = match action {
                Action::Start => registration.payload_on.clone(),
                Action::Stop => registration.payload_off.clone(),
            };
            let topic = self.topics.task(task, TaskTopic::Set);
            self.outlet.command(topic, payload, self.cycle);
        }
    }

    /// Publishes what changed of the state and of the tasks' reports.
    fn tell(&mut self) {
        self.untold = false;
        if self.start_up.is_open() {
            return;
        }
        let mut reports = BTreeMap::new();
        for view in self.scheduler.tasks(self.clock.now()) {
            let topic = self.topics.task(&view.id, TaskTopic::Report);
            reports.insert(topic, report::task(&view).to_string().into_bytes());
        }
        self.outlet.reports(reports);
        self.tell_state();
    }

    fn tell_state(&mut self) {
        if self.start_up.is_open() {
            return;
        }
        let now = self.clock.now();
        let activity = self.scheduler.activity();
        let mut warnings = self.scheduler.warnings(now);
        warnings.extend(self.faults.refusals().map(str::to_owned));
        warnings.extend(
            self.not_yet
                .iter()
                .map(|(id, fields)| format!("task {id}: {} not acted on in this version yet", fields.join(", "))),
        );
        let state = report::State {
            state: activity.as_str(),
            paused: activity == Activity::Paused,
            since: report::time(self.scheduler.since()),
            version: env!("CARGO_PKG_VERSION"),
            cycle: humantime::format_duration(self.cycle).to_string(),
            tasks: self.scheduler.task_count(),
            rejected: self.faults.rejected(),
            last_error: self.faults.last(),
            warnings,
        };
        if let Ok(payload) = serde_json::to_vec(&state) {
            self.outlet.state(self.topics.scheduler_state(), payload);
        }
    }
}

fn describe(command: Command) -> &'static str {
    match command {
        Command::Pause => "paused",
        Command::Resume => "resumed",
        Command::StopAll => "everything is to be stopped, then paused",
    }
}
