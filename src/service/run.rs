//! The loop around the service: connection and timers become inputs, outputs are done. It decides nothing.

use std::future::Future;
use std::time::Duration;

use tokio::sync::mpsc;

use super::clock::Clock;
use super::embedded_broker::{OwnBroker, PlannedBroker};
use super::input::{Input, Timer};
use super::output::{Output, log};
use super::recorder::Recorder;
use super::service::Service;
use super::set_up::Sources;
use crate::config::{Config, Setup};
use crate::core::Now;
use crate::mqtt::{Handle, Inbox, Incoming, Options, Outgoing};

/// The service manager is told that we live this often at least, whatever it asks.
const WATCHDOG: Duration = Duration::from_secs(60);

/// Before a timer so many messages are taken that have come by then.
const MOST_BEFORE_TIMER: usize = 8_192;

/// What is in the socket has come when the connection had nothing more to say for so many turns of the runtime.
const QUIET_TURNS: usize = 3;

/// Runs by `clock` until `shutdown` is done, with another configuration whenever one comes from `reloads`. `ready` is called when
/// the start-up is over and Sunward is online, and when another configuration is in force.
///
/// # Errors
/// When the embedded broker doesn't start. A broker that comes and goes is no error.
pub async fn run(
    setup: Setup,
    clock: Clock,
    mut recorder: Option<Recorder>,
    shutdown: impl Future<Output = ()>,
    mut reloads: mpsc::Receiver<Setup>,
    ready: impl FnMut(),
) -> anyhow::Result<()> {
    let mut own_broker = PlannedBroker::new(&setup)?.start().await?;
    let mut config = setup.config.clone();
    let options = own_broker.reached_by(setup.connection.clone());
    let broker = options.broker();
    let sources = Sources::new(setup);
    let mut filters = sources.filters();
    filters.extend(sources.read_once(&filters));
    let mut will = Outgoing::state(sources.topics.scheduler_availability(), "offline");
    let (handle, mut inbox, mut connection) = crate::mqtt::connect(options, filters, Some(will.clone()))?;

    let now = clock.now();
    if let Some(recorder) = &mut recorder {
        recorder.start(&config, sources.topics.scheduler_cycle(), now);
    }
    let service = Service::new(sources, broker, clock.pace(), now);
    let mut runner = Runner { service, recorder, handle, ready, connected_before: false };
    let mut alive = watchdog();
    tokio::pin!(shutdown);
    loop {
        let input = tokio::select! {
            () = &mut shutdown => break,
            Some(setup) = reloads.recv() => {
                let (new, now) = (setup.config.clone(), clock.now());
                let moved = config.connects_otherwise(&new).then(|| Moved::new(&setup, config.has_other_broker(&new))).transpose()?;
                runner.reload(&new, Sources::new(setup), now).await;
                if let Some(moved) = moved {
                    // What the old connection is to forget goes with its last words.
                    tracing::info!("the connection is made anew: its settings have changed");
                    runner.handle.clone().close(vec![will]).await;
                    drop(connection);
                    let options = moved.options(&mut own_broker).await?;
                    runner.service.broker = options.broker();
                    will = Outgoing::state(runner.service.topics.scheduler_availability(), "offline");
                    let filters = runner.service.filters.clone();
                    (runner.handle, inbox, connection) = crate::mqtt::connect(options, filters, Some(will.clone()))?;
                    runner.connected_before = true;
                    let reason = "the old connection: its settings have changed".into();
                    runner.step(Input::Incoming(Incoming::Disconnected { reason }), clock.now()).await;
                }
                config = new;
                (runner.ready)();
                continue;
            }
            incoming = inbox.next() => match incoming {
                Some(incoming) => Input::Incoming(incoming),
                None => anyhow::bail!("the MQTT connection ended by itself"),
            },
            () = due(&runner.service, clock) => match runner.catch_up(&mut inbox, clock).await {
                Some(timer) => Input::Timer(timer),
                None => continue,
            },
            _ = alive.tick() => {
                // Without a service manager there is nobody to tell.
                let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]);
                continue;
            }
        };
        runner.step(input, clock.now()).await;
    }
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    if let Some(recorder) = &mut runner.recorder {
        recorder.end(clock.now());
    }
    runner.handle.close(vec![will]).await;
    drop(connection);
    own_broker.end().await;
    Ok(())
}

/// A connection elsewhere, with other settings.
struct Moved {
    connection: Options,
    /// The embedded broker, if that is another one too.
    broker: Option<PlannedBroker>,
}

impl Moved {
    fn new(setup: &Setup, has_other_broker: bool) -> anyhow::Result<Self> {
        let broker = has_other_broker.then(|| PlannedBroker::new(setup)).transpose()?;
        Ok(Self { connection: setup.connection.clone(), broker })
    }

    /// Returns how the broker is reached, which is another one from now on if it has to be.
    async fn options(self, own: &mut OwnBroker) -> anyhow::Result<Options> {
        if let Some(planned) = self.broker {
            std::mem::replace(own, OwnBroker::none()).end().await;
            *own = planned.start().await?;
        }
        Ok(own.reached_by(self.connection))
    }
}

fn watchdog() -> tokio::time::Interval {
    let period = sd_notify::watchdog_enabled().map_or(WATCHDOG, |limit| (limit / 3).min(WATCHDOG));
    tokio::time::interval(period)
}

/// Waits until the next timer of the service is due; for ever while there is none.
async fn due(service: &Service, clock: Clock) {
    loop {
        let now = clock.now();
        match service.next_wakeup(now) {
            Some((at, _)) if at <= now.at => return,
            Some((at, _)) => clock.wait_for_some_of(at.since(now.at)).await,
            None => return std::future::pending().await,
        }
    }
}

struct Runner<Ready> {
    service: Service,
    recorder: Option<Recorder>,
    handle: Handle,
    ready: Ready,
    /// It was connected before, by another connection.
    connected_before: bool,
}

impl<Ready: FnMut()> Runner<Ready> {
    /// A timer is due. After a computer has slept, or a step took long, much may have come meanwhile: all of that first.
    /// Returns the timer that is due then.
    async fn catch_up(&mut self, inbox: &mut Inbox, clock: Clock) -> Option<Timer> {
        let (mut room, mut quiet) = (MOST_BEFORE_TIMER, 0);
        while room > 0 && quiet < QUIET_TURNS {
            quiet += 1;
            // The task that owns the connection reads the socket.
            tokio::task::yield_now().await;
            while room > 0
                && let Some(incoming) = inbox.try_next()
            {
                self.step(Input::Incoming(incoming), clock.now()).await;
                (room, quiet) = (room - 1, 0);
            }
        }
        let now = clock.now();
        let due = self.service.next_wakeup(now).filter(|(at, _)| *at <= now.at);
        due.map(|(_, timer)| timer)
    }

    /// Goes on with another configuration.
    async fn reload(&mut self, config: &Config, sources: Sources, now: Now) {
        if let Some(recorder) = &mut self.recorder {
            recorder.reload(config, sources.topics.scheduler_cycle(), now);
        }
        self.service.reload(sources, now);
        self.finish_step(now).await;
    }

    async fn step(&mut self, mut input: Input, now: Now) {
        if let Input::Incoming(Incoming::Connected { first, .. }) = &mut input {
            *first &= !self.connected_before;
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.input(now, &input);
        }
        self.service.step(input, now);
        self.finish_step(now).await;
    }

    async fn finish_step(&mut self, now: Now) {
        self.do_outputs(now);
        if self.service.has_reports_due() {
            // The commands are on their way before a hundred reports are written.
            tokio::task::yield_now().await;
        }
        self.service.report();
        self.do_outputs(now);
    }

    fn do_outputs(&mut self, now: Now) {
        if let Some(recorder) = &mut self.recorder {
            recorder.outputs(now, self.service.outputs());
        }
        for output in self.service.take_outputs() {
            let message = match output {
                Output::State { topic, payload } => Outgoing::state(topic, payload),
                Output::Clear { topic } => Outgoing::clear(topic),
                Output::Command { topic, payload, expiry, task: None } => Outgoing::command(topic, payload, expiry),
                Output::Command { topic, payload, expiry, task: Some(task) } => {
                    Outgoing::command(topic, payload, expiry).addressed_to(task.as_str())
                }
                Output::Ask => {
                    self.handle.ask();
                    continue;
                }
                Output::Subscribe { filter } => {
                    if let Err(problem) = self.handle.subscribe(filter) {
                        tracing::warn!("{problem}");
                    }
                    continue;
                }
                Output::Unsubscribe { filter } => {
                    self.handle.unsubscribe(&filter);
                    continue;
                }
                Output::Ready => {
                    (self.ready)();
                    continue;
                }
                // For the recording alone: its command is an output of its own.
                Output::Decided(_) => continue,
                Output::Log { level, text } => {
                    log(level, &text);
                    continue;
                }
            };
            if let Err(problem) = self.handle.publish(message) {
                tracing::warn!("{problem}");
            }
        }
    }
}
