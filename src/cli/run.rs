//! `sunward run`: the scheduler, until a signal ends it.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::config::Setup;
use crate::service::{self, Clock, Recorder};

/// Runs until SIGINT or SIGTERM.
///
/// # Errors
/// When it can't start.
pub async fn run(setup: Setup, file: Option<PathBuf>, record: Option<&Path>) -> anyhow::Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    match file {
        Some(file) => tracing::info!("Sunward {version}, configured by {}", file.display()),
        None => tracing::info!("Sunward {version}, with the defaults: no configuration file was found"),
    }
    let recorder = record.map(|folder| Recorder::new(folder).with_context(|| format!("--record {}", folder.display())));
    let recorder = recorder.transpose()?;
    let ready = || {
        // Without a service manager, nobody waits for this.
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    };
    service::run(setup, Clock::default(), recorder, end(), ready).await
}

/// Done when somebody asks the program to end.
pub(super) async fn end() {
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
