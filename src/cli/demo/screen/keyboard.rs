//! The keys that mean something while the demo paints.

use std::io;
use std::time::Duration;

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyModifiers};
use tokio::sync::mpsc;

/// Keys that may wait. With more, the thread waits until there is room.
const MOST_KEYS: usize = 16;

/// The thread looks this often whether it is still needed.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// What somebody asks for with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli::demo) enum KeyCommand {
    PauseOrResume,
    Quit,
}

/// Reads keys until it is dropped.
pub(super) struct Keyboard {
    commands: mpsc::Receiver<KeyCommand>,
}

impl Keyboard {
    /// Reads from a terminal that is in raw mode.
    pub(super) fn new() -> Self {
        let (sender, commands) = mpsc::channel(MOST_KEYS);
        std::thread::spawn(move || {
            while !sender.is_closed() {
                match next_command() {
                    Ok(Some(command)) if sender.blocking_send(command).is_err() => return,
                    Ok(_) => {}
                    Err(_) => return,
                }
            }
        });
        Self { commands }
    }

    /// Waits for the next command. A terminal that can't be read any more asks to quit: in raw mode not even Ctrl-C would
    /// end the demo.
    ///
    /// Cancel safe.
    pub(super) async fn next(&mut self) -> KeyCommand {
        self.commands.recv().await.unwrap_or(KeyCommand::Quit)
    }
}

fn next_command() -> io::Result<Option<KeyCommand>> {
    if !event::poll(POLL_INTERVAL)? {
        return Ok(None);
    }
    Ok(match event::read()? {
        Event::Key(key) if key.is_press() => command(key),
        _ => None,
    })
}

fn command(key: KeyEvent) -> Option<KeyCommand> {
    match key.code {
        KeyCode::Char('c' | 'C') if key.modifiers.contains(KeyModifiers::CONTROL) => Some(KeyCommand::Quit),
        KeyCode::Char('q' | 'Q') => Some(KeyCommand::Quit),
        KeyCode::Char('p' | 'P') => Some(KeyCommand::PauseOrResume),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_pauses_and_q_and_control_c_end_it() {
        let check = |code, modifiers, expect| assert_eq!(command(KeyEvent::new(code, modifiers)), expect, "{code:?}");
        check(KeyCode::Char('p'), KeyModifiers::NONE, Some(KeyCommand::PauseOrResume));
        check(KeyCode::Char('P'), KeyModifiers::SHIFT, Some(KeyCommand::PauseOrResume));
        check(KeyCode::Char('q'), KeyModifiers::NONE, Some(KeyCommand::Quit));
        check(KeyCode::Char('c'), KeyModifiers::CONTROL, Some(KeyCommand::Quit));
        check(KeyCode::Char('c'), KeyModifiers::NONE, None);
        check(KeyCode::Char('z'), KeyModifiers::CONTROL, None);
    }
}
