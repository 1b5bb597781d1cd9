//! What Sunward does with each input. PURE: it publishes nothing, reads no clock and writes no log; it says what is to be
//! done.
//!
//! Feed it with [`Service::step`], do what [`Service::take_outputs`] hands out, then the same with [`Service::report`]. Feed
//! it again at [`Service::next_wakeup`] at the latest. The same inputs at the same moments give the same outputs.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use jiff::Timestamp;

use super::cycle_times::next_cycle;
use super::discovery::Discovery;
use super::duplicate_instance::DuplicateInstance;
use super::earlier_run::EarlierRun;
use super::hearing::Hearing;
use super::input::{Input, Timer};
use super::output::{Output, Outputs};
use super::pace::Pace;
use super::publisher::Publisher;
use super::rejections::Rejections;
use super::reports_due::ReportsDue;
use super::set_up::{Power, Sources};
use super::start_up::StartUp;
use crate::config::Estimate;
use crate::core::{Criteria, Instant, Now, Scheduler, TaskId};
use crate::devices::{Devices, Sensors};
use crate::wire::report::LastSwitches;
use crate::wire::topics::Topics;
use crate::wire::{CommandPayloads, Limits};

/// Everything that it knows. The files beside this one add what it does with messages, timers and decisions.
pub(super) struct Service {
    /// The moment of the input that is dealt with: the same for everything that comes of it.
    pub(super) now: Now,
    pub(super) outputs: Outputs,
    pub(super) scheduler: Scheduler,
    /// Of tasks that bring none of their own.
    pub(super) criteria: Criteria,
    /// Of what a task may say.
    pub(super) limits: Limits,
    pub(super) topics: Topics,
    pub(super) power: Power,
    pub(super) estimate: Option<Estimate>,
    /// Those of the configuration.
    pub(super) sensors: Sensors,
    /// Those of the configuration.
    pub(super) devices: Devices,
    pub(super) publisher: Publisher,
    pub(super) reports_due: ReportsDue,
    /// The tasks of which the broker retains a report, a mode or a priority.
    pub(super) reported: BTreeSet<TaskId>,
    pub(super) discovery: Discovery,
    /// What started and stopped last.
    pub(super) last_switches: LastSwitches,
    pub(super) rejections: Rejections,
    pub(super) duplicate: DuplicateInstance,
    pub(super) start_up: StartUp,
    pub(super) earlier_run: EarlierRun,
    /// When the connection was lost, while it is.
    pub(super) disconnected: Option<Instant>,
    pub(super) hearing: Hearing,
    next_cycle: Timestamp,
    /// The start and stop payload of each task that registered itself.
    pub(super) payloads: HashMap<TaskId, CommandPayloads>,
    /// The scheduler was fed in this step.
    pub(super) fed: bool,
    /// The length of a cycle.
    pub(super) cycle: Duration,
    pub(super) dry_run: bool,
    /// What is listened to during the start-up only.
    pub(super) read_once: Vec<String>,
    /// What is listened to for as long as this configuration holds.
    pub(super) filters: Vec<String>,
    pub(super) pace: Pace,
    /// The broker, as people know it.
    pub(super) broker: String,
}

impl Service {
    /// Returns one that has yet to hear what is retained. `broker`: as people know it.
    pub(super) fn new(sources: Sources, broker: String, pace: Pace, now: Now) -> Self {
        let filters = sources.filters();
        let read_once = sources.read_once(&filters);
        let Sources { topics, power, sensors, devices, discovery, settings, criteria, limits, estimate } = sources;
        let (cycle, dry_run) = (settings.cycle, settings.dry_run);
        let mut service = Self {
            now,
            outputs: Outputs::default(),
            scheduler: Scheduler::new(settings, now),
            criteria,
            limits,
            topics,
            power,
            estimate,
            sensors,
            devices,
            publisher: Publisher::new(pace),
            payloads: HashMap::new(),
            fed: false,
            reports_due: ReportsDue::default(),
            reported: BTreeSet::new(),
            discovery,
            last_switches: LastSwitches::default(),
            rejections: Rejections::default(),
            duplicate: DuplicateInstance::default(),
            start_up: StartUp::new(pace),
            earlier_run: EarlierRun::default(),
            disconnected: None,
            hearing: Hearing::new(pace),
            next_cycle: next_cycle(now.wall, cycle),
            cycle,
            dry_run,
            read_once,
            filters,
            pace,
            broker,
        };
        service.register_devices();
        service
    }

    /// Lets one thing happen. What is to be done at once, commands above all, is in [`Service::take_outputs`] afterwards;
    /// reports follow with [`Service::report`].
    pub(super) fn step(&mut self, input: Input, now: Now) {
        self.begin_step(now);
        match input {
            Input::Incoming(incoming) => self.on_incoming(incoming),
            Input::Timer(Timer::Settle) => {
                self.next_cycle = next_cycle(now.wall, self.cycle);
                self.go_online();
            }
            Input::Timer(Timer::Cycle) => {
                self.next_cycle = next_cycle(now.wall, self.cycle);
                self.run_cycle();
            }
            Input::Timer(Timer::Scheduler) => self.wake_scheduler(),
            Input::Timer(Timer::Sensors) => self.wake_sensors(),
            Input::Timer(Timer::Devices) => self.wake_devices(),
            Input::Timer(Timer::Republish) => {
                let device = |topic: &str| self.discovery.retained(topic);
                self.publisher.publish_batch(now.at, device, &mut self.outputs);
            }
            Input::Timer(Timer::Rejections) => self.reports_due.state(),
        }
        // What this input has made due, as a set-point, is sent in the same step. An input that tells the scheduler nothing,
        // as its own cycle that comes back, has no outputs.
        if self.fed && self.start_up.is_over() && self.scheduler.next_wakeup().is_some_and(|due| due <= now.at) {
            self.wake_scheduler();
        }
    }

    pub(super) fn begin_step(&mut self, now: Now) {
        (self.now, self.fed) = (now, false);
        self.hearing.begin_step();
    }

    /// The next multiple of the length of a cycle.
    pub(super) fn set_next_cycle(&mut self) {
        self.next_cycle = next_cycle(self.now.wall, self.cycle);
    }

    /// What is to be done and was not taken yet.
    pub(super) fn outputs(&self) -> &[Output] {
        self.outputs.as_slice()
    }

    /// Hands out what is to be done, in this order.
    pub(super) fn take_outputs(&mut self) -> impl Iterator<Item = Output> {
        self.outputs.drain()
    }

    /// What has to be fed next if nothing else happens, and when. A moment of the wall clock is reckoned from `now`: ask
    /// again when somebody may have set that clock.
    pub(super) fn next_wakeup(&self, now: Now) -> Option<(Instant, Timer)> {
        let online = self.start_up.is_over();
        let when_online = |at: Option<Instant>| at.filter(|_| online);
        [
            (self.start_up.ends_at(), Timer::Settle),
            (when_online(Some(now.until(self.next_cycle).at)), Timer::Cycle),
            (when_online(self.scheduler.next_wakeup()), Timer::Scheduler),
            (when_online(self.hearing.next_wakeup()), Timer::Scheduler),
            (self.sensors.next_wakeup(), Timer::Sensors),
            (self.devices.next_wakeup(), Timer::Devices),
            (self.publisher.next_batch(), Timer::Republish),
            (when_online(self.rejections.due()), Timer::Rejections),
        ]
        .into_iter()
        .filter_map(|(at, timer)| Some((at?, timer)))
        .min_by_key(|(at, _)| *at)
    }
}
