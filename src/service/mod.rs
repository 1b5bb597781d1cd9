//! The one event loop: between the broker and the scheduler, and the only reader of the clock.
//!
//! Refuses to decide anything about appliances; it carries messages to the scheduler and decisions from it.

mod clock;
mod devices;
mod discovery;
mod duplicate_instance;
mod earlier_run;
mod embedded_broker;
mod estimate;
mod input;
mod playback;
mod publisher;
mod receive;
mod record_format;
mod recorder;
mod rejections;
mod reports;
mod sensors;
mod set_up;
mod start_up;
mod task_commands;

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use crate::config::Config;
use crate::core::{
    Action, Activity, Criteria, Decision, Event, Instant, Instruction, Now, Refusal, Scheduler, Source, TaskId,
};
use crate::devices::{Heard, Sensors, Tasks};
use crate::mqtt::{Handle, Incoming, Options, Outgoing};
use crate::units::counted;
use crate::wire::CommandPayloads;
use crate::wire::report::{LastSwitches, SchedulerCycle, payload};
use crate::wire::topics::{TaskTopic, Topic, Topics};

pub use clock::Clock;
use discovery::Discovery;
use duplicate_instance::Rival;
use earlier_run::Memory;
use embedded_broker::OwnBroker;
use estimate::Estimator;
use input::{Input, Moment};
pub use playback::{Decided, Rerun, recorded_files, rerun};
use publisher::{Family, Outlet};
pub use recorder::Recorder;
use rejections::Faults;
use set_up::{Power, Sources};
use start_up::StartUp;

/// The service manager is told that we live this often at least, whatever it asks.
const WATCHDOG: Duration = Duration::from_secs(60);

/// Runs by `clock` until `shutdown` is done. `settled` is called once, when the start-up is over and Sunward is online.
///
/// # Errors
/// When the settings can't work, or the embedded broker doesn't start. A broker that comes and goes is no error.
pub async fn run(
    config: Config,
    clock: Clock,
    mut recorder: Option<Recorder>,
    shutdown: impl Future<Output = ()>,
    settled: impl FnOnce(),
) -> anyhow::Result<()> {
    let own_broker = OwnBroker::start(&config).await?;
    let options = Options::from_config(&config.mqtt, own_broker.address())?;
    let broker = options.broker();
    let sources = Sources::new(&config)?;
    let mut filters = sources.filters();
    let read_once = sources.read_once(&filters);
    filters.extend(read_once.iter().cloned());
    let will = Outgoing::state(sources.topics.scheduler_availability(), "offline");
    let (handle, mut inbox, connection) = crate::mqtt::connect(options, filters, Some(will.clone()))?;

    let now = clock.now();
    if let Some(recorder) = &mut recorder {
        recorder.start(&config, sources.topics.scheduler_cycle(), now);
    }
    let mut bridge = Bridge { read_once, broker, ..Bridge::new(config, sources, handle.clone(), now)? };
    let mut settled = Some(settled);
    let mut boundary = clock.next_boundary(bridge.cycle);
    let mut alive = watchdog();
    tokio::pin!(shutdown);
    loop {
        let input = tokio::select! {
            () = &mut shutdown => break,
            incoming = inbox.next() => match incoming {
                Some(incoming) => Input::Incoming(incoming),
                None => anyhow::bail!("the MQTT connection ended by itself"),
            },
            () = bridge.start_up.over(), if bridge.start_up.is_open() => Input::Settle,
            () = clock.reach(boundary), if !bridge.start_up.is_open() => Input::Cycle,
            () = clock.until(bridge.scheduler.next_wakeup()), if !bridge.start_up.is_open() => Input::Wake,
            () = clock.until(bridge.sensors.next_wakeup()) => Input::Sensors,
            () = clock.until(bridge.tasks.next_wakeup()) => Input::Devices,
            () = bridge.outlet.pause() => {
                bridge.outlet.publish_some();
                continue;
            }
            () = clock.until(bridge.faults.due()), if !bridge.start_up.is_open() => {
                bridge.tell_faults(clock.now());
                continue;
            }
            _ = alive.tick() => {
                // Without a service manager there is nobody to tell.
                let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]);
                continue;
            }
        };
        let now = clock.now();
        if matches!(input, Input::Settle | Input::Cycle) {
            boundary = clock.next_boundary(bridge.cycle);
        }
        let settles = input == Input::Settle;
        if let Some(recorder) = &mut recorder {
            recorder.heard(now, &input);
        }
        let decisions = bridge.step(input, now);
        if let Some(recorder) = &mut recorder {
            recorder.decided(now, &decisions);
        }
        if let Some(settled) = settled.take_if(|_| settles) {
            settled();
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
    own_broker.end().await;
    Ok(())
}

fn watchdog() -> tokio::time::Interval {
    let period = sd_notify::watchdog_enabled().map_or(WATCHDOG, |limit| (limit / 3).min(WATCHDOG));
    tokio::time::interval(period)
}

struct Bridge {
    scheduler: Scheduler,
    /// Of tasks that bring none of their own.
    criteria: Criteria,
    topics: Topics,
    power: Power,
    estimator: Option<Estimator>,
    /// Those of the configuration.
    sensors: Sensors,
    /// Those of the configuration.
    tasks: Tasks,
    /// What the commands of tasks say that registered themselves: as their last valid registration wants.
    commands: BTreeMap<TaskId, CommandPayloads>,
    outlet: Outlet,
    /// The topics of the tasks' reports, modes and priorities.
    reports: Family,
    discovery: Discovery,
    /// What started and stopped last.
    latest: LastSwitches,
    /// When that happens which happens now.
    clock: Moment,
    /// What came of it.
    decided: Vec<Decision>,
    faults: Faults,
    rival: Rival,
    start_up: StartUp,
    memory: Memory,
    /// When the connection was lost, while it is.
    lost: Option<Instant>,
    cycle: Duration,
    dry_run: bool,
    /// A cycle has run, and people have not been told yet what it changed.
    untold: bool,
    /// What is listened to during the start-up only.
    read_once: Vec<String>,
    /// The broker, as people know it.
    broker: String,
}

impl Bridge {
    fn new(config: Config, sources: Sources, handle: Handle, now: Now) -> anyhow::Result<Self> {
        let Sources { topics, power, sensors, tasks, discovery } = sources;
        let mut bridge = Self {
            scheduler: Scheduler::new(config.settings()?, now),
            criteria: config.criteria()?,
            topics,
            power,
            estimator: Estimator::new(&config.power.estimate),
            sensors,
            tasks,
            commands: BTreeMap::new(),
            outlet: Outlet::new(handle),
            reports: Family::default(),
            discovery,
            latest: LastSwitches::default(),
            clock: Moment::new(now),
            decided: Vec::new(),
            faults: Faults::default(),
            rival: Rival::default(),
            start_up: StartUp::default(),
            memory: Memory::default(),
            lost: None,
            cycle: config.scheduler.cycle,
            dry_run: config.scheduler.dry_run,
            untold: false,
            read_once: Vec::new(),
            broker: String::new(),
        };
        bridge.register_devices();
        Ok(bridge)
    }

    fn take(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::Connected { first, .. } => {
                tracing::info!("connected to {}", self.broker);
                self.faults.forget_refusals();
                if let Some(lost) = self.lost.take().filter(|_| !first) {
                    self.handle(Event::Reconnected(lost), "");
                }
                if !first && !self.start_up.is_open() {
                    self.publish_again();
                }
            }
            Incoming::Subscribed => {
                self.start_up.subscribed();
                self.greet_devices();
            }
            Incoming::Message(message) => self.receive(message),
            Incoming::CommandSent { topic, payload } => self.command_sent(&topic, &payload),
            Incoming::Disconnected { reason } => {
                self.tasks.disconnected();
                self.start_up.lost();
                self.lost.get_or_insert(self.clock.now().at);
                // The reason begins with the broker's address.
                tracing::warn!("not connected to {reason}");
            }
            Incoming::Refused { what } => self.faults.refused(what),
            Incoming::Dropped { count } => {
                tracing::warn!("{count} messages came in faster than they could be taken, and were dropped");
            }
            Incoming::TakenOver { times } => self.faults.refused(format!(
                "another program connected {times} times with this client id: are there two Sunwards? (mqtt.client_id)"
            )),
        }
    }

    /// Sunward's being there first, then the devices: what follows is about them.
    fn publish_again(&mut self) {
        let mut first = vec![self.topics.scheduler_availability()];
        first.extend(self.discovery.topics());
        self.outlet.publish_again(first);
    }

    fn handle(&mut self, event: Event, topic: &str) {
        // What was refused is a fault already.
        let _ = self.hand_over(event, topic);
    }

    fn take_in(&mut self, heard: Heard, from: &str) {
        match heard {
            Ok(event) => self.handle(event, from),
            Err(problem) => self.fault(from, &problem),
        }
    }

    /// As `handle`, for who wants to know what was refused.
    fn hand_over(&mut self, event: Event, topic: &str) -> Result<(), Refusal> {
        let before = self.scheduler.activity();
        let outcome = self.scheduler.handle(event, self.clock.now());
        if let Err(refusal) = &outcome {
            self.fault(topic, &refusal.to_string());
        }
        self.send();
        if before == Activity::NoData && self.scheduler.activity() == Activity::Active {
            tracing::info!("power records arrive again");
            self.tell();
        }
        outcome
    }

    fn fault(&mut self, topic: &str, error: &str) {
        self.faults.note(topic, error, self.clock.now());
        self.tell_state();
    }

    /// The retained messages have come in: what earlier runs left is taken over, and scheduling begins.
    fn settle(&mut self) {
        for filter in &self.read_once {
            self.outlet.handle().unsubscribe(filter);
        }
        if let Some(since) = self.start_up.paused_since() {
            self.scheduler.restore_pause(since);
            tracing::info!("still paused, since {since}");
        }
        for (id, watts) in self.start_up.take_setpoints() {
            // What stands on Sunward's own topic was not told on another.
            let watts = watts.filter(|_| !self.tasks.has_setpoint_topic(&id));
            if !watts.is_some_and(|watts| self.scheduler.restore_setpoint(&id, watts)) {
                self.outlet.forget(&self.topics.task(&id, TaskTopic::Setpoint));
            }
        }
        self.scheduler.begin(self.clock.now());
        self.rival.online(self.clock.now());
        self.settle_devices();
        self.latest = std::mem::take(&mut self.memory).restore(&mut self.scheduler, self.clock.now());
        let commands = self.start_up.close();
        self.outlet.state(self.topics.scheduler_availability(), b"online".to_vec());
        self.tell();
        let tasks = counted(self.scheduler.task_count(), "task");
        tracing::info!("online with {tasks}, waiting for power records on {}", self.power);
        for command in commands {
            match self.topics.parse(&command.topic) {
                Some(Topic::Task(id, kind)) => self.receive_wish(id, kind, command),
                _ => self.receive_command(command),
            }
        }
    }

    fn run_cycle(&mut self) {
        let now = self.clock.now();
        if self.scheduler.lacks_record(now) {
            self.estimate(now);
        }
        let report = self.scheduler.cycle(now);
        self.send();
        let name = |id: &TaskId| self.scheduler.registration(id).map(|registration| registration.name.clone());
        self.latest.note(&report, name);
        let record = self.scheduler.latest_record();
        let report = SchedulerCycle::new(&report, record, self.latest.clone(), self.rival.own());
        self.outlet.event(self.topics.scheduler_cycle(), payload(&report));
        self.untold = true;
    }

    fn wake(&mut self) {
        let now = self.clock.now();
        if self.scheduler.is_data_missing(now) {
            self.estimate(now);
        }
        let before = self.scheduler.activity();
        self.scheduler.wake(now);
        if before != self.scheduler.activity() {
            tracing::warn!("no power record arrives on {}", self.power);
        }
        self.send();
        self.untold = true;
    }

    /// Where nobody measures, the sun is looked up, if the configuration says where it is.
    fn estimate(&mut self, now: Now) {
        let Some(estimator) = &self.estimator else { return };
        let values = estimator.record(now.wall, self.scheduler.expected_use(now));
        self.handle(Event::Power { source: Source::Fallback, values, measured: None }, "power.estimate");
    }

    /// Sends what was decided: stops come before starts.
    fn send(&mut self) {
        while let Some(instruction) = self.scheduler.next_instruction() {
            if let Instruction::Decided(decision) = &instruction {
                self.decided.push(decision.clone());
            }
            if self.dry_run {
                if let Instruction::Decided(decision) = &instruction {
                    tracing::info!("dry run, not sent: {decision}");
                }
                continue;
            }
            match instruction {
                Instruction::Decided(decision) => {
                    tracing::info!("{decision}");
                    self.command(&decision.task, decision.action);
                }
                Instruction::Renew(task) => self.command(&task, Action::Start),
                Instruction::Setpoint(task, watts) => self.allow(&task, watts),
            }
        }
        self.send_to_devices();
    }
}
