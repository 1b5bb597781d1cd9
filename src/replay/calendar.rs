//! The periods of a task and the times at which its appliance is there, on the local calendar.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, ZonedDateTime};

use crate::replay::appliance::Period;
use crate::replay::history::ReplayTime;
use crate::replay::plan::Model;

/// Returns the periods that a record has a part of, and the one that begins as it ends, in ascending order.
pub(super) fn periods(model: &Model, begin: Timestamp, end: Timestamp, time_zone: &TimeZone) -> Vec<Period> {
    let mut periods: Vec<Period> = days(begin, end, time_zone)
        .filter_map(|day| day.date().to_datetime(model.by).to_zoned_datetime(time_zone.clone()).ok())
        .map(|begin| ReplayTime::from(begin.timestamp()))
        .filter(|begin| *begin <= end.into())
        .map(|begin| Period { begin, need: 0.0 })
        .collect();
    // The first one has begun before the record.
    let first = periods.partition_point(|period| period.begin <= begin.into());
    periods.drain(..first.saturating_sub(1));
    periods
}

/// Returns every local day from the one before the begin.
fn days(begin: Timestamp, end: Timestamp, time_zone: &TimeZone) -> impl Iterator<Item = ZonedDateTime> {
    let first = begin.to_zoned_datetime(time_zone.clone());
    let first = first.checked_sub(1.day()).unwrap_or(first);
    let mut next = Some(first);
    std::iter::from_fn(move || {
        let day = next.take().filter(|day| day.timestamp() < end.saturating_add(24.hours()).unwrap_or(end))?;
        next = day.tomorrow().ok();
        Some(day)
    })
}

/// Returns when an appliance is there, in ascending order. Times that meet are one.
pub(super) fn windows(
    model: &Model,
    begin: Timestamp,
    end: Timestamp,
    time_zone: &TimeZone,
) -> Vec<(ReplayTime, ReplayTime)> {
    let mut windows: Vec<(ReplayTime, ReplayTime)> = Vec::new();
    for day in days(begin, end, time_zone) {
        for window in model.available.iter().filter(|window| window.days.contains(&day.weekday())) {
            let date = if window.to > window.from { Some(day.date()) } else { day.date().tomorrow().ok() };
            let moment =
                |date: jiff::civil::Date, time| date.to_datetime(time).to_zoned_datetime(time_zone.clone()).ok();
            let (from, to) = (moment(day.date(), window.from), date.and_then(|date| moment(date, window.to)));
            windows.extend(from.zip(to).map(|(from, to)| (from.timestamp().into(), to.timestamp().into())));
        }
    }
    windows.sort_unstable();
    // Windows that meet are one: the appliance is not gone for a moment.
    windows.dedup_by(|next, before| {
        let meets = next.0 <= before.1;
        if meets {
            before.1 = before.1.max(next.1);
        }
        meets
    });
    windows
}
