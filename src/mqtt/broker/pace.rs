//! How fast one client is listened to. Who is faster waits, by TCP, and the others don't.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Bytes per second; what is saved up is at most [`BURST`] seconds of it.
const BYTES: f64 = 8_000_000.0;

/// Packets per second.
const PACKETS: f64 = 5_000.0;

const BURST: f64 = 2.0;

/// What one client has left.
#[derive(Debug)]
pub(super) struct Pace {
    /// In seconds of listening.
    left: f64,
    at: Instant,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { left: BURST, at: Instant::now() }
    }

    /// Waits until a client may be listened to that has just sent a packet of this size, with so many things to do.
    pub(super) async fn heard(&mut self, size: usize, things: usize) {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let cost = (size as f64 / BYTES).max(things as f64 / PACKETS);
        let now = Instant::now();
        self.left = (self.left + now.duration_since(self.at).as_secs_f64()).min(BURST) - cost;
        self.at = now;
        if self.left < 0.0 {
            sleep(Duration::from_secs_f64(-self.left)).await;
        }
    }
}
