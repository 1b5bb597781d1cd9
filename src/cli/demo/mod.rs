//! `sunward demo`: the real program with a simulated home around it. The broker, the bridge, every message and every
//! task are those of a lived-in home; only sun, people and time are made up.
//!
//! Refuses to show anything that an MQTT client couldn't know of the scheduler: it listens like one.

mod chart;
mod day;
mod house;
mod lines;
mod picture;
mod plugs;
mod seen;
mod summary;
mod terminal;
mod text;

use std::io::IsTerminal as _;
use std::time::Duration;

use anyhow::Context as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use tokio::sync::oneshot;

use crate::config::{Config, Mqtt, Setup};
use crate::mqtt::broker::{self, BrokerError, Embedded};
use crate::service::{self, Clock};
use crate::simulate::Home;
use crate::sun::{Panels, Site};
use crate::units::Watts;

use house::House;

/// Where everybody expects a broker, so that other programs find it without being told.
const USUAL: &str = "127.0.0.1:1883";

/// A seed whose day has some of everything: sun, cumulus, and hours without either.
const CLOUDY: u64 = 48;

/// A day begins when the sun rises in June.
const BEGIN: i8 = 5;

/// A computer that is busy for so long is no dead meter.
const HICCUP: Duration = Duration::from_secs(5);

/// How the demo is called.
#[derive(Debug, clap::Args)]
pub struct DemoArguments {
    /// How many times faster time goes by; 288 makes a day of five minutes.
    #[arg(long, default_value_t = 288.0, value_parser = speed, value_name = "FACTOR")]
    speed: f64,
    /// Another number brings other clouds and other habits.
    #[arg(long, default_value_t = CLOUDY, value_name = "NUMBER")]
    seed: u64,
    /// The day to begin with.
    #[arg(long, default_value = "2026-06-21", value_name = "YYYY-MM-DD")]
    date: Date,
    /// So many days are lived.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=366), value_name = "DAYS")]
    days: u16,
    /// Where its broker listens [default: 127.0.0.1:1883, or any free port if that is taken]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(speed) if (1.0..=3600.0).contains(&speed) => Ok(speed),
        _ => Err("expected a number from 1 to 3600".into()),
    }
}

impl DemoArguments {
    /// Whether it will paint on the terminal rather than print lines.
    #[must_use]
    pub fn paints(&self) -> bool {
        std::io::stdout().is_terminal()
    }
}

/// Lives the days that were asked for, or until somebody ends it.
///
/// # Errors
/// When the broker can't listen, or standard output is gone.
pub async fn demo(arguments: DemoArguments, config: Config) -> anyhow::Result<()> {
    let zone = TimeZone::get(&time_zone(&config)).context("time_zone")?;
    let begin = arguments.date.at(BEGIN, 0, 0, 0).to_zoned_datetime(zone.clone()).context("--date")?.timestamp();
    let end = arguments.date.checked_add(i32::from(arguments.days).days()).context("--date")?;
    let end = end.at(BEGIN, 0, 0, 0).to_zoned_datetime(zone.clone()).context("--date")?.timestamp();

    let broker = listen(arguments.listen.as_deref()).await?;
    let url = format!("mqtt://{}", broker.address());
    let config = settings(config, &url, arguments.speed);
    let mqtt = config.mqtt.clone();
    let clock = Clock::simulated(begin, arguments.speed);
    let (stop, stopped) = oneshot::channel();
    let stopped = async {
        // Whoever drops the sender wants the end too.
        let _ = stopped.await;
    };
    let bridge = service::run(Setup::new(config)?, clock, None, stopped, || {});
    tokio::pin!(bridge);
    let home = Home::new(arguments.seed, site(), zone.clone(), begin);
    let house = House::new(home, clock, &mqtt, Times { begin, end, zone, speed: arguments.speed })?;
    let lived = tokio::select! {
        ended = &mut bridge => ended.and_then(|()| anyhow::bail!("the scheduler ended by itself")),
        lived = house.live(arguments.paints()) => lived,
    };
    let _ = stop.send(());
    // A scheduler that failed has said so already.
    if lived.is_ok() {
        bridge.await?;
    }
    broker.shutdown().await;
    lived
}

/// From when to when, where, and how fast.
#[derive(Debug, Clone)]
struct Times {
    begin: Timestamp,
    end: Timestamp,
    zone: TimeZone,
    speed: f64,
}

impl Times {
    /// The begin of the day of the demo that a time belongs to.
    fn day_of(&self, time: Timestamp) -> Timestamp {
        let days = time.duration_since(self.begin).as_hours().div_euclid(24);
        self.begin + SignedDuration::from_hours(24 * days)
    }
}

/// Where the simulated home stands, unless the configuration says in which time zone.
fn time_zone(config: &Config) -> String {
    const HERE: &str = "Europe/Berlin";
    let home = config.time_zone.clone();
    // A computer without time zone data has a demo all the same.
    home.unwrap_or_else(|| if TimeZone::get(HERE).is_ok() { HERE } else { "UTC" }.to_owned())
}

/// A roof in Berlin that looks to the morning and to the afternoon.
fn site() -> Site {
    let panels = |azimuth| Panels { azimuth, tilt: 30.0, peak_power: Watts(3500.0) };
    Site { latitude: 52.5, longitude: 13.4, panels: vec![panels(120.0), panels(210.0)] }
}

/// The scheduler's settings are those of the configuration; broker and meter are the demo's own.
fn settings(config: Config, url: &str, speed: f64) -> Config {
    let time_zone = Some(time_zone(&config));
    let mut scheduler = config.scheduler;
    scheduler.max_record_gap = scheduler.max_record_gap.max(HICCUP.mul_f64(speed));
    Config { mqtt: Mqtt { url: Some(url.to_owned()), ..Mqtt::default() }, scheduler, time_zone, ..Config::default() }
}

async fn listen(address: Option<&str>) -> anyhow::Result<Embedded> {
    let limit = Mqtt::default().max_packet_size;
    let Some(address) = address else {
        return Ok(match broker::start(USUAL, None, limit).await {
            Err(BrokerError::InUse { .. }) => broker::start("127.0.0.1:0", None, limit).await?,
            started => started?,
        });
    };
    match broker::start(address, None, limit).await {
        Err(BrokerError::InUse { address, .. }) => {
            anyhow::bail!("--listen: {address} is in use; left out, it is any free port of this computer")
        }
        // Here its address comes from the call.
        started => started.map_err(|problem| {
            let problem = problem.to_string();
            anyhow::anyhow!("--listen: {}", problem.trim_start_matches("broker.listen: "))
        }),
    }
}
