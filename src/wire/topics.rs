//! Every topic of Sunward, in both directions: built here, recognised here, written nowhere else.
//!
//! The topics of somebody else's devices are not among them: `[[task]]` and `[[power.sensor]]` name those.

use super::topic::check_base;
pub use crate::core::{InvalidTaskId, TaskId};

/// A base topic that no topic can begin with. Names the key, `mqtt.base_topic`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("mqtt.base_topic: {0}")]
pub struct BaseTopicError(String);

/// A topic of Sunward, recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Topic {
    /// A whole power record.
    Power,
    /// A record that stands in for a silent meter.
    PowerFallback,
    /// A command of a user to the scheduler.
    SchedulerSet,
    /// How the scheduler is.
    SchedulerState,
    /// The report of the last cycle.
    SchedulerCycle,
    /// Whether a scheduler is there.
    SchedulerAvailability,
    /// One of a task's topics.
    Task(TaskId, TaskTopic),
}

/// The last part of a task's topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskTopic {
    /// Its registration.
    Config,
    /// Its state.
    State,
    /// Whether it is there.
    Availability,
    /// Start and stop.
    Set,
    /// The watts it may use now.
    Setpoint,
    /// How the scheduler sees it.
    Report,
    /// A user sets its mode.
    ModeSet,
    /// The mode that a user set.
    Mode,
    /// A user sets its priority.
    PrioritySet,
    /// The priority that a user set, or `auto`.
    Priority,
}

impl TaskTopic {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Config,
        Self::State,
        Self::Availability,
        Self::Set,
        Self::Setpoint,
        Self::Report,
        Self::ModeSet,
        Self::Mode,
        Self::PrioritySet,
        Self::Priority,
    ];

    /// What follows `<base>/task/<id>/`.
    #[must_use]
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::State => "state",
            Self::Availability => "availability",
            Self::Set => "set",
            Self::Setpoint => "setpoint",
            Self::Report => "report",
            Self::ModeSet => "mode/set",
            Self::Mode => "mode",
            Self::PrioritySet => "priority/set",
            Self::Priority => "priority",
        }
    }
}

/// The topics under one base topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topics {
    base: String,
}

impl Topics {
    /// Under `mqtt.base_topic`, which may have several levels.
    ///
    /// # Errors
    /// When no topic can begin with it.
    pub fn new(base: impl Into<String>) -> Result<Self, BaseTopicError> {
        let base = base.into();
        match check_base(&base) {
            Ok(()) => Ok(Self { base }),
            Err(problem) => Err(BaseTopicError(problem)),
        }
    }

    /// What all of them begin with.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// `<base>/power`.
    #[must_use]
    pub fn power(&self) -> String {
        self.of(&Topic::Power)
    }

    /// `<base>/power/fallback`.
    #[must_use]
    pub fn power_fallback(&self) -> String {
        self.of(&Topic::PowerFallback)
    }

    /// `<base>/scheduler/set`.
    #[must_use]
    pub fn scheduler_set(&self) -> String {
        self.of(&Topic::SchedulerSet)
    }

    /// `<base>/scheduler/state`.
    #[must_use]
    pub fn scheduler_state(&self) -> String {
        self.of(&Topic::SchedulerState)
    }

    /// `<base>/scheduler/cycle`.
    #[must_use]
    pub fn scheduler_cycle(&self) -> String {
        self.of(&Topic::SchedulerCycle)
    }

    /// `<base>/scheduler/availability`.
    #[must_use]
    pub fn scheduler_availability(&self) -> String {
        self.of(&Topic::SchedulerAvailability)
    }

    /// `<base>/task/<id>/…`.
    #[must_use]
    pub fn task(&self, id: &TaskId, topic: TaskTopic) -> String {
        format!("{}/task/{id}/{}", self.base, topic.suffix())
    }

    /// The filter for one kind of topic of all tasks.
    #[must_use]
    pub fn every_task(&self, topic: TaskTopic) -> String {
        format!("{}/task/+/{}", self.base, topic.suffix())
    }

    /// Any topic.
    #[must_use]
    pub fn of(&self, topic: &Topic) -> String {
        let rest = match topic {
            Topic::Power => "power",
            Topic::PowerFallback => "power/fallback",
            Topic::SchedulerSet => "scheduler/set",
            Topic::SchedulerState => "scheduler/state",
            Topic::SchedulerCycle => "scheduler/cycle",
            Topic::SchedulerAvailability => "scheduler/availability",
            Topic::Task(id, topic) => return self.task(id, *topic),
        };
        format!("{}/{rest}", self.base)
    }

    /// Returns which topic this is; `None` if it is not one of ours, or has an id that can't be one.
    #[must_use]
    pub fn parse(&self, topic: &str) -> Option<Topic> {
        let rest = topic.strip_prefix(&self.base)?.strip_prefix('/')?;
        if let Some(rest) = rest.strip_prefix("task/") {
            let (id, suffix) = rest.split_once('/')?;
            let kind = TaskTopic::ALL.into_iter().find(|kind| kind.suffix() == suffix)?;
            return Some(Topic::Task(TaskId::new(id).ok()?, kind));
        }
        match rest {
            "power" => Some(Topic::Power),
            "power/fallback" => Some(Topic::PowerFallback),
            "scheduler/set" => Some(Topic::SchedulerSet),
            "scheduler/state" => Some(Topic::SchedulerState),
            "scheduler/cycle" => Some(Topic::SchedulerCycle),
            "scheduler/availability" => Some(Topic::SchedulerAvailability),
            _ => None,
        }
    }

    /// What the scheduler listens to for as long as it runs, but for power: where that comes from is configured.
    #[must_use]
    pub fn filters(&self) -> Vec<String> {
        use TaskTopic::{Availability, Config, ModeSet, PrioritySet, State};
        let tasks = [Config, State, Availability, ModeSet, PrioritySet].map(|topic| self.every_task(topic));
        // What it says itself comes back, and whoever else says it is heard.
        let own = [self.scheduler_availability(), self.scheduler_cycle()];
        [self.scheduler_set()].into_iter().chain(own).chain(tasks).collect()
    }

    /// What else the scheduler itself had retained, to be read once after a start.
    #[must_use]
    pub fn own_filters(&self) -> Vec<String> {
        use TaskTopic::{Mode, Priority, Report, Setpoint};
        let tasks = [Mode, Priority, Report, Setpoint].map(|topic| self.every_task(topic));
        [self.scheduler_state()].into_iter().chain(tasks).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(id: &str, topic: TaskTopic) -> Topic {
        Topic::Task(TaskId::new(id).unwrap(), topic)
    }

    #[test]
    fn every_topic_is_written_and_recognised() {
        let topics = Topics::new("home/sunward").unwrap();
        for (topic, written) in [
            (Topic::Power, "power"),
            (Topic::PowerFallback, "power/fallback"),
            (Topic::SchedulerSet, "scheduler/set"),
            (Topic::SchedulerState, "scheduler/state"),
            (Topic::SchedulerCycle, "scheduler/cycle"),
            (Topic::SchedulerAvailability, "scheduler/availability"),
            (task("ev", TaskTopic::Config), "task/ev/config"),
            (task("ev", TaskTopic::State), "task/ev/state"),
            (task("ev", TaskTopic::Availability), "task/ev/availability"),
            (task("ev", TaskTopic::Set), "task/ev/set"),
            (task("ev", TaskTopic::Setpoint), "task/ev/setpoint"),
            (task("ev", TaskTopic::Report), "task/ev/report"),
            (task("ev", TaskTopic::ModeSet), "task/ev/mode/set"),
            (task("ev", TaskTopic::Mode), "task/ev/mode"),
            (task("ev", TaskTopic::PrioritySet), "task/ev/priority/set"),
            (task("A_b-9", TaskTopic::Priority), "task/A_b-9/priority"),
        ] {
            let full = format!("home/sunward/{written}");
            assert_eq!(topics.of(&topic), full);
            assert_eq!(topics.parse(&full), Some(topic));
        }
    }

    #[test]
    fn other_topics_are_not_ours() {
        let topics = Topics::new("sunward").unwrap();
        for topic in [
            "",
            "sunward",
            "sunward/",
            "sunwards/power",
            "sunward/power/",
            "sunward/task/ev",
            "sunward/task//state",
            "sunward/task/e v/state",
            "sunward/task/ev/state/x",
            "sunward/task/ev/mode/set/x",
            "other/sunward/power",
            "SUNWARD/power",
        ] {
            assert_eq!(topics.parse(topic), None, "{topic}");
        }
        assert_eq!(topics.parse(&format!("sunward/task/{}/state", "x".repeat(65))), None);
    }

    #[test]
    fn ids_are_short_and_plain() {
        for id in ["a", "0", "-", "_", "Water-heater_2", &"x".repeat(64)] {
            assert!(TaskId::new(id).is_ok(), "{id}");
        }
        for id in ["", " ", "a b", "a/b", "+", "#", "ä", "a.b", &"x".repeat(65)] {
            assert!(TaskId::new(id).is_err(), "{id}");
        }
    }

    #[test]
    fn a_base_that_would_break_topics_is_refused_by_its_key() {
        for base in ["sunward", "home/sunward", "Zuhause/Sonne ☀"] {
            assert!(Topics::new(base).is_ok(), "{base}");
        }
        for base in ["", "/", "a/", "/a", "a//b", "a/+", "#", "$SYS", &"x".repeat(129)] {
            assert!(Topics::new(base).unwrap_err().to_string().starts_with("mqtt.base_topic: "), "{base}");
        }
    }

    #[test]
    fn what_is_listened_to_is_what_others_publish_or_might() {
        let topics = Topics::new("s").unwrap();
        assert_eq!(
            topics.filters(),
            [
                "s/scheduler/set",
                "s/scheduler/availability",
                "s/scheduler/cycle",
                "s/task/+/config",
                "s/task/+/state",
                "s/task/+/availability",
                "s/task/+/mode/set",
                "s/task/+/priority/set"
            ]
        );
        assert_eq!(
            topics.own_filters(),
            ["s/scheduler/state", "s/task/+/mode", "s/task/+/priority", "s/task/+/report", "s/task/+/setpoint"]
        );
    }
}
