//! Home Assistant's devices: they appear, change and go with the tasks. What they look like, `home_assistant` knows.
//!
//! A device that somebody removed in Home Assistant stays away until it changes.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::config;
use crate::core::{TaskId, TaskView};
use crate::home_assistant::{DiscoveredTask, HomeAssistant};
use crate::mqtt::Message;
use crate::wire::topics::Topics;

use super::output::Outputs;
use super::publisher::{Publisher, TopicGroup};

#[derive(Debug)]
pub(super) struct Discovery {
    home_assistant: HomeAssistant,
    enabled: bool,
    /// The topics of devices.
    devices: TopicGroup,
    /// What the devices are made of: of each task its name, and whether it has a set-point.
    tasks: BTreeMap<TaskId, (String, bool)>,
    /// The devices are not made of that yet.
    stale: bool,
    /// Topics that we cleared ourselves, until we hear of it.
    cleared: HashSet<String>,
    /// What devices were when somebody removed them.
    dismissed: HashMap<String, Vec<u8>>,
}

impl Discovery {
    pub(super) fn new(config: &config::HomeAssistantSettings, topics: &Topics) -> Self {
        Self {
            home_assistant: HomeAssistant::new(&config.discovery_prefix, topics),
            enabled: config.discovery,
            devices: TopicGroup::default(),
            tasks: BTreeMap::new(),
            stale: true,
            cleared: HashSet::new(),
            dismissed: HashMap::new(),
        }
    }

    /// What has to be heard for as long as Sunward runs.
    pub(super) fn filters(&self) -> Vec<String> {
        if self.enabled { vec![self.home_assistant.status_topic(), self.home_assistant.filter()] } else { Vec::new() }
    }

    /// What has to be read once: devices of an earlier run, to be cleared.
    pub(super) fn read_once(&self) -> Option<String> {
        (!self.enabled).then(|| self.home_assistant.filter())
    }

    /// Home Assistant has started. A retained message tells of an earlier start.
    pub(super) fn is_birth(&self, message: &Message) -> bool {
        let Message { topic, payload, retain } = message;
        self.enabled && !retain && payload == b"online" && *topic == self.home_assistant.status_topic()
    }

    /// Takes a message of Home Assistant's topics; `false`: it is none. `starting`: what earlier runs left is coming in.
    pub(super) fn receive(
        &mut self,
        message: &Message,
        starting: bool,
        publisher: &mut Publisher,
        outputs: &mut Outputs,
    ) -> bool {
        let Message { topic, payload, retain } = message;
        if self.home_assistant.is_ours(topic) {
            // One that we cleared ourselves is heard of once, before anything that we published there afterwards.
            let by_us = self.cleared.remove(topic);
            if !payload.is_empty() {
                if starting && *retain {
                    publisher.note_in_group(&mut self.devices, topic, payload);
                }
            } else if !by_us && let Some(device) = publisher.note_cleared(&mut self.devices, topic) {
                outputs.info(format!(
                    "{topic} was cleared: the device stays away until its name changes, or whether it gets set-points"
                ));
                self.dismissed.insert(topic.clone(), device);
            }
        } else {
            return self.home_assistant.is_foreign(topic);
        }
        true
    }

    /// One task, as it is now; none: it is gone.
    pub(super) fn set_task(&mut self, id: &TaskId, view: Option<&TaskView>) {
        let before = self.tasks.get(id).map(|(name, has_setpoint)| (name, *has_setpoint));
        if before == view.map(|view| (&view.name, view.has_setpoint)) {
            return;
        }
        self.stale = true;
        match view {
            Some(view) => drop(self.tasks.insert(id.clone(), (view.name.clone(), view.has_setpoint))),
            None => drop(self.tasks.remove(id)),
        }
    }

    /// Publishes the devices that are new or changed, and clears those that are gone.
    pub(super) fn publish(&mut self, publisher: &mut Publisher, outputs: &mut Outputs) {
        if !std::mem::take(&mut self.stale) {
            return;
        }
        let tasks = self.tasks.iter().map(|(id, (name, has_setpoint))| DiscoveredTask {
            id,
            name,
            has_setpoint: *has_setpoint,
        });
        let mut devices = if self.enabled { self.home_assistant.devices(tasks) } else { Default::default() };
        self.dismissed.retain(|topic, device| devices.get(topic) == Some(device));
        devices.retain(|topic, _| !self.dismissed.contains_key(topic));
        self.cleared.extend(publisher.replace_group(&mut self.devices, devices, outputs));
    }

    /// The topics of all devices.
    pub(super) fn topics(&self) -> Vec<String> {
        self.devices.topics()
    }
}
