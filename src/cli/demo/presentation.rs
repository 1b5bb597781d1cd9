//! Where the demo is shown: painted on a terminal, or written as lines.

use std::io;

use super::lines::Lines;
use super::screen::{KeyCommand, Picture, Screen};
use super::times::Times;

/// One of the two.
pub(super) enum Presentation {
    Screen(Screen),
    Lines(Lines),
}

impl Presentation {
    /// Begins to show.
    ///
    /// # Errors
    /// When standard output is gone.
    pub(super) fn begin(paints: bool, times: &Times, broker: &str) -> io::Result<Self> {
        Ok(if paints { Self::Screen(Screen::enter()?) } else { Self::Lines(Lines::begin(times, broker)?) })
    }

    /// Waits for the next key that means something; without a keyboard for ever.
    ///
    /// Cancel safe.
    pub(super) async fn key(&mut self) -> KeyCommand {
        match self {
            Self::Screen(screen) => screen.key().await,
            Self::Lines(_) => std::future::pending().await,
        }
    }

    /// Ends the presentation. The last picture of a screen stays in the terminal.
    ///
    /// # Errors
    /// When standard output is gone.
    pub(super) fn end(self, last: &Picture<'_>) -> io::Result<()> {
        match self {
            Self::Screen(screen) => screen.leave(last),
            Self::Lines(_) => Ok(()),
        }
    }
}
