//! How fast one client is listened to. Who is faster waits, by TCP, and the others don't.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Bytes per second; what is saved up is at most [`BURST`] seconds of it.
const BYTES: f64 = 8_000_000.0;

/// Packets per second.
const PACKETS: f64 = 5_000.0;

const BURST: f64 = 2.0;

/// Comparing a topic with so many subscriptions takes about as long as everything else about a packet.
const COMPARISONS: usize = 200;

/// Returns how many packets the comparisons of one count for: else whoever
/// floods a broker with many subscriptions keeps it busy for all others.
pub(super) fn of_comparisons(compared: usize) -> usize {
    compared / COMPARISONS
}

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

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, pause};

    use super::{Pace, of_comparisons};

    #[tokio::test]
    async fn a_flood_waits_the_longer_the_more_each_message_is_compared_with() {
        pause();
        let mut waited = Vec::new();
        for subscriptions in [0, 18_000] {
            let (mut pace, start) = (Pace::new(), Instant::now());
            for _ in 0..1_000 {
                pace.heard(20, 1 + of_comparisons(subscriptions)).await;
            }
            waited.push(start.elapsed().as_secs());
        }
        assert_eq!(waited, [0, 16], "seconds: a burst is free, then 5,000 things a second");
    }
}
