//! Leases: the start of a task that is wanted to run is repeated in time, so that firmware that stops when it hears
//! nothing is safe.

use std::time::Duration;

use crate::core::task::guards::manual_override::TOGETHER;
use crate::core::time::Instant;

/// The shortest lease: shorter ones would be renewed more often than any device needs.
pub const SHORTEST_LEASE: Duration = Duration::from_secs(10);

/// When a start has to be repeated. `disturbed`: when `runnable` or the availability last changed; a plug that has just
/// come back may not have said yet that it is off.
pub(crate) fn renewal(lease: Duration, sent: Option<Instant>, disturbed: Option<Instant>) -> Instant {
    let half = lease / 2;
    let due = sent.map_or(Instant::START, |sent| sent + half);
    let settled = disturbed.map_or(Instant::START, |disturbed| disturbed + TOGETHER.min(half));
    due.max(settled)
}
