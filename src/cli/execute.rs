//! From the arguments to the command that does what they ask.

use std::io::StdoutLock;

use super::arguments::{Arguments, Subcommands};
#[cfg(feature = "embedded-broker")]
use super::demo;
use super::failure::Failure;
use super::{ask, check, hash_password, listen, replay, run};
use crate::client::Order;
use crate::config::{Loaded, load};
use crate::text::PlainLines;

/// Where people read.
fn output() -> PlainLines<StdoutLock<'static>> {
    PlainLines(std::io::stdout().lock())
}

/// Does what the arguments ask.
///
/// # Errors
/// When the command fails; the message is for people, and [`Failure::status`] is the exit status.
pub fn execute(arguments: Arguments) -> Result<(), Failure> {
    let path = arguments.config.as_deref();
    let command = arguments.command.unwrap_or(Subcommands::Run { record: None });
    if matches!(command, Subcommands::Check { listen: None }) {
        return check::check(path, std::env::vars_os(), output()).map_err(|error| match error {
            check::CheckError::Config(error) => Failure::Config(error),
            check::CheckError::Output(error) => Failure::Running(error.into()),
        });
    }
    if matches!(command, Subcommands::HashPassword) {
        return Ok(hash_password::hash_password(std::io::stdin().lock(), std::io::stdout().lock())?);
    }
    let Loaded { setup, file, .. } = load(path, std::env::vars_os())?;
    if let Subcommands::Replay(arguments) = &command {
        return replay::replay(arguments, setup, path.is_some(), output());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(anyhow::Error::from)?;
    let order = match command {
        Subcommands::Check { listen: Some(time) } => {
            return Ok(runtime.block_on(listen::listen(setup, time, output()))?);
        }
        Subcommands::Run { record } => {
            setup.needs_broker()?;
            return Ok(runtime.block_on(run::run(setup, path, file, record.as_deref()))?);
        }
        // Done above.
        Subcommands::Check { listen: None } | Subcommands::HashPassword | Subcommands::Replay(_) => return Ok(()),
        #[cfg(feature = "embedded-broker")]
        Subcommands::Demo(arguments) => return Ok(runtime.block_on(demo::demo(arguments, setup.config))?),
        Subcommands::Status => return Ok(runtime.block_on(ask::status(setup, output()))?),
        Subcommands::Pause => Order::Pause,
        Subcommands::Resume => Order::Resume,
        Subcommands::StopAll => Order::StopAll,
        Subcommands::Schedule => Order::Schedule,
    };
    Ok(runtime.block_on(ask::give(setup, order))?)
}
