//! `sunward check --listen 30s`: connects, listens, and prints what came and what of it will hurt.
//!
//! Nothing is published but the questions (`query_topic`) of configured devices that don't publish their state by
//! themselves, and to take the place of a Sunward that runs: its client id is another.

use std::io::Write;
use std::time::Duration;

use anyhow::bail;

use crate::config::Setup;
use crate::diagnosis::Listener;
use crate::mqtt::{Handle, Inbox, Incoming, Outgoing, connect};
use crate::service::Clock;

/// The broker must let us in within this time.
const PATIENCE: Duration = Duration::from_secs(10);

/// Listens for so long, and prints what came of it.
///
/// # Errors
/// When the broker can't be reached, and when something will hurt.
pub async fn listen(setup: Setup, time: Duration, mut out: impl Write) -> anyhow::Result<()> {
    let clock = Clock::default();
    let options = setup.connection.clone().with_client_id_suffix(format_args!("check-{}", std::process::id()));
    let broker = options.broker();
    let mut listener = Listener::new(setup, clock.now().at);
    let (handle, mut inbox, connection) = connect(options, listener.filters(), None)?;
    subscribe(&mut listener, &mut inbox, clock, &broker).await?;
    writeln!(out, "Listening to {broker} for {}, Ctrl-C ends it earlier.\n", humantime::format_duration(time))?;
    out.flush()?;
    receive(&mut listener, &mut inbox, &handle, clock, time).await;
    // All has been received: how the connection ends doesn't matter.
    let _ = handle.close(Vec::new()).await;
    drop(connection);
    let diagnosis = listener.end(clock.now());
    write!(out, "{diagnosis}")?;
    match diagnosis.problems.len() {
        0 => Ok(()),
        1 => bail!("one thing will hurt"),
        problems => bail!("{problems} things will hurt"),
    }
}

/// Waits until the broker has answered every subscription. What it kept comes meanwhile.
async fn subscribe(listener: &mut Listener, inbox: &mut Inbox, clock: Clock, broker: &str) -> anyhow::Result<()> {
    let answered = async {
        loop {
            match inbox.next().await {
                Some(Incoming::Subscribed) => return Ok(()),
                // The reason begins with the broker's address.
                Some(Incoming::Disconnected { reason }) => bail!("can't connect to {reason}"),
                Some(other) => take(listener, other, clock),
                None => bail!("the MQTT connection ended by itself"),
            }
        }
    };
    let no_answer = || Err(anyhow::anyhow!("can't connect to {broker}: no answer"));
    tokio::time::timeout(PATIENCE, answered).await.unwrap_or_else(|_| no_answer())?;
    listener.subscribed(clock.now().at);
    Ok(())
}

async fn receive(listener: &mut Listener, inbox: &mut Inbox, handle: &Handle, clock: Clock, time: Duration) {
    let over = tokio::time::sleep(time);
    tokio::pin!(over);
    loop {
        while let Some(question) = listener.next_question() {
            if let Err(problem) = handle.publish(Outgoing::event(question.topic, question.payload)) {
                listener.refused(problem.to_string());
            }
        }
        tokio::select! {
            () = &mut over => return,
            _ = tokio::signal::ctrl_c() => return,
            incoming = inbox.next() => match incoming {
                Some(incoming) => take(listener, incoming, clock),
                None => return,
            },
            () = clock.until(listener.next_wakeup()) => listener.wake(clock.now().at),
        }
    }
}

fn take(listener: &mut Listener, incoming: Incoming, clock: Clock) {
    match incoming {
        Incoming::Message(message) => {
            listener.receive(&message.topic, &message.payload, message.retain, clock.now());
        }
        Incoming::Subscribed => listener.subscribed(clock.now().at),
        Incoming::Refused { what } => listener.refused(what),
        Incoming::Disconnected { reason } => listener.refused(format!("the connection was lost: {reason}")),
        Incoming::Dropped { count, loudest } => listener
            .refused(format!("{count} messages came faster than they could be taken, most of them on {loudest}")),
        Incoming::ClientIdConflict { .. }
        | Incoming::Connected { .. }
        | Incoming::CommandSent { .. }
        | Incoming::Answered => {}
    }
}
