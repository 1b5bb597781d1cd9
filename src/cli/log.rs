//! What the program logs, to standard error.

use std::fmt;
use std::io::IsTerminal as _;

use tracing::field::Field;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::fmt::format;

use super::arguments::{Arguments, Subcommands};
use crate::text::Escaped;

/// Starts the log, and makes a panic in any thread end the process: half a scheduler is worse than none, and the service
/// manager starts it again. To be called once per process.
pub fn begin(arguments: &Arguments) {
    let filter = EnvFilter::try_from_env("SUNWARD_LOG").unwrap_or_else(|_| EnvFilter::new(arguments.log_filter()));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal())
        .fmt_fields(format::debug_fn(field).delimited(" "))
        .init();
    std::panic::set_hook(Box::new(|panic| {
        tracing::error!("unexpected failure: {panic}");
        std::process::abort();
    }));
}

/// Writes a field: the message, or `name=value`. Much of it quotes what somebody else sent: it stays on its line.
fn field(out: &mut format::Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    let value = format!("{value:?}");
    match field.name() {
        "message" => write!(out, "{}", Escaped(&value)),
        name => write!(out, "{name}={}", Escaped(&value)),
    }
}

impl Arguments {
    /// Returns what is logged without `SUNWARD_LOG`. What the client library warns of, Sunward says in plain words.
    fn log_filter(&self) -> &'static str {
        #[cfg(feature = "embedded-broker")]
        if let Some(Subcommands::Demo(demo)) = &self.command {
            // Its lines are on standard output already, and a painted screen has no room for others.
            let in_the_way = demo.paints() && std::io::stderr().is_terminal();
            return if in_the_way { "off" } else { "sunward=warn,rumqttc=error,warn" };
        }
        if matches!(self.command, Some(Subcommands::Replay(_))) {
            // What happened to the broker of a recorded run is long over.
            return "sunward=error,warn";
        }
        "sunward=info,rumqttc=error,warn"
    }
}
