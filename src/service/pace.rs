//! Time limits of the network, on a clock that may run faster than the network does.

use std::time::Duration;

/// How much time passes on the service's clock in a second of the network: 1, but for a simulated clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace(f64);

impl Pace {
    /// That of a clock that isn't simulated.
    pub(super) const REAL: Self = Self(1.0);

    /// That of a clock that runs so many times faster.
    pub(super) fn times(speed: f64) -> Self {
        Self(speed)
    }

    /// How long a time limit of the network is on the service's clock.
    pub(super) fn network(self, limit: Duration) -> Duration {
        limit.mul_f64(self.0)
    }
}
