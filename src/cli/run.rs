//! `sunward run`: the scheduler, until a signal ends it. Another signal, SIGHUP, has it read its configuration again.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sd_notify::NotifyState;
use tokio::sync::mpsc;

use crate::config::{Loaded, Setup, load};
use crate::service::{self, Clock, Recorder};

/// Runs until SIGINT or SIGTERM. `path`: the file that somebody named; `file`: the one that was read.
///
/// # Errors
/// When it can't start.
pub async fn run(
    setup: Setup,
    path: Option<&Path>,
    file: Option<PathBuf>,
    record: Option<&Path>,
) -> anyhow::Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    match file {
        Some(file) => tracing::info!("Sunward {version}, configured by {}", file.display()),
        None => tracing::info!("Sunward {version}, with the defaults: no configuration file was found"),
    }
    let recorder = record.map(|folder| Recorder::new(folder).with_context(|| format!("--record {}", folder.display())));
    let recorder = recorder.transpose()?;
    let (sender, reloads) = mpsc::channel(1);
    // A terminal that is closed takes with it what runs in it. A service has none.
    if std::io::stderr().is_terminal() {
        return service::run(setup, Clock::default(), recorder, end(), reloads, ready).await;
    }
    let shutdown = async {
        tokio::select! {
            () = asked_to_end() => {}
            () = reload_whenever_asked(path, sender) => {}
        }
    };
    service::run(setup, Clock::default(), recorder, shutdown, reloads, ready).await
}

fn ready() {
    // Without a service manager, nobody waits for this.
    let _ = sd_notify::notify(&[NotifyState::Ready]);
}

/// Hands on the configuration with every SIGHUP, if it can be meant. Never done.
async fn reload_whenever_asked(path: Option<&Path>, sender: mpsc::Sender<Setup>) {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut hangups) = signal(SignalKind::hangup()) {
            while hangups.recv().await.is_some() {
                let mut state = vec![NotifyState::Reloading];
                state.extend(NotifyState::monotonic_usec_now());
                let _ = sd_notify::notify(&state);
                match read_again(path) {
                    // Where nobody takes it any more the program ends.
                    Ok(setup) => drop(sender.send(setup).await),
                    Err(problem) => {
                        tracing::error!("the configuration stays as it was: {problem}");
                        ready();
                    }
                }
            }
        }
    }
    std::future::pending().await
}

fn read_again(path: Option<&Path>) -> Result<Setup, crate::config::ConfigError> {
    let Loaded { setup, .. } = load(path, std::env::vars_os())?;
    setup.needs_broker()?;
    Ok(setup)
}

/// Done when somebody asks the program to end, or its terminal is closed.
pub(super) async fn end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut hangups) = signal(SignalKind::hangup()) {
            tokio::select! {
                _ = hangups.recv() => {}
                () = asked_to_end() => {}
            }
            return;
        }
    }
    asked_to_end().await;
}

/// Done when somebody asks the program to end.
async fn asked_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
