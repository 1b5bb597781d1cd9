//! What a task's mode and guards say, in words for reports and reasons.

use jiff::tz::TimeZone;

use crate::core::task::mode::ModeSetting;
use crate::core::task::task::Task;
use crate::core::time::{Instant, WholeSeconds, local};

impl Task {
    /// `mode is on until 2026-06-01 12:00`.
    pub(crate) fn mode_in_words(&self, time_zone: &TimeZone) -> String {
        let until = |setting: &ModeSetting| {
            setting.until.map(|until| format!(" until {}", local(until.wall, time_zone))).unwrap_or_default()
        };
        match self.manual.held() {
            Some(held) => format!("held {} by hand{}", held.mode, until(held)),
            None => format!("mode is {}{}", self.mode_setting.mode, until(&self.mode_setting)),
        }
    }

    /// `1h of run time are owed by its deadline at 2026-06-01 06:30`.
    pub(crate) fn deadline_in_words(&self, now: Instant, time_zone: &TimeZone) -> String {
        let owed = WholeSeconds(self.owed(now));
        format!("{owed} of run time are owed by its deadline at {}", self.end_of_period(time_zone))
    }

    /// `it ran 4h, daily.max allows no more before 2026-06-01 06:30`.
    pub(crate) fn maximum_in_words(&self, now: Instant, time_zone: &TimeZone) -> String {
        let ran = WholeSeconds(self.ran_in_period(now));
        format!("it ran {ran}, daily.max allows no more before {}", self.end_of_period(time_zone))
    }

    /// Why it is not runnable.
    pub(crate) fn obstacle_in_words(&self, now: Instant, time_zone: &TimeZone) -> String {
        if let Some(until) = self.rests_until(now) {
            format!("it is done: it rests until {}", local(until.wall, time_zone))
        } else if self.is_exhausted(now) {
            self.maximum_in_words(now, time_zone)
        } else if self.min_off_left(now).is_some() {
            "min_off holds it".into()
        } else {
            "its state says that it can't run now".into()
        }
    }

    fn end_of_period(&self, time_zone: &TimeZone) -> String {
        self.daily.map(|daily| local(daily.end(), time_zone)).unwrap_or_default()
    }
}
