//! Home Assistant's devices: they appear, change and go with the tasks. What they look like, `home_assistant` knows.
//!
//! A device that somebody removed in Home Assistant stays away until it changes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::config;
use crate::core::{TaskId, TaskView};
use crate::home_assistant::{DeviceOf, DiscoveredTask, HomeAssistant};
use crate::mqtt::Message;
use crate::wire::topics::Topics;

use super::output::{Output, Outputs};

/// A payload is five kilobytes: what is compared with it later is its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fingerprint(u64);

impl Fingerprint {
    fn of(payload: &[u8]) -> Self {
        let mut hasher = DefaultHasher::new();
        payload.hash(&mut hasher);
        Self(hasher.finish())
    }
}

#[derive(Debug)]
pub(super) struct Discovery {
    home_assistant: HomeAssistant,
    enabled: bool,
    /// What the broker retains, by topic.
    retained: BTreeMap<String, Fingerprint>,
    /// What the devices are made of: of each task its name, and whether it has a set-point.
    tasks: BTreeMap<TaskId, (String, bool)>,
    /// Devices that may have changed.
    due: BTreeSet<DeviceOf>,
    /// Topics that we cleared ourselves, and how often we have yet to hear of it.
    cleared: HashMap<String, usize>,
    /// What devices were when somebody removed them.
    dismissed: HashMap<String, Fingerprint>,
}

impl Discovery {
    pub(super) fn new(config: &config::HomeAssistantSettings, topics: &Topics) -> Self {
        Self {
            home_assistant: HomeAssistant::new(&config.discovery_prefix, topics),
            enabled: config.discovery,
            retained: BTreeMap::new(),
            tasks: BTreeMap::new(),
            due: BTreeSet::from([DeviceOf::Sunward]),
            cleared: HashMap::new(),
            dismissed: HashMap::new(),
        }
    }

    /// Its devices are on the same topics and read the same topics.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let looks = |it: &Self| (it.enabled, it.home_assistant.status_topic(), it.home_assistant.sunward_payload());
        looks(self) == looks(other)
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
    pub(super) fn receive(&mut self, message: &Message, starting: bool, outputs: &mut Outputs) -> bool {
        let Message { topic, payload, retain } = message;
        let Some(device) = self.home_assistant.device_of(topic) else {
            return self.home_assistant.is_foreign(topic);
        };
        if !payload.is_empty() {
            if starting && *retain {
                self.retained.insert(topic.clone(), Fingerprint::of(payload));
                self.due.insert(device);
            }
        } else if !self.is_cleared_by_us(topic)
            && let Some(removed) = self.retained.remove(topic)
        {
            outputs.info(format!(
                "{topic} was cleared: the device stays away until its name changes, or whether it gets set-points"
            ));
            self.dismissed.insert(topic.clone(), removed);
        }
        true
    }

    /// Whether this is the echo of our own clearing: each is heard of once. One that gets lost hides a user's later one: the
    /// device then comes back, which is the lesser evil.
    fn is_cleared_by_us(&mut self, topic: &str) -> bool {
        let Some(count) = self.cleared.get_mut(topic) else { return false };
        *count -= 1;
        if *count == 0 {
            self.cleared.remove(topic);
        }
        true
    }

    /// One task, as it is now; none: it is gone.
    pub(super) fn set_task(&mut self, id: &TaskId, view: Option<&TaskView>) {
        let before = self.tasks.get(id).map(|(name, has_setpoint)| (name, *has_setpoint));
        if before == view.map(|view| (&view.name, view.has_setpoint)) {
            return;
        }
        self.due.insert(DeviceOf::Task(id.clone()));
        match view {
            Some(view) => drop(self.tasks.insert(id.clone(), (view.name.clone(), view.has_setpoint))),
            None => drop(self.tasks.remove(id)),
        }
    }

    /// Publishes the devices that are new or changed, and clears those that are gone.
    pub(super) fn publish(&mut self, outputs: &mut Outputs) {
        for device in std::mem::take(&mut self.due) {
            let topic = self.home_assistant.topic(&device);
            match self.payload(&device) {
                Some(payload) => self.publish_if_changed(topic, payload, outputs),
                None => self.clear(topic, outputs),
            }
        }
    }

    fn publish_if_changed(&mut self, topic: String, payload: Vec<u8>, outputs: &mut Outputs) {
        let fingerprint = Fingerprint::of(&payload);
        if self.dismissed.get(&topic) == Some(&fingerprint) {
            return;
        }
        self.dismissed.remove(&topic);
        if self.retained.insert(topic.clone(), fingerprint) != Some(fingerprint) {
            outputs.push(Output::State { topic, payload });
        }
    }

    fn clear(&mut self, topic: String, outputs: &mut Outputs) {
        self.dismissed.remove(&topic);
        if self.retained.remove(&topic).is_some() {
            *self.cleared.entry(topic.clone()).or_default() += 1;
            outputs.push(Output::Clear { topic });
        }
    }

    /// What should be retained of a device; none: nothing.
    fn payload(&self, device: &DeviceOf) -> Option<Vec<u8>> {
        match device {
            _ if !self.enabled => None,
            DeviceOf::Sunward => Some(self.home_assistant.sunward_payload()),
            DeviceOf::Task(id) => self.tasks.get(id).map(|(name, has_setpoint)| {
                self.home_assistant.task_payload(DiscoveredTask { id, name, has_setpoint: *has_setpoint })
            }),
        }
    }

    /// The topics of all devices that the broker retains.
    pub(super) fn topics(&self) -> impl Iterator<Item = String> + '_ {
        self.retained.keys().cloned()
    }

    /// What the broker retains on the topic of a device, to be published again.
    pub(super) fn retained(&self, topic: &str) -> Option<Vec<u8>> {
        self.retained.contains_key(topic).then(|| self.payload(&self.home_assistant.device_of(topic)?))?
    }
}
