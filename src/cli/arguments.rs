//! How the program is called.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};

#[cfg(feature = "embedded-broker")]
use super::demo;
use super::replay;

/// Runs the appliances of a home when the sun pays for them.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Arguments {
    /// The configuration; without it: sunward.toml here, else /etc/sunward/sunward.toml, else the defaults.
    #[arg(short, long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(super) command: Option<Subcommands>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Subcommands {
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
    Replay(Box<replay::ReplayArguments>),
    /// Watch a simulated home for a day of five minutes: the real program, with sun and people made up.
    ///
    /// It brings its own broker and touches no other: nothing of yours is switched, and nothing is kept. On a terminal it
    /// paints the home, else it prints a line per hour and decision. Of a configuration only `[scheduler]` and
    /// `time_zone` count.
    #[cfg(feature = "embedded-broker")]
    Demo(demo::DemoArguments),
    /// Read a password from the standard input, and print the hash that `[broker.users]` wants.
    HashPassword,
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

/// The shortest and the longest time that anybody listens.
const LISTENING: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(86_400);

fn listening_time(text: &str) -> Result<Duration, String> {
    let time = text.parse().map(Duration::from_secs).ok().or_else(|| humantime::parse_duration(text).ok());
    time.filter(|time| LISTENING.contains(time)).ok_or_else(|| "expected 1s to 1day, such as 30s or 10m".into())
}
