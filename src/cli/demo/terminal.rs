//! The terminal while the demo paints on it: its second screen, its size, its keys, and as it was afterwards.
//!
//! Refuses to leave it changed: an end, an error and a panic all restore it.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};

use tokio::sync::mpsc;

use super::picture::Frame;
use super::text::Line;

/// The second screen, without a cursor; and back.
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";

/// One picture appears at once, from the upper left corner.
const BEGIN: &str = "\x1b[?2026h\x1b[H";
const END: &str = "\x1b[J\x1b[?2026l";

/// Nobody types faster.
const KEYS: usize = 16;

/// How the terminal was before it was painted on, while it is: a panic in any thread must find it.
static BEFORE: Mutex<Option<Before>> = Mutex::new(None);

/// How the keyboard was set, where there is one.
#[cfg(unix)]
type Before = Option<rustix::termios::Termios>;
#[cfg(not(unix))]
type Before = ();

/// The terminal, painted on until this is dropped.
pub(super) struct Terminal {
    keys: Option<mpsc::Receiver<u8>>,
    colours: bool,
}

impl Terminal {
    pub(super) fn enter() -> io::Result<Self> {
        restore_on_panic();
        let (before, keys) = keyboard();
        *before_lock() = Some(before);
        // From here on it is restored, whatever happens.
        let terminal = Self { keys, colours: colours() };
        write(ENTER)?;
        Ok(terminal)
    }

    /// Its size now: people change it.
    pub(super) fn frame(&self) -> Frame {
        let (width, height) = size().unwrap_or((80, 24));
        Frame { width: width.into(), height: height.into(), colours: self.colours }
    }

    pub(super) fn has_keys(&self) -> bool {
        self.keys.is_some()
    }

    /// The next key; without a keyboard, never.
    pub(super) async fn key(&mut self) -> u8 {
        match &mut self.keys {
            Some(keys) => match keys.recv().await {
                Some(key) => key,
                None => std::future::pending().await,
            },
            None => std::future::pending().await,
        }
    }

    /// Shows a picture.
    pub(super) fn show(&self, lines: &[Line], frame: Frame) -> io::Result<()> {
        let lines: Vec<String> =
            lines.iter().map(|line| format!("{}\x1b[K", line.render(frame.width, frame.colours))).collect();
        // No line break after the last one: it would scroll.
        write(&format!("{BEGIN}{}{END}", lines.join("\r\n")))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        leave();
    }
}

/// Keys come one by one and aren't shown; Ctrl-C stays what it is, Ctrl-Z would leave the second screen behind.
#[cfg(unix)]
fn keyboard() -> (Before, Option<mpsc::Receiver<u8>>) {
    use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr};
    let stdin = io::stdin();
    let Some(before) = tcgetattr(&stdin).ok().filter(|_| stdin.is_terminal()) else { return (None, None) };
    let mut quiet = before.clone();
    quiet.local_modes -= LocalModes::ICANON | LocalModes::ECHO;
    quiet.special_codes[SpecialCodeIndex::VSUSP] = 0;
    if tcsetattr(&stdin, OptionalActions::Now, &quiet).is_err() {
        return (None, None);
    }
    let (sender, keys) = mpsc::channel(KEYS);
    // It waits for a key for ever, and ends with the process.
    std::thread::spawn(move || {
        use io::Read as _;
        for key in io::stdin().lock().bytes().map_while(Result::ok) {
            if sender.blocking_send(key).is_err() {
                return;
            }
        }
    });
    (Some(before), Some(keys))
}

#[cfg(not(unix))]
fn keyboard() -> (Before, Option<mpsc::Receiver<u8>>) {
    ((), None)
}

/// Whether people want colours: <https://no-color.org>.
pub(super) fn colours() -> bool {
    let unset = |name| std::env::var_os(name).is_none_or(|value| value.is_empty());
    unset("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb") && io::stdout().is_terminal()
}

fn leave() {
    let Some(before) = before_lock().take() else { return };
    #[cfg(unix)]
    if let Some(before) = before {
        // A terminal that is gone needs nothing restored; here and below.
        let _ = rustix::termios::tcsetattr(io::stdin(), rustix::termios::OptionalActions::Now, &before);
    }
    #[cfg(not(unix))]
    let () = before;
    let _ = write(LEAVE);
}

fn before_lock() -> std::sync::MutexGuard<'static, Option<Before>> {
    // It is only ever taken or replaced as a whole.
    BEFORE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The program's own hook ends the process, and nothing is dropped then.
fn restore_on_panic() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        leave();
        before(panic);
    }));
}

#[cfg(unix)]
fn size() -> Option<(u16, u16)> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    (size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col, size.ws_row))
}

#[cfg(not(unix))]
fn size() -> Option<(u16, u16)> {
    None
}

fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
