//! The appliances of the simulated home as tasks on the broker: each registers itself, tells its state, and is told.
//!
//! Refuses to know physics: it carries commands to the home and states from it.

use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::client::{
    ClientError, Command, Criteria, Criterion, Daily, InvalidTaskId, Priority, Registration, State, Task, TaskId,
};
use crate::config::Mqtt;
use crate::simulate::{Appliance, Status};
use crate::units::Watts;

/// Commands that may wait for the home; a plug that has to wait answers later.
const WAITING: usize = 64;

/// What `docs/tasks.md` recommends where an evening is the deadline.
const BY_EVENING: [&str; 2] =
    ["ratio >= 0.9 or (now.hour >= 13 and ratio >= 0.4)", "ratio >= 0.4 or (now.hour >= 13 and ratio >= 0.2)"];

/// All plugs, and what the scheduler wants of them.
pub(super) struct Plugs {
    pub(super) commands: mpsc::Receiver<(Appliance, Command)>,
    states: Vec<watch::Sender<State>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Plugs {
    /// Registers every appliance.
    pub(super) fn new(mqtt: &Mqtt, status: impl Fn(Appliance) -> Status) -> anyhow::Result<Self> {
        let (sender, commands) = mpsc::channel(WAITING);
        let (mut states, mut tasks) = (Vec::new(), Vec::new());
        for which in Appliance::ALL {
            let id: TaskId = which.name().parse().map_err(|problem: InvalidTaskId| anyhow::anyhow!(problem))?;
            let task = Task::register(mqtt, id, registration(which))?;
            let (state, told) = watch::channel(state(&status(which)));
            tasks.push(tokio::spawn(follow(which, task, sender.clone(), told)));
            states.push(state);
        }
        Ok(Self { commands, states, tasks })
    }

    /// An appliance is so now.
    pub(super) fn tell(&self, which: Appliance, status: &Status) {
        self.states[which.index()].send_replace(state(status));
    }

    /// All of them say good-bye.
    pub(super) async fn close(self) {
        drop(self.states);
        for task in self.tasks {
            // One that failed has nothing more to say.
            let _ = task.await;
        }
    }
}

async fn follow(
    which: Appliance,
    mut task: Task,
    commands: mpsc::Sender<(Appliance, Command)>,
    mut told: watch::Receiver<State>,
) {
    let tell = |task: &Task, state: State| -> Result<(), ClientError> { task.publish_state(state) };
    if let Err(problem) = tell(&task, told.borrow_and_update().clone()) {
        tracing::warn!("{}: {problem}", task.id());
    }
    loop {
        tokio::select! {
            command = task.next() => match command {
                Some(command) if commands.send((which, command)).await.is_ok() => {}
                _ => break,
            },
            changed = told.changed() => {
                if changed.is_err() {
                    break;
                }
                let state = told.borrow_and_update().clone();
                if let Err(problem) = tell(&task, state) {
                    tracing::warn!("{}: {problem}", task.id());
                }
            }
        }
    }
    // Whether the broker noticed doesn't matter: it ends with the demo.
    let _ = task.close().await;
}

fn state(status: &Status) -> State {
    let mut state = State::running(status.running);
    state.runnable = Some(status.runnable);
    state.stoppable = Some(status.stoppable);
    state.desc = Some(status.note.clone());
    if let Some((name, value)) = status.fact {
        state.other.insert(name.to_owned(), value.into());
    }
    state
}

/// How each appliance is offered to the scheduler: as a home owner would.
fn registration(which: Appliance) -> Registration {
    let minutes = |minutes: u64| Some(Duration::from_secs(60 * minutes));
    let when = |start: &str, keep: &str| {
        let [start, keep] = [start, keep].map(|text| Some(Criterion::Expression(text.to_owned())));
        Some(Criteria { start, keep })
    };
    let mut task = Registration::new(Watts(match which {
        Appliance::Boiler | Appliance::Dishwasher => 2000.0,
        Appliance::Ev => 1380.0,
        Appliance::Pool => 1100.0,
        Appliance::Washer => 2050.0,
    }));
    task.keys = vec![which.name().to_owned()];
    match which {
        Appliance::Boiler => {
            task.name = Some("Hot water".into());
            task.priority = Some(Priority::High);
            // Nobody showers cold, sun or no sun: what a cloud takes now, the evening would buy.
            task.criteria = when("ratio >= 0.9 or state.temperature < 42", "ratio >= 0.4 or state.temperature < 46");
            (task.min_on, task.min_off) = (minutes(10), minutes(5));
        }
        Appliance::Ev => {
            task.name = Some("Car".into());
            task.priority = Some(Priority::Medium);
            task.max_power = Some(Watts(7360.0));
            task.auto_adjust = Some(true);
            task.min_on = minutes(10);
            task.criteria = when("ratio >= 1 or state.soc < 20", "ratio >= 0.4 or state.soc < 25");
        }
        Appliance::Pool => {
            task.name = Some("Pool pump".into());
            (task.min_on, task.min_off) = (minutes(30), minutes(5));
            task.criteria = when(BY_EVENING[0], BY_EVENING[1]);
            let [on_for, max] = [5, 7].map(|hours| Duration::from_secs(3600 * hours));
            task.daily = Some(Daily { on_for, by: "21:00".into(), max: Some(max) });
        }
        Appliance::Dishwasher | Appliance::Washer => {
            let (name, hour) = if which == Appliance::Washer { ("Laundry", 20) } else { ("Dishes", 22) };
            task.name = Some(name.into());
            task.priority = Some(Priority::Medium);
            task.interruptible = Some(false);
            // Clean by the next morning.
            task.criteria = when(&format!("{} or now.hour >= {hour}", BY_EVENING[0]), "true");
        }
    }
    task
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{self, by_importance};
    use crate::wire;

    #[test]
    fn the_ledger_serves_first_whom_the_scheduler_holds_important() {
        let mut offered = Appliance::ALL.map(|which| {
            let id = core::TaskId::new(which.name()).unwrap();
            let json = serde_json::to_vec(&registration(which)).unwrap();
            let registration = wire::registration(&id, &json, &core::Criteria::default()).unwrap().registration;
            (which, id, registration)
        });
        offered.sort_by(|(_, id, registration), (_, other, their)| by_importance((id, registration), (other, their)));
        assert_eq!(offered.map(|(which, ..)| which), Appliance::BY_IMPORTANCE);
    }
}
