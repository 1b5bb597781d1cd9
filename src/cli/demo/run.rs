//! Puts the demo together: broker, service, and the session that simulates the home and shows it.

use anyhow::Context as _;
use jiff::tz::TimeZone;
use tokio::sync::oneshot;

use super::arguments::DemoArguments;
use super::broker::listen;
use super::place::{settings, site, time_zone};
use super::session::Session;
use super::times::Times;
use tokio::sync::mpsc;

use crate::config::{Config, Setup};
use crate::service::{self, Clock};
use crate::simulate::SimulatedHome;

/// Simulates the days that were asked for, or until somebody ends it.
///
/// # Errors
/// When the date or the time zone doesn't exist, the broker can't listen, or standard output is gone.
pub async fn demo(arguments: DemoArguments, config: Config) -> anyhow::Result<()> {
    let zone = TimeZone::get(&time_zone(&config)).context("time_zone")?;
    let times = Times::new(arguments.date, arguments.days, zone.clone(), arguments.speed).context("--date")?;

    let broker = listen(arguments.listen.as_deref()).await?;
    let url = format!("mqtt://{}", broker.address());
    let config = settings(config, &url, arguments.speed);
    let mqtt = config.mqtt.clone();
    let clock = Clock::simulated(times.begin, arguments.speed);
    let (stop, stopped) = oneshot::channel();
    let stopped = async {
        // A sender that is dropped means the end too.
        let _ = stopped.await;
    };
    let service = service::run(Setup::new(config)?, clock, None, stopped, mpsc::channel(1).1, || {});
    tokio::pin!(service);
    let home = SimulatedHome::new(arguments.seed, site(), zone, times.begin);
    let session = Session::new(home, clock, &mqtt, times)?;
    let outcome = tokio::select! {
        ended = &mut service => ended.and_then(|()| anyhow::bail!("the scheduler ended by itself")),
        outcome = session.run(arguments.paints()) => outcome,
    };
    let _ = stop.send(());
    // A scheduler that failed has said so already.
    if outcome.is_ok() {
        service.await?;
    }
    broker.shutdown().await;
    outcome
}
