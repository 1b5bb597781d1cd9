//! The appliances of the simulated home as tasks on the broker: each registers itself, publishes its state, and receives
//! commands.
//!
//! Knows no physics: it carries commands to the home and states from it.

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::registration::registration;
use crate::client::{InvalidTaskId, State, TaskClient, TaskCommand, TaskId};
use crate::config::Mqtt;
use crate::simulate::{Appliance, ApplianceStatus};

/// Commands that may wait for the home. With more, the plugs wait until there is room.
const MOST_COMMANDS: usize = 64;

/// All plugs.
pub(super) struct Plugs {
    /// What the scheduler commands.
    pub(super) commands: mpsc::Receiver<(Appliance, TaskCommand)>,
    states: Vec<watch::Sender<State>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Plugs {
    /// Registers every appliance.
    ///
    /// # Errors
    /// When the settings of the connection mean nothing.
    pub(super) fn new(mqtt: &Mqtt, status: impl Fn(Appliance) -> ApplianceStatus) -> anyhow::Result<Self> {
        let (sender, commands) = mpsc::channel(MOST_COMMANDS);
        let (mut states, mut tasks) = (Vec::new(), Vec::new());
        for which in Appliance::ALL {
            let id: TaskId = which.name().parse().map_err(|problem: InvalidTaskId| anyhow::anyhow!(problem))?;
            let task = TaskClient::register(mqtt, id, registration(which))?;
            let (state, changes) = watch::channel(state(&status(which)));
            tasks.push(tokio::spawn(serve(which, task, sender.clone(), changes)));
            states.push(state);
        }
        Ok(Self { commands, states, tasks })
    }

    /// Publishes the status of an appliance.
    pub(super) fn publish(&self, which: Appliance, status: &ApplianceStatus) {
        self.states[which.index()].send_replace(state(status));
    }

    /// Closes the connections of all plugs.
    pub(super) async fn close(self) {
        drop(self.states);
        for task in self.tasks {
            // One that failed has nothing more to say.
            let _ = task.await;
        }
    }
}

/// One plug: publishes every state and passes every command on, until either end is closed.
async fn serve(
    which: Appliance,
    mut task: TaskClient,
    commands: mpsc::Sender<(Appliance, TaskCommand)>,
    mut states: watch::Receiver<State>,
) {
    states.mark_changed();
    loop {
        tokio::select! {
            command = task.next() => match command {
                Some(command) if commands.send((which, command)).await.is_ok() => {}
                _ => break,
            },
            changed = states.changed() => {
                if changed.is_err() {
                    break;
                }
                let state = states.borrow_and_update().clone();
                if let Err(problem) = task.publish_state(state) {
                    tracing::warn!("{}: {problem}", task.id());
                }
            }
        }
    }
    // Whether the broker noticed doesn't matter: it ends with the demo.
    let _ = task.close().await;
}

fn state(status: &ApplianceStatus) -> State {
    let mut state = State::running(status.running);
    state.runnable = Some(status.runnable);
    state.stoppable = Some(status.stoppable);
    state.desc = Some(status.note.clone());
    if let Some((name, value)) = status.measured {
        state.other.insert(name.to_owned(), value.into());
    }
    state
}
