//! Another configuration while it runs: what was configured changes, what is known stays. Tasks, their switches, budgets and
//! modes, the window and the energies are the scheduler's, which goes on; nothing is commanded because of it.

use std::collections::BTreeSet;

use super::discovery::Discovery;
use super::output::Output;
use super::publisher::Publisher;
use super::service::Service;
use super::set_up::Sources;
use crate::core::{Event, Now, TaskId};

/// Where events come from that a new configuration makes.
const CONFIGURATION: &str = "the configuration";

impl Service {
    /// Goes on with other sources. What comes of it is in [`Service::take_outputs`], and more with [`Service::report`].
    pub(super) fn reload(&mut self, sources: Sources, now: Now) {
        self.begin_step(now);
        let before = std::mem::take(&mut self.filters);
        self.filters = sources.filters();
        let Sources { topics, power, sensors, devices, discovery, settings, criteria, limits, estimate } = sources;
        let moves = topics.scheduler_availability() != self.topics.scheduler_availability();
        let gone = self.tasks_that_go(&devices, moves);

        self.change_discovery(discovery);
        if moves {
            self.publisher.clear_all(&mut self.outputs);
            self.publisher = Publisher::new(self.pace);
        }
        (self.cycle, self.dry_run) = (settings.cycle, settings.dry_run);
        self.scheduler.reconfigure(settings);
        (self.topics, self.power, self.sensors, self.devices) = (topics, power, sensors, devices);
        (self.criteria, self.limits, self.estimate) = (criteria, limits, estimate);
        self.set_next_cycle();
        for id in gone {
            self.payloads.remove(&id);
            self.handle(Event::Unregistered(id.clone()), CONFIGURATION);
            self.handle(Event::StateCleared(id.clone()), CONFIGURATION);
            self.handle(Event::Availability(id, None), CONFIGURATION);
        }
        self.register_devices();
        self.recall_devices();
        for filter in before.iter().filter(|filter| !self.filters.contains(filter)) {
            self.outputs.push(Output::Unsubscribe { filter: filter.clone() });
        }
        // All of them: what is retained comes again, and is read by the new rules.
        for filter in &self.filters {
            self.outputs.push(Output::Subscribe { filter: filter.clone() });
        }
        if self.start_up.is_over() {
            let availability = self.topics.scheduler_availability();
            self.publisher.publish_if_changed(availability, b"online".to_vec(), &mut self.outputs);
            self.reports_due.everything();
        }
        self.outputs.info("the configuration was read again");
    }

    /// The tasks of the configuration that stand there no more; with another base topic, all that registered themselves below
    /// the old one too.
    fn tasks_that_go(&self, devices: &crate::devices::Devices, moves: bool) -> Vec<TaskId> {
        let stays = |id: &TaskId| devices.registered(id).is_some();
        let known: BTreeSet<TaskId> = self.scheduler.tasks(self.now).into_iter().map(|task| task.id).collect();
        let goes = |id: &TaskId| !stays(id) && (moves || self.devices.registered(id).is_some());
        known.into_iter().filter(goes).collect()
    }

    /// Home Assistant's devices stay where they are, unless their topics or what they read are others.
    fn change_discovery(&mut self, new: Discovery) {
        if new.is_like(&self.discovery) {
            return;
        }
        for topic in self.discovery.topics() {
            self.outputs.push(Output::Clear { topic });
        }
        self.discovery = new;
    }

    /// What is known of the tasks of the configuration, for those that never tell.
    fn recall_devices(&mut self) {
        let known = self.scheduler.tasks(self.now);
        for task in &known {
            let running = self.scheduler.state(&task.id).is_some_and(|state| state.running);
            self.devices.recall(&task.id, running);
        }
        if self.start_up.is_over() {
            self.settle_devices();
        }
    }
}
