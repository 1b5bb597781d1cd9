//! Home Assistant's side of the bridge: its devices appear, change and go with the tasks.
//!
//! Refuses to know what a device looks like (`home_assistant` does), and to fight: what somebody removed in Home
//! Assistant stays away until it changes.

use std::collections::{HashMap, HashSet};

use crate::config;
use crate::core::{TaskId, TaskView};
use crate::home_assistant::{DiscoveredTask, HomeAssistant};
use crate::mqtt::Message;
use crate::wire::topics::Topics;

use super::publisher::{Family, Outlet};

#[derive(Debug)]
pub(super) struct Discovery {
    home_assistant: HomeAssistant,
    enabled: bool,
    /// The topics of devices.
    devices: Family,
    /// What the devices were made of.
    told: Option<Vec<(TaskId, String, bool)>>,
    /// Topics that we cleared ourselves, until we hear of it.
    cleared: HashSet<String>,
    /// What devices were when somebody removed them.
    dismissed: HashMap<String, Vec<u8>>,
}

impl Discovery {
    pub(super) fn new(config: &config::HomeAssistant, topics: &Topics) -> Self {
        Self {
            home_assistant: HomeAssistant::new(&config.discovery_prefix, topics),
            enabled: config.discovery,
            devices: Family::default(),
            told: None,
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
    pub(super) fn receive(&mut self, message: &Message, starting: bool, outlet: &mut Outlet) -> bool {
        let Message { topic, payload, retain } = message;
        if self.home_assistant.is_ours(topic) {
            // One that we cleared ourselves is heard of once, before anything that we published there afterwards.
            let by_us = self.cleared.remove(topic);
            if !payload.is_empty() {
                if starting && *retain {
                    outlet.remember(&mut self.devices, topic, payload);
                }
            } else if !by_us && let Some(device) = outlet.lose(&mut self.devices, topic) {
                tracing::info!("{topic} was cleared: the device stays away until its registration changes");
                self.dismissed.insert(topic.clone(), device);
            }
        } else {
            return self.home_assistant.is_not_ours(topic);
        }
        true
    }

    /// Publishes the devices that are new or changed, and clears those that are gone.
    pub(super) fn tell(&mut self, tasks: &[TaskView], outlet: &mut Outlet) {
        let told = self.told.as_ref().map(|told| told.iter().map(|(id, name, setpoint)| (id, name, *setpoint)));
        if told.is_some_and(|told| told.eq(made_of(tasks))) {
            return;
        }
        self.told = Some(made_of(tasks).map(|(id, name, setpoint)| (id.clone(), name.clone(), setpoint)).collect());
        let tasks = made_of(tasks).map(|(id, name, has_setpoint)| DiscoveredTask { id, name, has_setpoint });
        let mut devices = if self.enabled { self.home_assistant.devices(tasks) } else { Default::default() };
        self.dismissed.retain(|topic, device| devices.get(topic) == Some(device));
        devices.retain(|topic, _| !self.dismissed.contains_key(topic));
        self.cleared.extend(outlet.replace(&mut self.devices, devices));
    }

    /// The topics of all devices.
    pub(super) fn topics(&self) -> Vec<String> {
        self.devices.topics()
    }
}

/// What the devices of tasks are made of.
fn made_of(tasks: &[TaskView]) -> impl Iterator<Item = (&TaskId, &String, bool)> {
    tasks.iter().map(|task| (&task.id, &task.name, task.has_setpoint))
}
