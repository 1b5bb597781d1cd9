//! The discovery messages of one Sunward: their topics, and which of them are its own.

use std::fmt::Write as _;

use super::device::{Device, slug};
use super::task::DiscoveredTask;
use super::{sunward, task};
use crate::core::TaskId;
use crate::wire::topics::Topics;

/// What a task's id follows in the name of its device.
const TASK: &str = "_task_";

/// What a device of Home Assistant stands for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeviceOf {
    /// Sunward itself.
    Sunward,
    /// A task.
    Task(TaskId),
}

/// Makes the discovery messages of one Sunward.
#[derive(Debug, Clone)]
pub struct HomeAssistant {
    prefix: String,
    topics: Topics,
    /// The device Sunward in topics and unique ids; no other base topic makes the same.
    node: String,
}

impl HomeAssistant {
    /// For the prefix that Home Assistant listens to (`homeassistant.discovery_prefix`).
    #[must_use]
    pub fn new(prefix: &str, topics: &Topics) -> Self {
        Self { prefix: prefix.to_owned(), topics: topics.clone(), node: node(topics.base()) }
    }

    /// Returns the topic on which Home Assistant says `online` when it has started.
    #[must_use]
    pub fn status_topic(&self) -> String {
        format!("{}/status", self.prefix)
    }

    /// Returns the filter for the devices of everybody.
    #[must_use]
    pub fn filter(&self) -> String {
        format!("{}/device/+/config", self.prefix)
    }

    /// Returns whose device a discovery message is about, of this run or an earlier one; `None`: not one of ours.
    #[must_use]
    pub fn device_of(&self, topic: &str) -> Option<DeviceOf> {
        let rest = topic.strip_prefix(&self.prefix)?.strip_prefix("/device/")?;
        match rest.strip_suffix("/config")?.strip_prefix(&self.node)? {
            "" => Some(DeviceOf::Sunward),
            rest => rest.strip_prefix(TASK).and_then(|id| TaskId::new(id).ok()).map(DeviceOf::Task),
        }
    }

    /// Returns whether a topic is Home Assistant's, or about a device of somebody else's.
    #[must_use]
    pub fn is_foreign(&self, topic: &str) -> bool {
        let rest = topic.strip_prefix(&self.prefix).and_then(|rest| rest.strip_prefix('/'));
        rest.is_some_and(|rest| rest == "status" || rest.starts_with("device/")) && self.device_of(topic).is_none()
    }

    /// Returns the topic on which a device is retained.
    #[must_use]
    pub fn topic(&self, device: &DeviceOf) -> String {
        format!("{}/device/{}/config", self.prefix, self.object_id(device))
    }

    /// Returns the device Sunward with its entities: what should be retained.
    #[must_use]
    pub fn sunward_payload(&self) -> Vec<u8> {
        self.sunward().payload.to_string().into_bytes()
    }

    /// Returns the device of a task with its entities: what should be retained.
    #[must_use]
    pub fn task_payload(&self, task: DiscoveredTask<'_>) -> Vec<u8> {
        self.task(task).payload.to_string().into_bytes()
    }

    fn object_id(&self, device: &DeviceOf) -> String {
        match device {
            DeviceOf::Sunward => self.node.clone(),
            DeviceOf::Task(id) => format!("{}{TASK}{id}", self.node),
        }
    }

    pub(super) fn sunward(&self) -> Device {
        let base = self.topics.base();
        // Two homes on one broker are two Sunwards.
        let name = if base == "sunward" { "Sunward".to_owned() } else { format!("Sunward {base}") };
        let mut device = Device::new(self.node.clone(), slug(base), &name, "Scheduler");
        sunward::describe(&mut device, &self.topics);
        device.available_with(self.topics.scheduler_availability());
        device
    }

    pub(super) fn task(&self, task: DiscoveredTask<'_>) -> Device {
        let object_id = self.object_id(&DeviceOf::Task(task.id.clone()));
        let entity = slug(&format!("{} {}", self.topics.base(), task.id));
        let mut device = Device::new(object_id, entity, task.name, "Task");
        device.via(&self.node);
        task::describe(&mut device, &self.topics, task);
        device.available_with(self.topics.scheduler_availability());
        device
    }
}

/// A base topic in the characters that Home Assistant allows. Other characters, and `_` itself, become `_` and two
/// hexadecimal digits, so that no two bases give the same, and none a task of another one.
fn node(base: &str) -> String {
    let mut node = String::with_capacity(base.len());
    for byte in base.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' {
            node.push(char::from(byte));
        } else {
            // Writing to a string can't fail.
            let _ = write!(node, "_{byte:02x}");
        }
    }
    node
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(base: &str) -> HomeAssistant {
        HomeAssistant::new("homeassistant", &Topics::new(base).unwrap())
    }

    #[test]
    fn two_homes_on_one_broker_never_share_a_device() {
        assert_eq!(node("sunward"), "sunward");
        assert_eq!(node("home/sunward"), "home_2fsunward");
        assert_eq!(node("home_sunward"), "home_5fsunward");
        // What would be the device of a task of `sunward`.
        assert_eq!(node("sunward_task_ev"), "sunward_5ftask_5fev");
        assert_eq!(node("☀"), "_e2_98_80");
    }

    #[test]
    fn own_devices_are_recognised_whoever_published_them() {
        let check =
            |base: &str, topic: &str, expect: bool| assert_eq!(of(base).device_of(topic).is_some(), expect, "{topic}");
        check("sunward", "homeassistant/device/sunward/config", true);
        check("sunward", "homeassistant/device/sunward_task_ev/config", true);
        check("a/b", "homeassistant/device/a_2fb_task_ev/config", true);
        check("sunward", "homeassistant/device/sunward_task_/config", false);
        check("sunward", "homeassistant/device/sunward2/config", false);
        check("sunward", "homeassistant/device/sunward_2fb/config", false);
        check("sunward", "homeassistant/device/x/sunward/config", false);
        check("sunward", "homeassistant/sensor/sunward/config", false);
        check("sunward", "other/device/sunward/config", false);
    }

    #[test]
    fn what_is_published_is_recognised_and_has_a_name_of_its_own() {
        let (plain, odd) = (TaskId::new("ev").unwrap(), TaskId::new("-").unwrap());
        for base in ["sunward", "home/sunward", "Zuhause/Sonne ☀"] {
            let home = of(base);
            let task = |id: &TaskId| home.task_payload(DiscoveredTask { id, name: "x", has_setpoint: true });
            let of_task = |id: &TaskId| (DeviceOf::Task(id.clone()), task(id));
            for (device, payload) in [(DeviceOf::Sunward, home.sunward_payload()), of_task(&plain), of_task(&odd)] {
                assert_eq!(home.device_of(&home.topic(&device)), Some(device));
                let payload: serde_json::Value = serde_json::from_slice(&payload).unwrap();
                for component in payload["components"].as_object().unwrap().values() {
                    let Some(id) = component["default_entity_id"].as_str() else { continue };
                    let (platform, name) = id.split_once('.').unwrap();
                    assert_eq!(component["platform"], platform);
                    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
                    assert!(name.chars().all(fits) && !name.contains("__") && !name.starts_with('_'), "{id}");
                }
            }
        }
    }

    #[test]
    fn the_status_of_home_assistant_follows_its_prefix() {
        let home = HomeAssistant::new("ha/discovery", &Topics::new("sunward").unwrap());
        assert_eq!(home.status_topic(), "ha/discovery/status");
        assert_eq!(home.device_of("ha/discovery/device/sunward/config"), Some(DeviceOf::Sunward));
    }
}
