//! The terminal while the demo paints on it: its second screen, its size, its keys.
//!
//! It is as before afterwards: the end, an error and a panic all restore it.

use std::io::{self, IsTerminal as _, Stdout, stdout};
use std::sync::atomic::{AtomicBool, Ordering};

use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    self, BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
};
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};

use super::keyboard::{KeyCommand, Keyboard};
use super::picture::{Picture, PictureOptions};
use super::print::print;

/// What is taken for the size of a terminal that doesn't know it.
const USUAL_SIZE: (u16, u16) = (80, 24);

/// The picture that stays in the terminal afterwards has at most so many rows.
const LAST_ROWS: u16 = 24;

/// Whether there is something to restore. A panic in any thread must find it.
static ENTERED: AtomicBool = AtomicBool::new(false);

/// The terminal, painted on until this is dropped.
pub(in crate::cli::demo) struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    size: Rect,
    keyboard: Option<Keyboard>,
    colours: bool,
}

impl Screen {
    /// Switches to the second screen and begins to read keys, where there is a keyboard.
    ///
    /// # Errors
    /// When standard output is gone; here and below.
    pub(in crate::cli::demo) fn enter() -> io::Result<Self> {
        restore_on_panic();
        ENTERED.store(true, Ordering::SeqCst);
        let size = size();
        let started = Terminal::with_options(
            CrosstermBackend::new(stdout()),
            TerminalOptions { viewport: Viewport::Fixed(size) },
        )
        .and_then(|terminal| {
            execute!(stdout(), EnterAlternateScreen, Hide)?;
            let keyboard = terminal::enable_raw_mode().is_ok().then(Keyboard::new);
            Ok(Self { terminal, size, keyboard, colours: colours() })
        });
        if started.is_err() {
            restore();
        }
        started
    }

    /// Paints a picture, as large as the terminal is now.
    pub(in crate::cli::demo) fn draw(&mut self, picture: &Picture<'_>) -> io::Result<()> {
        let size = size();
        if size != self.size {
            self.terminal.resize(size)?;
            self.size = size;
        }
        let options = PictureOptions { colours: self.colours, keys: self.keyboard.is_some() };
        execute!(stdout(), BeginSynchronizedUpdate)?;
        self.terminal.draw(|frame| picture.render(frame.area(), frame.buffer_mut(), options))?;
        execute!(stdout(), EndSynchronizedUpdate)
    }

    /// Waits for the next key that means something; without a keyboard for ever.
    ///
    /// Cancel safe.
    pub(in crate::cli::demo) async fn key(&mut self) -> KeyCommand {
        match &mut self.keyboard {
            Some(keyboard) => keyboard.next().await,
            None => std::future::pending().await,
        }
    }

    /// Restores the terminal and writes the last picture to it, where it stays.
    pub(in crate::cli::demo) fn leave(self, last: &Picture<'_>) -> io::Result<()> {
        let (size, colours) = (size(), self.colours);
        drop(self);
        let mut buffer = Buffer::empty(Rect { height: size.height.min(LAST_ROWS), ..size });
        last.render(buffer.area, &mut buffer, PictureOptions { colours, keys: false });
        print(&buffer)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

fn restore() {
    if ENTERED.swap(false, Ordering::SeqCst) {
        // A terminal that is gone needs nothing restored.
        let _ = terminal::disable_raw_mode();
        let _ = execute!(stdout(), EndSynchronizedUpdate, Show, LeaveAlternateScreen);
    }
}

/// The program's own hook ends the process, and then nothing is dropped.
fn restore_on_panic() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        restore();
        before(panic);
    }));
}

fn size() -> Rect {
    let size = terminal::size().ok().filter(|(width, height)| *width > 0 && *height > 0);
    let (width, height) = size.unwrap_or(USUAL_SIZE);
    Rect::new(0, 0, width, height)
}

/// Whether people want colours: <https://no-color.org>.
fn colours() -> bool {
    let unset = |name| std::env::var_os(name).is_none_or(|value| value.is_empty());
    unset("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb") && stdout().is_terminal()
}
