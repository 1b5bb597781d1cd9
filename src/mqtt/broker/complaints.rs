//! What is refused is said in the log, at most one line per kind and ten seconds: a flood must not become one of the log.

use std::collections::HashMap;
use std::time::{Duration, Instant};

const APART: Duration = Duration::from_secs(10);

/// The longest part of foreign text that is shown.
const SHOWN: usize = 80;

/// When each kind was last said, and how often it was not.
#[derive(Debug, Default)]
pub(super) struct Complaints(HashMap<&'static str, (Instant, u64)>);

impl Complaints {
    /// Says that a client was refused something, or counts it if that kind was said just now.
    pub(super) fn say(&mut self, kind: &'static str, client: &str, topic: Option<&str>) {
        let now = Instant::now();
        let more = match self.0.get_mut(kind) {
            Some((said, silent)) if now.duration_since(*said) < APART => {
                *silent += 1;
                return;
            }
            Some((_, silent)) => std::mem::take(silent),
            None => 0,
        };
        self.0.insert(kind, (now, 0));
        let topic = topic.map(|topic| format!(", topic {}", shown(topic))).unwrap_or_default();
        let more = if more > 0 { format!(" ({more} more of this kind since)") } else { String::new() };
        tracing::warn!("the embedded broker: {kind}; client {}{topic}{more}", shown(client));
    }
}

/// Foreign text for the log: quoted, escaped, cut.
pub(super) fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}
