//! The commands, one file each, and how the program is called.

pub mod ask;
pub mod check;
#[cfg(feature = "embedded-broker")]
pub mod demo;
pub mod listen;
mod recording;
pub mod replay;
pub mod run;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::client::Order;
use crate::config::{ConfigError, Loaded, load};

/// Runs the appliances of a home when the sun pays for them.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Arguments {
    /// The configuration; without it: sunward.toml here, else /etc/sunward/sunward.toml, else the defaults.
    #[arg(short, long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Subcommands>,
}

#[derive(Debug, Subcommand)]
enum Subcommands {
    /// Run the scheduler (the default).
    Run {
        /// Write everything that comes in to files in this folder, for `sunward replay`.
        #[arg(long, value_name = "FOLDER")]
        record: Option<PathBuf>,
    },
    /// Validate the configuration and print it with its sources; or listen to what the broker tells.
    Check {
        /// Connect, listen for so long, and print what came of every sensor and task and what of it will hurt.
        ///
        /// Nothing is published but the queries (query_topic) of configured devices, and a Sunward that runs is not
        /// disturbed. Status 0 if nothing showed that will hurt, 1 if something did or the broker can't be reached.
        #[arg(long, value_name = "TIME", num_args = 0..=1, default_missing_value = "30s", value_parser = listening_time)]
        listen: Option<Duration>,
    },
    /// Put a record of the past through the scheduler, and see what it would have done.
    Replay(Box<replay::Arguments>),
    /// Watch a simulated home for a day of five minutes: the real program, with sun and people made up.
    ///
    /// It brings its own broker and touches no other: nothing of yours is switched, and nothing is kept. On a terminal it
    /// paints the home, else it prints a line per hour and decision. Of a configuration only `[scheduler]` and
    /// `time_zone` count.
    #[cfg(feature = "embedded-broker")]
    Demo(demo::DemoArguments),
    /// What is running, and why.
    Status,
    /// No scheduling until `resume`; appliances stay as they are.
    Pause,
    /// Schedule again.
    Resume,
    /// Stop everything that may be stopped, then pause.
    StopAll,
    /// Run a cycle now.
    Schedule,
}

/// Starts the log, and makes a panic anywhere end the process: half a scheduler is worse than none, and the service manager
/// starts it again. Once per process.
pub fn begin(arguments: &Arguments) {
    let filter = EnvFilter::try_from_env("SUNWARD_LOG").unwrap_or_else(|_| EnvFilter::new(arguments.log_filter()));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    std::panic::set_hook(Box::new(|panic| {
        tracing::error!("unexpected failure: {panic}");
        std::process::abort();
    }));
}

impl Arguments {
    /// What is logged without `SUNWARD_LOG`. What the client library warns of, we say in plain words.
    fn log_filter(&self) -> &'static str {
        #[cfg(feature = "embedded-broker")]
        if let Some(Subcommands::Demo(demo)) = &self.command {
            // Its lines are on standard output already, and a painted screen has no room for others.
            let in_the_way = demo.paints() && std::io::stderr().is_terminal();
            return if in_the_way { "off" } else { "sunward=warn,mqtt5=error,rumqttc=error,warn" };
        }
        if matches!(self.command, Some(Subcommands::Replay(_))) {
            // What a recorded run says again of its broker is long over.
            return "sunward=error,warn";
        }
        "sunward=info,mqtt5=error,rumqttc=error,warn"
    }
}

/// Why the program ends with a status other than 0.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The configuration is wrong: status 2.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// The call, or what the configuration says for it, is wrong: status 2.
    #[error("{0:#}")]
    Call(anyhow::Error),
    /// Something failed while running: status 1.
    #[error("{0:#}")]
    Running(#[from] anyhow::Error),
}

impl Failure {
    /// The exit status.
    #[must_use]
    pub fn status(&self) -> u8 {
        match self {
            Self::Config(_) | Self::Call(_) => 2,
            Self::Running(_) => 1,
        }
    }

    /// Whoever read the output has had enough of it.
    #[must_use]
    pub fn is_broken_pipe(&self) -> bool {
        let Self::Running(error) = self else { return false };
        error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    }
}

/// Does what the arguments ask.
///
/// # Errors
/// What a person has to know, with the exit status.
pub fn execute(arguments: Arguments) -> Result<(), Failure> {
    let path = arguments.config.as_deref();
    let command = arguments.command.unwrap_or(Subcommands::Run { record: None });
    if matches!(command, Subcommands::Check { listen: None }) {
        return check::check(path, std::env::vars_os(), std::io::stdout().lock()).map_err(|error| match error {
            check::CheckError::Config(error) => Failure::Config(error),
            check::CheckError::Output(error) => Failure::Running(error.into()),
        });
    }
    let Loaded { setup, file, .. } = load(path, std::env::vars_os())?;
    if let Subcommands::Replay(arguments) = &command {
        return replay::replay(arguments, setup, path.is_some(), std::io::stdout().lock());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(anyhow::Error::from)?;
    let order = match command {
        Subcommands::Check { listen: Some(time) } => {
            return Ok(runtime.block_on(listen::listen(setup, time, std::io::stdout().lock()))?);
        }
        Subcommands::Run { record } => {
            setup.needs_broker()?;
            return Ok(runtime.block_on(run::run(setup, file, record.as_deref()))?);
        }
        // Done above.
        Subcommands::Check { listen: None } | Subcommands::Replay(_) => return Ok(()),
        #[cfg(feature = "embedded-broker")]
        Subcommands::Demo(arguments) => return Ok(runtime.block_on(demo::demo(arguments, setup.config))?),
        Subcommands::Status => return Ok(runtime.block_on(ask::status(setup, std::io::stdout().lock()))?),
        Subcommands::Pause => Order::Pause,
        Subcommands::Resume => Order::Resume,
        Subcommands::StopAll => Order::StopAll,
        Subcommands::Schedule => Order::Schedule,
    };
    Ok(runtime.block_on(ask::give(setup, order))?)
}

/// The shortest and the longest time that anybody listens.
const LISTENING: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(86_400);

fn listening_time(text: &str) -> Result<Duration, String> {
    let time = text.parse().map(Duration::from_secs).ok().or_else(|| humantime::parse_duration(text).ok());
    time.filter(|time| LISTENING.contains(time)).ok_or_else(|| "expected 1s to 1day, such as 30s or 10m".into())
}
