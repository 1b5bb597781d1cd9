//! How the scheduler sees its tasks, for reports.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

use crate::core::activity::Activity;
use crate::core::meter::window::Window;
use crate::core::output::Action;
use crate::core::settings::Settings;
use crate::core::task::guards::daily::DailyView;
use crate::core::task::id::TaskId;
use crate::core::task::mode::Mode;
use crate::core::task::priority::Priority;
use crate::core::task::task::{Task, Unreachable};
use crate::core::task::verdict::{Verdict, Waits};
use crate::core::time::{Now, WholeSeconds, local};
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
    /// Its stops had no effect: nobody waits for the next one.
    pub deaf: bool,
    /// The meter doesn't show what it says that it uses: nobody counts on it.
    pub claim_doubted: bool,
    /// Why its last registration or state was refused.
    pub error: Option<String>,
}

/// Makes the views of tasks.
pub(crate) struct Viewer<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) window: &'a Window,
    pub(crate) activity: Activity,
    /// What is told of times stands still between cycles.
    pub(crate) last_cycle: Now,
    pub(crate) now: Now,
}

impl Viewer<'_> {
    /// One task, if it has a valid or a refused registration.
    pub(crate) fn view(&self, task: &Task) -> Option<TaskView> {
        let error = task.error();
        if !task.is_registered() && error.is_none() {
            return None;
        }
        let today = self.last_cycle.day(&self.settings.time_zone);
        let seen_on_for = task.seen_on_for(self.last_cycle.at);
        let status = self.status(task);
        let judged = matches!(status, Status::Running | Status::Stopped) && self.activity == Activity::Active;
        Some(TaskView {
            id: task.id.clone(),
            name: task.registration().map_or_else(|| task.id.to_string(), |known| known.name.clone()),
            setpoint: task.setpoint.in_force(),
            has_setpoint: task.setpoint_range().is_some(),
            status,
            reason: self.reason(task, status),
            ratio: task.verdict.ratio().filter(|_| judged),
            power: self.window.latest().map_or(Watts::ZERO, |record| record.usage(&task.keys)),
            priority: task.priority(),
            preferred: task.preferred,
            mode: task.mode_setting().mode,
            mode_until: task.mode_setting().until.map(|until| until.wall),
            hold: task.manual().held().and_then(|held| Some((held.mode, held.until?.wall))),
            since: task.history().since().map(|since| since.wall),
            rests_until: task.rests_until(self.now.at).map(|until| until.wall),
            daily: task.daily().map(|daily| daily.view(task.ran_in_period(self.last_cycle.at))),
            on_today: task.today().on(seen_on_for, self.last_cycle.at, today),
            energy_today: task.today().energy(today.date),
            starts_today: task.today().starts(today),
            unanswered: task.back_off().unanswered(),
            deaf: task.doubts.is_deaf(),
            claim_doubted: task.doubts.is_claim_doubted(),
            error,
        })
    }

    fn status(&self, task: &Task) -> Status {
        if !task.is_registered() {
            Status::Invalid
        } else if !task.is_reachable(self.now.at, self.settings) {
            Status::Unreachable
        } else if task.running() {
            Status::Running
        } else if task.runnable(self.now.at) {
            Status::Stopped
        } else {
            Status::Unrunnable
        }
    }

    fn reason(&self, task: &Task, status: Status) -> String {
        let (now, time_zone) = (self.now.at, &self.settings.time_zone);
        match status {
            Status::Invalid => "its registration was refused, and it had no valid one before".into(),
            Status::Unreachable => self.why_unreachable(task),
            Status::Unrunnable if task.mode() == Mode::On => {
                format!("{}, but {}", task.mode_in_words(time_zone), task.obstacle_in_words(now, time_zone))
            }
            Status::Unrunnable if task.mode() == Mode::Off => task.mode_in_words(time_zone),
            Status::Unrunnable => task.obstacle_in_words(now, time_zone),
            Status::Running | Status::Stopped if task.mode() == Mode::of(task.running()) => {
                task.mode_in_words(time_zone)
            }
            Status::Running if task.mode() == Mode::Off && !task.stoppable(now) => {
                let holds = if task.held_by_min_on(now) { "min_on holds it" } else { "it may not be stopped now" };
                format!("{}, but {holds}", task.mode_in_words(time_zone))
            }
            Status::Running | Status::Stopped => self.why_as_it_is(task),
        }
    }

    fn why_unreachable(&self, task: &Task) -> String {
        match task.unreachable(self.now.at, self.settings) {
            Some(Unreachable::Offline) => "its availability is offline".into(),
            Some(Unreachable::NoAvailability) => "its availability has not come yet".into(),
            Some(Unreachable::Expired(limit)) => {
                format!("its last state expired: it is older than {}", WholeSeconds(limit))
            }
            _ => "no state has come from it yet".into(),
        }
    }

    /// Why a task in mode `auto`, or one that does not follow its mode yet, runs or doesn't.
    fn why_as_it_is(&self, task: &Task) -> String {
        let (now, time_zone) = (self.now, &self.settings.time_zone);
        match self.activity {
            Activity::Paused => "Sunward is paused".into(),
            _ if task.mode() != Mode::Auto => {
                let what = if task.running() { "stop" } else { "start" };
                format!("{}: it is told to {what}", task.mode_in_words(time_zone))
            }
            _ if let Some(command) = self.unfollowed(task) => command,
            _ if task.deadline_due() && task.running() => task.deadline_in_words(self.last_cycle.at, time_zone),
            Activity::NoData => "no power record arrives".into(),
            Activity::Active => match (&task.verdict, task.back_off().blocked_until()) {
                (Verdict::Waits(Waits::BackOff), Some(until)) => {
                    let again = local((now + until.since(now.at)).wall, time_zone);
                    let unanswered = task.back_off().unanswered();
                    format!("it left {unanswered} starts unanswered: the next one comes after {again}")
                }
                (verdict, _) => verdict.to_string(),
            },
        }
    }

    /// The last cycle commanded it to be otherwise than it is, and why.
    fn unfollowed(&self, task: &Task) -> Option<String> {
        let Verdict::Decided { action, reason, .. } = &task.verdict else { return None };
        let (what, sent) = match action {
            Action::Start if !task.running() => ("start", task.back_off().sent()),
            Action::Stop if task.running() => ("stop", u32::from(task.stopping())),
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
}
