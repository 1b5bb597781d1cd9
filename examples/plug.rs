//! A smart plug that isn't there: registers itself, follows start and stop, and tells its state.
//!
//! ```sh
//! cargo run --example plug -- --id heater --power 2000 --url mqtt://127.0.0.1:1883
//! ```

#![allow(clippy::print_stdout, reason = "an example talks to whoever tries it")]

use clap::Parser;
use sunward::client::{Registration, State, TaskClient, TaskCommand, TaskId};
use sunward::config::Mqtt;
use sunward::units::Watts;

/// A smart plug, simulated.
#[derive(Parser)]
struct Arguments {
    /// Its name on the broker: letters, digits, _ and -.
    #[arg(long, default_value = "plug")]
    id: TaskId,
    /// What the appliance in it uses, in watts.
    #[arg(long, default_value_t = 1000.0)]
    power: f64,
    /// The broker.
    #[arg(long, default_value = "mqtt://127.0.0.1:1883")]
    url: String,
    /// Takes the registration back at the end.
    #[arg(long)]
    unregister: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let power = Watts(arguments.power);
    let mqtt = Mqtt { url: Some(arguments.url), ..Mqtt::default() };

    let mut plug = TaskClient::register(&mqtt, arguments.id, Registration::new(power))?;
    plug.publish_state(state(false, power))?;
    println!("{} of {power}: registered, off. Ctrl-C ends it.", plug.id());

    loop {
        tokio::select! {
            command = plug.next() => match command {
                Some(TaskCommand::Start) => switch(&plug, true, power)?,
                Some(TaskCommand::Stop) => switch(&plug, false, power)?,
                // Only tasks with `auto_adjust` and `max_power` get set-points; a plug is on or off.
                Some(TaskCommand::Setpoint(_)) => {}
                None => return Ok(()),
            },
            interrupted = tokio::signal::ctrl_c() => {
                interrupted?;
                break;
            }
        }
    }
    let confirmed = if arguments.unregister { plug.unregister().await } else { plug.close().await };
    if !confirmed {
        println!("the broker was away and doesn't know that the plug is gone");
    }
    Ok(())
}

fn switch(plug: &TaskClient, on: bool, power: Watts) -> anyhow::Result<()> {
    println!("{}", if on { "on" } else { "off" });
    plug.publish_state(state(on, power))?;
    Ok(())
}

/// A plug that measures: what it uses is part of its state.
fn state(on: bool, power: Watts) -> State {
    let mut state = State::running(on);
    state.usage = Some(if on { power } else { Watts::ZERO });
    state
}
