//! The pure core, driven by hand: no broker, no clock, no configuration. What goes in are events and the time, what comes
//! out are instructions.
//!
//! ```sh
//! cargo run --example embed_scheduler
//! ```

#![allow(clippy::print_stdout, reason = "an example talks to whoever tries it")]

use std::time::Duration;

use sunward::core::{Event, Instant, Now, Registration, Scheduler, Settings, Source, TaskId, TaskState};
use sunward::units::{Quantity, Watts};

fn main() -> anyhow::Result<()> {
    // The caller owns the time. Here a cycle is a minute, and no time passes between two lines.
    let mut now = Now { at: Instant::START, wall: "2026-06-21T10:00:00Z".parse()? };
    let mut scheduler = Scheduler::new(Settings::default(), now);

    // A boiler of 2 kW announces itself, and says that it is off.
    let boiler = TaskId::new("boiler")?;
    let registration = Registration { keys: vec!["boiler".into()], ..Registration::new(&boiler, Watts(2000.0)) };
    scheduler.handle(Event::Registered(boiler.clone(), Box::new(registration)), now)?;
    scheduler.handle(Event::State(boiler.clone(), Box::new(TaskState::plain(false))), now)?;

    // Three minutes of sun, then a cloud: net is negative while the home exports.
    for net in [-2500.0, -2500.0, -500.0, 1600.0, 1600.0, 1600.0] {
        let running = scheduler.state(&boiler).is_some_and(|state| state.running);
        let used = if running { 2000.0 } else { 0.0 };
        let values = vec![("net".into(), Quantity(net)), ("boiler".into(), Quantity(used))];
        scheduler.handle(Event::Power { source: Source::Meter, values, measured: None }, now)?;
        scheduler.cycle(now);

        // Whatever the scheduler decided is handed out in order. Here each command is obeyed at once.
        while let Some(instruction) = scheduler.next_instruction() {
            if let Some(decision) = instruction.decision() {
                println!("{} {decision}", now.wall.strftime("%H:%M"));
                let running = decision.action == sunward::core::Action::Start;
                scheduler.handle(Event::State(decision.task, Box::new(TaskState::plain(running))), now)?;
            }
        }
        let view = scheduler.task(&boiler, now);
        println!("{} boiler: {}", now.wall.strftime("%H:%M"), view.map(|view| view.reason).unwrap_or_default());
        now = now + Duration::from_secs(60);
    }
    Ok(())
}
