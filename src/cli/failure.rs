//! Why a command fails, and the exit status that says so.

use crate::config::ConfigError;

/// Why the program ends with a status other than 0.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The configuration is wrong: status 2.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// The call, or what the configuration says for it, is wrong: status 2.
    #[error("{0:#}")]
    Call(anyhow::Error),
    /// Something failed while running: status 1.
    #[error("{0:#}")]
    Running(#[from] anyhow::Error),
}

impl Failure {
    /// Returns the exit status.
    #[must_use]
    pub fn status(&self) -> u8 {
        match self {
            Self::Config(_) | Self::Call(_) => 2,
            Self::Running(_) => 1,
        }
    }

    /// Returns whether the reader of standard output is gone, as in `sunward check | head`.
    #[must_use]
    pub fn is_broken_pipe(&self) -> bool {
        let Self::Running(error) = self else { return false };
        error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    }
}
