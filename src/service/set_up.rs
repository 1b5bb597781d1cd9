//! What the configuration means to the service: everything that it listens to.

use std::fmt;

use crate::config::{Estimate, Setup};
use crate::core::{Criteria, Settings};
use crate::devices::{Devices, Sensors};
use crate::units::PowerUnit;
use crate::wire::Limits;
use crate::wire::topic::{covers, distinct};
use crate::wire::topics::Topics;

use super::discovery::Discovery;

/// Everything that messages come from.
pub(super) struct Sources {
    pub(super) topics: Topics,
    pub(super) power: Power,
    pub(super) sensors: Sensors,
    pub(super) devices: Devices,
    pub(super) discovery: Discovery,
    pub(super) settings: Settings,
    pub(super) criteria: Criteria,
    pub(super) limits: Limits,
    pub(super) estimate: Option<Estimate>,
}

impl Sources {
    pub(super) fn new(setup: Setup) -> Self {
        Self {
            power: Power::new(&setup),
            discovery: Discovery::new(&setup.config.homeassistant, &setup.topics),
            sensors: setup.sensors,
            devices: setup.tasks,
            settings: setup.settings,
            criteria: setup.criteria,
            limits: setup.limits,
            estimate: setup.estimate,
            topics: setup.topics,
        }
    }

    /// What is listened to for as long as Sunward runs, each once.
    pub(super) fn filters(&self) -> Vec<String> {
        let mut filters = self.topics.filters();
        filters.extend([self.power.topic.clone(), self.power.fallback_topic.clone()]);
        filters.extend(self.sensors.filters());
        filters.extend(self.devices.topics().map(str::to_owned));
        filters.extend(self.discovery.filters());
        distinct(filters)
    }

    /// What is read during the start-up only, what earlier runs published, but for what is listened to anyway.
    pub(super) fn read_once(&self, others: &[String]) -> Vec<String> {
        let own = self.topics.own_filters().into_iter().chain(self.discovery.read_once());
        own.filter(|own| !others.iter().any(|other| covers(other, own))).collect()
    }
}

/// Where power records come from.
pub(super) struct Power {
    pub(super) topic: String,
    pub(super) fallback_topic: String,
    pub(super) unit: PowerUnit,
    sensors: Vec<String>,
}

/// The topics, as people want to see them when nothing comes.
impl fmt::Display for Power {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.topic)?;
        self.sensors.iter().try_for_each(|topic| write!(f, ", {topic}"))
    }
}

impl Power {
    pub(super) fn new(setup: &Setup) -> Self {
        let power = &setup.config.power;
        Self {
            topic: setup.power_topic.clone(),
            fallback_topic: setup.fallback_topic.clone(),
            unit: power.unit_of_measurement,
            sensors: power.sensor.iter().map(|sensor| sensor.topic.clone()).collect(),
        }
    }
}
