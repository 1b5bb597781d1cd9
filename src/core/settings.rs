//! What the scheduler is told once, at its start.

use std::time::Duration;

use jiff::tz::TimeZone;

use crate::units::Watts;

/// The settings of the core, by the names of `config.toml.example`, which has their defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The length of a cycle.
    pub cycle: Duration,
    /// Records kept; at least 1.
    pub window_size: usize,
    /// A start must be affordable in this many newest records; at least 1.
    pub confirm_records: usize,
    /// Held back from the start of a less important task. Half of it is what an adjustable task counts as more to use.
    pub headroom: Watts,
    /// Values below count as 0 on the keys of tasks.
    pub ignore_power_threshold: Watts,
    /// Without a record for longer than this, the data is missing; older records are refused.
    pub max_record_gap: Duration,
    /// A key without a new value keeps its last one for this long.
    pub expire_after: Duration,
    /// State older than this makes a task without `expire_after` and availability unreachable.
    pub task_expire_after: Duration,
    /// Export that adjustable tasks leave unused. Starts don't see it.
    pub reserve: Watts,
    /// A task's set-point is sent at most this often.
    pub setpoint_interval: Duration,
    /// The home's, for `now` in criteria and for "today".
    pub time_zone: TimeZone,
    /// Nothing that is decided will be sent: no start can be expected to be answered.
    pub dry_run: bool,
    /// A task that registers a key which another one has is refused.
    pub exclusive_keys: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            cycle: Duration::from_secs(60),
            window_size: 12,
            confirm_records: 2,
            headroom: Watts(200.0),
            ignore_power_threshold: Watts(100.0),
            max_record_gap: Duration::from_secs(180),
            expire_after: Duration::from_secs(300),
            task_expire_after: Duration::from_secs(600),
            reserve: Watts::ZERO,
            setpoint_interval: Duration::from_secs(5),
            time_zone: TimeZone::UTC,
            dry_run: false,
            exclusive_keys: false,
        }
    }
}
