//! The program: parses the command line, starts tracing, prints the error, chooses the exit status.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let arguments = sunward::cli::Arguments::parse();
    let filter = EnvFilter::try_from_env("SUNWARD_LOG").unwrap_or_else(|_| EnvFilter::new(arguments.log_filter()));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    end_on_panic();
    match sunward::cli::execute(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        // `sunward check | head` is nobody's mistake.
        Err(failure) if failure.is_broken_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            // Nobody may be there to read it; the status tells all the same.
            let _ = writeln!(std::io::stderr(), "error: {failure}");
            ExitCode::from(failure.status())
        }
    }
}

/// Half a scheduler is worse than none: a panic in any task ends the process, for the service manager to start it again.
fn end_on_panic() {
    std::panic::set_hook(Box::new(|panic| {
        tracing::error!("unexpected failure: {panic}");
        std::process::abort();
    }));
}
