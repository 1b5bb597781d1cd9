//! The loop around the service: connection and timers become inputs, outputs are done. It decides nothing.

use std::future::Future;
use std::time::Duration;

use super::clock::Clock;
use super::embedded_broker::OwnBroker;
use super::input::{Input, Timer};
use super::output::{Output, log};
use super::recorder::Recorder;
use super::service::Service;
use super::set_up::Sources;
use crate::config::Setup;
use crate::core::Now;
use crate::mqtt::{Handle, Outgoing};

/// The service manager is told that we live this often at least, whatever it asks.
const WATCHDOG: Duration = Duration::from_secs(60);

/// Runs by `clock` until `shutdown` is done. `ready` is called once, when the start-up is over and Sunward is online.
///
/// # Errors
/// When the embedded broker doesn't start. A broker that comes and goes is no error.
pub async fn run(
    setup: Setup,
    clock: Clock,
    mut recorder: Option<Recorder>,
    shutdown: impl Future<Output = ()>,
    ready: impl FnOnce(),
) -> anyhow::Result<()> {
    let own_broker = OwnBroker::start(&setup).await?;
    let (config, options) = (setup.config.clone(), own_broker.reached_by(setup.connection.clone()));
    let broker = options.broker();
    let sources = Sources::new(setup);
    let mut filters = sources.filters();
    filters.extend(sources.read_once(&filters));
    let will = Outgoing::state(sources.topics.scheduler_availability(), "offline");
    let (handle, mut inbox, connection) = crate::mqtt::connect(options, filters, Some(will.clone()))?;

    let now = clock.now();
    if let Some(recorder) = &mut recorder {
        recorder.start(&config, sources.topics.scheduler_cycle(), now);
    }
    let service = Service::new(sources, broker, clock.pace(), now);
    let mut runner = Runner { service, recorder, handle, ready: Some(ready) };
    let mut alive = watchdog();
    tokio::pin!(shutdown);
    loop {
        let input = tokio::select! {
            () = &mut shutdown => break,
            incoming = inbox.next() => match incoming {
                Some(incoming) => Input::Incoming(incoming),
                None => anyhow::bail!("the MQTT connection ended by itself"),
            },
            timer = due(&runner.service, clock) => Input::Timer(timer),
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

fn watchdog() -> tokio::time::Interval {
    let period = sd_notify::watchdog_enabled().map_or(WATCHDOG, |limit| (limit / 3).min(WATCHDOG));
    tokio::time::interval(period)
}

/// Waits for the next timer of the service; for ever while there is none.
async fn due(service: &Service, clock: Clock) -> Timer {
    loop {
        let now = clock.now();
        match service.next_wakeup(now) {
            Some((at, timer)) if at <= now.at => return timer,
            Some((at, _)) => clock.wait_for_some_of(at.since(now.at)).await,
            None => return std::future::pending().await,
        }
    }
}

struct Runner<Ready> {
    service: Service,
    recorder: Option<Recorder>,
    handle: Handle,
    /// Until the start-up is over.
    ready: Option<Ready>,
}

impl<Ready: FnOnce()> Runner<Ready> {
    async fn step(&mut self, input: Input, now: Now) {
        if let Some(recorder) = &mut self.recorder {
            recorder.input(now, &input);
        }
        self.service.step(input, now);
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
                Output::Command { topic, payload, expiry } => Outgoing::command(topic, payload, expiry),
                Output::Unsubscribe { filter } => {
                    self.handle.unsubscribe(&filter);
                    continue;
                }
                Output::Ready => {
                    self.ready.take().into_iter().for_each(|ready| ready());
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
