//! The scheduler within the service: events go in, cycles run, and what it decides becomes outputs.

use super::estimate::record;
use super::output::Output;
use super::service::Service;
use crate::core::{Action, Activity, Event, Instruction, Refusal, Source, TaskId};
use crate::devices::Received;
use crate::mqtt::Message;
use crate::units::plural;
use crate::wire::report::{SchedulerCycle, payload};
use crate::wire::topics::{TaskTopic, Topic};

impl Service {
    /// Hands an event to the scheduler. What of it is refused is a rejection of what came from `topic`.
    pub(super) fn handle(&mut self, event: Event, topic: &str) {
        let _ = self.feed_scheduler(event, topic);
    }

    /// The same with what came from a sensor or a device, which may be a problem already.
    pub(super) fn feed_received(&mut self, received: Received, from: &str) {
        match received {
            Ok(event) => self.handle(event, from),
            Err(problem) => self.reject(from, &problem),
        }
    }

    /// As [`Service::handle`], for callers that need to know what was refused.
    pub(super) fn feed_scheduler(&mut self, event: Event, topic: &str) -> Result<(), Refusal> {
        self.fed = true;
        let before = self.scheduler.activity();
        self.reports_due.note_event(&event);
        let outcome = self.scheduler.handle(event, self.now);
        if let Err(refusal) = &outcome {
            self.reject(topic, &refusal.to_string());
        }
        self.collect_instructions();
        let activity = self.scheduler.activity();
        if before != activity {
            self.reports_due.everything();
        }
        if before == Activity::NoData && activity == Activity::Active {
            self.outputs.info("power records arrive again");
        }
        outcome
    }

    pub(super) fn reject(&mut self, topic: &str, error: &str) {
        self.rejections.note(topic, error, self.now, &mut self.outputs);
        self.reports_due.state();
    }

    /// The retained messages have come in: what an earlier run left is taken over, and scheduling begins.
    pub(super) fn go_online(&mut self) {
        for filter in std::mem::take(&mut self.read_once) {
            self.outputs.push(Output::Unsubscribe { filter });
        }
        self.fed = true;
        self.scheduler.begin(self.now);
        self.duplicate.set_online(self.now);
        self.settle_devices();
        self.restore();
        let commands = self.start_up.end();
        let availability = self.topics.scheduler_availability();
        self.publisher.publish_if_changed(availability, b"online".to_vec(), &mut self.outputs);
        // What an earlier run left is corrected before anybody relies on this one.
        self.reports_due.everything();
        self.report();
        self.outputs.push(Output::Ready);
        let tasks = plural(self.scheduler.task_count(), "task");
        self.outputs.info(format!("online with {tasks}, waiting for power records on {}", self.power));
        for command in commands {
            self.receive_late(command);
        }
    }

    /// A command that came during the start-up.
    fn receive_late(&mut self, command: Message) {
        match self.topics.parse(&command.topic) {
            Some(Topic::Task(id, kind)) => self.receive_task_command(id, kind, command),
            _ => self.receive_command(command),
        }
    }

    /// Takes over what an earlier run left, and clears the set-points that nobody gets any more.
    fn restore(&mut self) {
        let earlier_run = std::mem::take(&mut self.earlier_run);
        let with_setpoint = earlier_run.with_setpoint();
        let (snapshot, last_switches) = earlier_run.into_snapshot(|id| !self.devices.has_setpoint_topic(id));
        if let Some(since) = snapshot.paused_since {
            self.outputs.info(format!("still paused, since {since}"));
        }
        self.last_switches = last_switches;
        let restored = self.scheduler.restore(snapshot, self.now);
        for id in with_setpoint.difference(&restored) {
            self.publisher.clear_retained(&self.topics.task(id, TaskTopic::Setpoint), &mut self.outputs);
        }
    }

    pub(super) fn run_cycle(&mut self) {
        let now = self.now;
        self.make_sure_of_silence();
        if self.scheduler.lacks_record(now) {
            self.estimate();
        }
        let cycle = self.scheduler.cycle(now);
        self.collect_instructions();
        let name = |id: &TaskId| self.scheduler.registration(id).map(|registration| registration.name.clone());
        self.last_switches.note(&cycle, name);
        let record = self.scheduler.latest_record();
        let cycle = SchedulerCycle::new(&cycle, record, self.last_switches.clone(), self.duplicate.online_since());
        self.publisher.publish_always(self.topics.scheduler_cycle(), payload(&cycle), &mut self.outputs);
        self.reports_due.everything();
    }

    pub(super) fn wake_scheduler(&mut self) {
        self.make_sure_of_silence();
        if self.scheduler.is_data_missing(self.now) {
            self.estimate();
        }
        let before = self.scheduler.activity();
        for id in self.scheduler.wake(self.now) {
            self.reports_due.task(&id);
        }
        if before != self.scheduler.activity() {
            self.outputs.warn(format!("no power record arrives on {}", self.power));
            self.reports_due.everything();
        }
        // Data may be missing during a pause too: a warning says so.
        self.reports_due.state();
        self.collect_instructions();
    }

    /// Where nobody measures, the sun is looked up, if the configuration says where it is.
    fn estimate(&mut self) {
        let Some(estimate) = &self.estimate else { return };
        let values = record(estimate, self.now.wall, self.scheduler.expected_use(self.now));
        self.handle(Event::Power { source: Source::Fallback, values, measured: None }, "power.estimate");
    }

    /// Takes what was decided: stops come before starts.
    fn collect_instructions(&mut self) {
        while let Some(instruction) = self.scheduler.next_instruction() {
            self.reports_due.task(instruction.task());
            if let Instruction::Decided(decision) = &instruction {
                let dry_run = if self.dry_run { "dry run, not sent: " } else { "" };
                self.outputs.info(format!("{dry_run}{decision}"));
                self.outputs.push(Output::Decided(decision.clone()));
            }
            if self.dry_run {
                continue;
            }
            match instruction {
                Instruction::Decided(decision) => self.command(&decision.task, decision.action),
                Instruction::Renew(task) => self.command(&task, Action::Start),
                Instruction::Setpoint(task, watts) => self.send_setpoint(&task, watts),
            }
        }
        self.send_to_devices();
    }
}
