//! How the scheduler sees its tasks, for whoever tells people.

use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::core::task::task::Task;
use crate::core::task::verdict::Waits;
use crate::core::time::Day;
use crate::core::{Action, Activity, DailyView, Mode, Now, Priority, Scheduler, TaskId, Unreachable, Verdict, input};
use crate::units::{KilowattHours, Share, Watts};

/// A task's status, as reports name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It reports running.
    Running,
    /// It could run.
    Stopped,
    /// It can't run now.
    Unrunnable,
    /// Nothing is known of it now.
    Unreachable,
    /// It has no valid registration.
    Invalid,
}

impl Status {
    /// The word of the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Unrunnable => "unrunnable",
            Self::Unreachable => "unreachable",
            Self::Invalid => "invalid",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One task, as the scheduler sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskView {
    /// Its id.
    pub id: TaskId,
    /// Shown to people.
    pub name: String,
    /// How it is.
    pub status: Status,
    /// Why it runs, or what it waits for.
    pub reason: String,
    /// The covered share of a running task, or what a stopped one would get.
    pub ratio: Option<Share>,
    /// What it uses according to the latest record.
    pub power: Watts,
    /// The one that counts.
    pub priority: Priority,
    /// The priority that a user set.
    pub preferred: Option<Priority>,
    /// The mode that a user set.
    pub mode: Mode,
    /// When that mode ends by itself.
    pub mode_until: Option<Timestamp>,
    /// What somebody switched by hand, and until when it is held.
    pub hold: Option<(Mode, Timestamp)>,
    /// When it last started or stopped, if that is known.
    pub since: Option<Timestamp>,
    /// It is done, and rests until then.
    pub rests_until: Option<Timestamp>,
    /// How its daily run time stands, as of the last cycle.
    pub daily: Option<DailyView>,
    /// It is told the watts it may use.
    pub has_setpoint: bool,
    /// What it was told last.
    pub setpoint: Option<Watts>,
    /// Run time since local midnight, as of the last cycle.
    pub on_today: Duration,
    /// What it used since local midnight, as of the last cycle.
    pub energy_today: KilowattHours,
    /// Starts since local midnight.
    pub starts_today: u32,
    /// Starts that it did not follow.
    pub unanswered: u32,
    /// Why its last registration or state was refused.
    pub error: Option<String>,
}

impl Scheduler {
    /// Every task with a valid or a refused registration, by id.
    #[must_use]
    pub fn tasks(&self, now: Now) -> Vec<TaskView> {
        let today = self.last_cycle.day(&self.settings.time_zone);
        let tasks = self.slots.values().map(|slot| &self.tasks[*slot]);
        let mut views: Vec<TaskView> = tasks.filter_map(|task| self.view(task, today, now)).collect();
        views.sort_by(|a, b| a.id.cmp(&b.id));
        views
    }

    /// One of [`Scheduler::tasks`]; none if it has no registration, neither a valid nor a refused one.
    #[must_use]
    pub fn task_view(&self, id: &TaskId, now: Now) -> Option<TaskView> {
        let task = &self.tasks[*self.slots.get(id)?];
        self.view(task, self.last_cycle.day(&self.settings.time_zone), now)
    }

    fn view(&self, task: &Task, today: Day, now: Now) -> Option<TaskView> {
        if task.registration.is_none() && task.error.is_none() {
            return None;
        }
        let status = self.status(task, now);
        let judged = matches!(status, Status::Running | Status::Stopped) && self.activity() == Activity::Active;
        Some(TaskView {
            id: task.id.clone(),
            name: task.registration.as_ref().map_or_else(|| task.id.to_string(), |known| known.name.clone()),
            setpoint: task.setpoint.in_force(),
            has_setpoint: task.registration.is_some() && task.adjustable() && task.max_power().is_some(),
            status,
            reason: self.reason(task, status, now),
            ratio: task.verdict.ratio().filter(|_| judged),
            power: self.window.latest().map_or(Watts::ZERO, |record| record.usage(&task.keys)),
            priority: task.priority(),
            preferred: task.preferred,
            mode: task.wish.mode,
            mode_until: task.wish.until.map(|until| until.wall),
            hold: task.hand.hold().and_then(|hold| Some((hold.mode, hold.until?.wall))),
            since: task.spell.since().map(|since| since.wall),
            rests_until: task.rests_until(now.at).map(|until| until.wall),
            daily: task.account.map(|account| account.view(task.ran_in_period(self.last_cycle.at))),
            on_today: task.on_today(self.last_cycle.at, today),
            energy_today: task.energy.on(today.date),
            starts_today: task.starts_today(today),
            unanswered: task.answers.missing,
            error: task.error.clone(),
        })
    }

    /// How many tasks have a valid registration.
    #[must_use]
    pub fn task_count(&self) -> usize {
        self.tasks.iter().filter(|task| task.registration.is_some()).count()
    }

    /// Standing problems with the data, in plain words.
    #[must_use]
    pub fn warnings(&self, now: Now) -> Vec<String> {
        let mut warnings = Vec::new();
        if now.at.since(self.last_meter.at) > self.settings.max_record_gap {
            warnings.push(format!("no power record from the meter since {}", self.local(self.last_meter.wall)));
        }
        if let Some(interval) =
            self.meter.interval(self.net).filter(|interval| *interval > self.settings.max_record_gap)
        {
            warnings.push(format!(
                "the meter is slow: `net` came {} after the one before, scheduler.max_record_gap is {}",
                input::Seconds(interval),
                input::Seconds(self.settings.max_record_gap),
            ));
        }
        // A record may bring what nobody uses; a sensor was configured because somebody does.
        for key in self.keys.iter().filter(|key| !self.owners.of(*key).is_empty() || self.meter.is_sensed(*key)) {
            if let Some((interval, limit)) = self.meter.slow(key) {
                let (key, interval, of) = (self.keys.name(key), input::Seconds(interval), input::Seconds(limit));
                let limit = if limit == self.settings.expire_after { "power.expire_after" } else { "its expire_after" };
                warnings.push(format!("`{key}` is slow: it came {interval} after the one before, {limit} is {of}"));
            }
        }
        if let Some((value, unchanged)) = self.meter.frozen(self.net, now.at) {
            let since = now.wall.saturating_sub(SignedDuration::try_from(unchanged).unwrap_or(SignedDuration::ZERO));
            let since = self.local(since.unwrap_or(now.wall));
            warnings.push(format!("the meter looks frozen: `net` has been exactly {value} since {since}"));
        }
        warnings.extend(self.tasks.iter().flat_map(|task| self.never_measured(task, now)));
        warnings
    }

    /// The keys of a task that runs long enough to show in them, and never did: names that nobody measures under.
    fn never_measured<'a>(&'a self, task: &'a Task, now: Now) -> impl Iterator<Item = String> + use<'a> {
        let seen = now.at.since(task.spell.seen_since());
        let shows = task.running() && self.is_reachable(task, now) && seen > self.settings.expire_after;
        let keys =
            task.keys.iter().filter(move |key| shows && self.meter.has_heard(self.net) && !self.meter.has_heard(**key));
        keys.map(|key| {
            let key = self.keys.name(*key);
            format!("task {}: nothing has measured its key `{key}`: its declared power stands in for it", task.id)
        })
    }

    /// A time as people at home read it.
    pub(crate) fn local(&self, time: Timestamp) -> String {
        time.to_zoned_datetime(self.settings.time_zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
    }

    fn status(&self, task: &Task, now: Now) -> Status {
        if task.registration.is_none() {
            Status::Invalid
        } else if task.unreachable(now.at, &self.settings).is_some() {
            Status::Unreachable
        } else if task.running() {
            Status::Running
        } else if task.runnable(now.at) {
            Status::Stopped
        } else {
            Status::Unrunnable
        }
    }

    fn reason(&self, task: &Task, status: Status, now: Now) -> String {
        match status {
            Status::Invalid => "its registration was refused, and it had no valid one before".into(),
            Status::Unreachable => match task.unreachable(now.at, &self.settings) {
                Some(Unreachable::Offline) => "its availability is offline".into(),
                Some(Unreachable::NoAvailability) => "its availability has not come yet".into(),
                Some(Unreachable::Expired(limit)) => {
                    format!("its last state expired: it is older than {}", input::Seconds(limit))
                }
                _ => "no state has come from it yet".into(),
            },
            Status::Unrunnable if task.mode() == Mode::On => {
                format!("{}, but {}", self.wish_in_words(task), self.what_keeps_it_off(task, now))
            }
            Status::Unrunnable if task.mode() == Mode::Off => self.wish_in_words(task),
            Status::Unrunnable => self.what_keeps_it_off(task, now),
            Status::Running | Status::Stopped if task.mode() == Mode::of(task.running()) => self.wish_in_words(task),
            Status::Running if task.mode() == Mode::Off && !task.stoppable(now.at) => {
                let holds = if task.held_by_min_on(now.at) { "min_on holds it" } else { "it may not be stopped now" };
                format!("{}, but {holds}", self.wish_in_words(task))
            }
            Status::Running | Status::Stopped => match self.activity() {
                Activity::Paused => "Sunward is paused".into(),
                _ if task.mode() != Mode::Auto => {
                    let what = if task.running() { "stop" } else { "start" };
                    format!("{}: it is told to {what}", self.wish_in_words(task))
                }
                _ if let Some(command) = self.unfollowed(task) => command,
                _ if task.pressed && task.running() => self.deadline_in_words(task, self.last_cycle.at),
                Activity::NoData => "no power record arrives".into(),
                Activity::Active => match (&task.verdict, task.answers.waits_until) {
                    (Verdict::Waits(Waits::Answer), Some(until)) => {
                        let again = self.local((now + until.since(now.at)).wall);
                        format!("it left {} starts unanswered: the next one comes after {again}", task.answers.missing)
                    }
                    (verdict, _) => verdict.to_string(),
                },
            },
        }
    }

    /// The last cycle told it to be otherwise than it is, and why.
    fn unfollowed(&self, task: &Task) -> Option<String> {
        let Verdict::Decided { action, reason, .. } = &task.verdict else { return None };
        let (what, sent) = match action {
            Action::Start if !task.running() => ("start", task.answers.sent()),
            Action::Stop if task.running() => ("stop", u32::from(task.stopping)),
            _ => return None,
        };
        Some(match sent {
            _ if self.settings.dry_run => format!("dry run, its {what} is not sent: {reason}"),
            // It has changed since.
            0 => Verdict::Pending.to_string(),
            1 => format!("its {what} was sent and is not followed yet: {reason}"),
            _ => format!("its {what} was sent {sent} times and is not followed yet: {reason}"),
        })
    }

    fn what_keeps_it_off(&self, task: &Task, now: Now) -> String {
        if let Some(until) = task.rests_until(now.at) {
            format!("it is done: it rests until {}", self.local(until.wall))
        } else if task.is_exhausted(now.at) {
            self.maximum_in_words(task, now.at)
        } else if task.off_guard(now.at).is_some() {
            "min_off holds it".into()
        } else {
            "its state says that it can't run now".into()
        }
    }
}
