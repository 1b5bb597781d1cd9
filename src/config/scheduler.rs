//! `[scheduler]` and its neighbours, as the settings of the core.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::checks::{not_negative, time_zone, within};
use super::findings::Findings;
use super::settings::{Config, SchedulerSettings};
use crate::core::Settings;
use crate::wire::Limits;

const DAY: Duration = Duration::from_secs(86_400);

/// Returns the settings of the core, and notes everything in them that can't be meant.
pub(super) fn settings(config: &Config, found: &mut Findings) -> Settings {
    let written = &config.scheduler;
    found.expect("scheduler.cycle", within(written.cycle, Duration::from_secs(1)..=DAY));
    found.expect("scheduler.window_size", within(written.window_size, 1..=1000));
    confirmed_records(written.confirm_records, written.window_size, found);
    found.expect("scheduler.headroom", not_negative(written.headroom));
    found.expect("scheduler.ignore_power_threshold", not_negative(written.ignore_power_threshold));
    for (key, time) in [
        ("scheduler.max_record_gap", written.max_record_gap),
        ("scheduler.task_expire_after", written.task_expire_after),
    ] {
        if time.is_zero() {
            found.refuse(key, "expected more than 0s");
        }
    }
    found.expect("power.reserve", not_negative(config.power.reserve));
    let zone = config.time_zone.as_deref().map(|name| found.expect("time_zone", time_zone(name)));
    Settings {
        cycle: written.cycle,
        window_size: written.window_size,
        confirm_records: written.confirm_records,
        headroom: written.headroom,
        ignore_power_threshold: written.ignore_power_threshold,
        max_record_gap: written.max_record_gap,
        expire_after: config.power.expire_after,
        task_expire_after: written.task_expire_after,
        reserve: config.power.reserve,
        setpoint_interval: written.setpoint_interval,
        time_zone: zone.flatten().unwrap_or_else(TimeZone::system),
        dry_run: written.dry_run,
        exclusive_keys: written.exclusive_keys,
    }
}

/// Returns how much a task may say.
pub(super) fn limits(written: &SchedulerSettings, found: &mut Findings) -> Limits {
    for (key, size) in [
        ("scheduler.max_state_size", written.max_state_size),
        ("scheduler.max_registration_size", written.max_registration_size),
    ] {
        found.expect(key, within(size, 256..=1024 * 1024));
    }
    found.expect("scheduler.max_state_fields", within(written.max_state_fields, 1..=10_000));
    found.expect("scheduler.max_state_depth", within(written.max_state_depth, 1..=100));
    Limits {
        max_state_size: written.max_state_size,
        max_registration_size: written.max_registration_size,
        max_state_fields: written.max_state_fields,
        max_state_depth: written.max_state_depth,
    }
}

fn confirmed_records(records: usize, window: usize, found: &mut Findings) {
    let key = "scheduler.confirm_records";
    if records == 0 {
        found.refuse(key, "expected at least 1, found 0");
    } else if records > window {
        let message = format!("expected at most scheduler.window_size, which is {window}, found {records}");
        found.refuse_beside(key, "scheduler.window_size", message);
    }
}
