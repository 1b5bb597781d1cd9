//! The daily run time (SPEC section 10): what is owed by a time of day, and what is allowed at most. The period runs
//! from that time to the next.
//!
//! Refuses to count what nobody saw: a task that can't be heard runs as it was last seen.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use crate::core::directives::Choice;
use crate::core::input::Seconds;
use crate::core::task::mode::Mode;
use crate::core::task::task::Task;
use crate::core::{Action, Instant, Now, Rule, Scheduler};

/// `daily` of a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Daily {
    /// How long it has to run in each period; 0: nothing is owed.
    pub on_for: Duration,
    /// Where one period ends and the next begins, local time.
    pub by: Time,
    /// How long it may run in each period.
    pub max: Option<Duration>,
}

/// How a daily run time stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DailyView {
    /// The end of the period.
    pub by: Timestamp,
    /// Run time within the period.
    pub ran: Duration,
    /// `finished` has settled what was owed.
    pub settled: bool,
}

/// The account of the current period.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Account {
    by: Time,
    begin: Timestamp,
    pub(crate) end: Timestamp,
    /// `begin` on the steady clock.
    begin_at: Instant,
    /// Run time in it up to the last switch.
    on: Duration,
    pub(crate) settled: bool,
}

impl Account {
    /// The period that a moment falls into. A time that the clock skips counts an hour later, and of one that it repeats
    /// the first counts.
    fn open(by: Time, now: Now, time_zone: &TimeZone) -> Option<Self> {
        let today = now.wall.to_zoned_datetime(time_zone.clone()).date();
        let at =
            |date: Date| date.to_datetime(by).to_zoned_datetime(time_zone.clone()).ok().map(|zoned| zoned.timestamp());
        let middle = at(today)?;
        let (begin, end) = if now.wall < middle {
            (at(today.yesterday().ok()?)?, middle)
        } else {
            (middle, at(today.tomorrow().ok()?)?)
        };
        let passed = Duration::try_from(now.wall.duration_since(begin)).unwrap_or_default();
        Some(Self { by, begin, end, begin_at: now.at - passed, on: Duration::ZERO, settled: false })
    }

    /// An earlier run's account of the same period.
    pub(crate) fn restore(&mut self, told: &DailyView, since: Duration) {
        if told.by == self.end {
            self.on = told.ran + since;
            self.settled = told.settled;
        }
    }

    pub(crate) fn view(&self, ran: Duration) -> DailyView {
        DailyView { by: self.end, ran, settled: self.settled }
    }

    fn holds(&self, by: Time, wall: Timestamp) -> bool {
        self.by == by && self.begin <= wall && wall < self.end
    }
}

impl Task {
    fn daily(&self) -> Option<&Daily> {
        self.registration.as_ref()?.daily.as_ref()
    }

    /// Begins the next period once the last one is over.
    pub(crate) fn turn_period(&mut self, now: Now, time_zone: &TimeZone) {
        let by = self.daily().map(|daily| daily.by);
        if self.account.as_ref().is_some_and(|account| by.is_some_and(|by| account.holds(by, now.wall))) {
            return;
        }
        self.account = by.and_then(|by| Account::open(by, now, time_zone));
        self.pressed &= self.account.is_some();
    }

    /// It is about to be seen to start or stop: what it ran is booked.
    pub(crate) fn book(&mut self, now: Instant) {
        let ran = self.ran_in_period(now);
        if let Some(account) = &mut self.account {
            account.on = ran;
        }
    }

    pub(crate) fn ran_in_period(&self, now: Instant) -> Duration {
        let Some(account) = self.account else { return Duration::ZERO };
        account.on + self.seen_on_for(now).min(now.since(account.begin_at))
    }

    /// The run time that is still owed.
    fn owed(&self, now: Instant) -> Duration {
        match (self.daily(), self.account) {
            (Some(daily), Some(account)) if !account.settled => daily.on_for.saturating_sub(self.ran_in_period(now)),
            _ => Duration::ZERO,
        }
    }

    /// Whether the time left is needed for what is owed. One cycle is kept in reserve.
    pub(crate) fn is_pressed(&self, now: Now, cycle: Duration) -> bool {
        let owed = self.owed(now.at);
        let left = self.account.map(|account| account.end.duration_since(now.wall));
        let left = left.and_then(|left| Duration::try_from(left).ok()).unwrap_or_default();
        !owed.is_zero() && left <= owed + cycle
    }

    /// It ran as long as it may in this period.
    pub(crate) fn is_exhausted(&self, now: Instant) -> bool {
        self.daily().and_then(|daily| daily.max).is_some_and(|max| self.ran_in_period(now) >= max)
    }
}

impl Scheduler {
    /// Looks at every deadline.
    pub(crate) fn check_deadlines(&mut self, now: Now) {
        for task in self.tasks.iter_mut().filter(|task| task.daily().is_some() || task.account.is_some()) {
            task.turn_period(now, &self.settings.time_zone);
            task.pressed = task.is_pressed(now, self.settings.cycle);
        }
    }

    /// Stops who ran as long as it may.
    pub(crate) fn stop_who_is_exhausted(&self, slot: usize, now: Now) -> Option<Choice> {
        let task = &self.tasks[slot];
        let is = task.is_exhausted(now.at) && task.mode() == Mode::Auto && task.running();
        let can = is && task.stoppable(now.at) && self.is_reachable(task, now);
        let reason = || self.maximum_in_words(task, now.at);
        can.then(|| Choice { slot, action: Action::Stop, rule: Rule::Daily, reason: reason(), ratio: None })
    }

    /// Without a record: whoever runs against its deadline starts, and takes its keys from less important ones.
    pub(crate) fn start_for_deadlines(&self, choices: &mut Vec<Choice>, now: Now) {
        for slot in self.order.iter().copied() {
            let task = &self.tasks[slot];
            let could = task.pressed && task.mode() == Mode::Auto && !task.running() && self.is_reachable(task, now);
            if !could || !task.runnable(now.at) || task.waits(now.at) {
                continue;
            }
            let Some(rivals) = self.evictable_rivals(slot, choices, now) else { continue };
            for rival in rivals {
                let reason = format!("{} has to run: {}", task.id, self.deadline_in_words(task, now.at));
                choices.push(Choice {
                    slot: rival,
                    action: Action::Stop,
                    rule: Rule::LowerPriority,
                    reason,
                    ratio: None,
                });
            }
            let reason = self.deadline_in_words(task, now.at);
            choices.push(Choice { slot, action: Action::Start, rule: Rule::Daily, reason, ratio: None });
        }
    }

    /// Who has to be stopped before a task can run on its keys; none if somebody can't be.
    fn evictable_rivals(&self, slot: usize, choices: &[Choice], now: Now) -> Option<Vec<usize>> {
        let chosen = |slot: usize| choices.iter().find(|choice| choice.slot == slot).map(|choice| choice.action);
        let importance = self.tasks[slot].importance();
        let mut rivals = Vec::new();
        for rival in self.tasks[slot].keys.iter().flat_map(|key| self.owners.of(*key)).copied() {
            let other = &self.tasks[rival];
            let holds = match chosen(rival) {
                Some(action) => action == Action::Start,
                None => other.running() || other.mode() == Mode::On,
            };
            if rival == slot || !holds || rivals.contains(&rival) {
                continue;
            }
            let yields = other.mode() == Mode::Auto
                && chosen(rival).is_none()
                && other.stoppable(now.at)
                && self.is_reachable(other, now)
                && importance.most_first(&other.importance()).is_lt();
            if !yields {
                return None;
            }
            rivals.push(rival);
        }
        Some(rivals)
    }

    /// `runs for its deadline at 2026-06-01 06:30`.
    pub(crate) fn deadline_in_words(&self, task: &Task, now: Instant) -> String {
        let end = task.account.map(|account| self.local(account.end)).unwrap_or_default();
        format!("{} of run time are owed by its deadline at {end}", Seconds(task.owed(now)))
    }

    /// `it ran 4h in the period that ends at …, daily.max allows no more`.
    pub(crate) fn maximum_in_words(&self, task: &Task, now: Instant) -> String {
        let end = task.account.map(|account| self.local(account.end)).unwrap_or_default();
        format!("it ran {}, daily.max allows no more before {end}", Seconds(task.ran_in_period(now)))
    }
}
