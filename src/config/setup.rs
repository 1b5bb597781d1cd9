//! The settings and everything that is made of them: what `check`, `run` and all other commands begin with.
//!
//! There is no other way to have one than through all checks, so that whoever holds one can rely on it.

use super::checks::listen;
use super::criteria;
use super::estimate::{self, Estimate};
use super::findings::{Findings, Invalid};
use super::problem::{ConfigError, Place, Problem};
use super::scheduler;
use super::settings::Config;
use super::tasks;
use crate::core::{Criteria, Settings};
use crate::devices::{Devices, Sensors};
use crate::mqtt::Options;
use crate::replay::PlannedTask;
use crate::wire::Limits;
use crate::wire::topic::{check_base, check_topic};
use crate::wire::topics::Topics;

/// What the settings mean.
#[non_exhaustive]
pub struct Setup {
    /// The settings as they were written, with the defaults.
    pub config: Config,
    /// The connection to the broker of `mqtt.url`; without one, to the embedded broker where it listens.
    pub connection: Options,
    /// Sunward's own topics.
    pub topics: Topics,
    /// Where whole power records come from.
    pub power_topic: String,
    /// Where records come from while the meter is silent.
    pub fallback_topic: String,
    /// The settings of the core.
    pub settings: Settings,
    /// The criteria of tasks that bring none of their own.
    pub criteria: Criteria,
    /// How much a task may say.
    pub limits: Limits,
    /// What stands in for a dead meter, where the configuration describes it.
    pub estimate: Option<Estimate>,
    /// The sensors and derived keys.
    pub sensors: Sensors,
    /// The off-the-shelf devices.
    pub tasks: Devices,
    /// The tasks of a replay.
    pub replay_tasks: Vec<PlannedTask>,
}

impl Setup {
    /// Makes everything that the settings mean, and reads the files that they name.
    ///
    /// # Errors
    /// Names every key that can't be meant.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        Ok(Self::make(config)?)
    }

    pub(super) fn make(config: Config) -> Result<Self, Vec<Invalid>> {
        let mut found = Findings::default();
        let listener = listen(&config.broker.listen);
        // A wrong address of the embedded broker is refused below, and is no reason to call for another broker.
        let at = listener.clone().unwrap_or_else(|_| ([127, 0, 0, 1], 1883).into());
        let connection = found.expect_options(config.mqtt.builder(Some(at)).build_or_all());
        let base = &config.mqtt.base_topic;
        found.expect("mqtt.base_topic", check_base(base));
        let topics = Topics::new(base).ok();
        let settings = scheduler::settings(&config, &mut found);
        let limits = scheduler::limits(&config.scheduler, &mut found);
        let criteria = found.expect_within("scheduler", criteria::criteria(&config.scheduler.criteria));
        config.broker.check(listener, config.mqtt.url.is_none(), &mut found);
        for (key, topic) in
            [("power.topic", &config.power.topic), ("power.fallback_topic", &config.power.fallback_topic)]
        {
            found.expect(key, topic.as_deref().map_or(Ok(()), check_topic));
        }
        let estimate = estimate::estimate(&config.power.estimate, &mut found);
        let power = &config.power;
        let sensors = Sensors::new(&power.sensor, &power.derived, power.expire_after);
        let sensors = sensors.map_err(|all| all.into_iter().for_each(|one| found.refuse_within("power", one)));
        // Wrong criteria are reported by their own keys.
        let usual = criteria.clone().unwrap_or_default();
        let tasks = tasks::tasks(&config, &usual, &mut found);
        let replay_tasks = tasks::replay_tasks(&config, &usual, &mut found);
        found.expect("homeassistant.discovery_prefix", check_base(&config.homeassistant.discovery_prefix));

        let invalid = found.into_invalid();
        let (Some(connection), Some(topics), Some(criteria), Ok(sensors), []) =
            (connection, topics, criteria, sensors, &*invalid)
        else {
            return Err(invalid);
        };
        Ok(Self {
            power_topic: power.topic.clone().unwrap_or_else(|| topics.power()),
            fallback_topic: power.fallback_topic.clone().unwrap_or_else(|| topics.power_fallback()),
            config,
            connection,
            topics,
            settings,
            criteria,
            limits,
            estimate,
            sensors,
            tasks,
            replay_tasks,
        })
    }

    /// Checks that there is a broker to run on: that of `mqtt.url`, else the embedded one, if it was built in.
    ///
    /// # Errors
    /// Names the key that is missing.
    pub fn needs_broker(&self) -> Result<(), ConfigError> {
        if cfg!(feature = "embedded-broker") || self.config.mqtt.url.is_some() {
            return Ok(());
        }
        let message = "it is missing: write for example \"mqtt://192.168.1.10:1883\"".to_owned();
        Err(Problem { place: Place::Default, key: "mqtt.url".into(), message }.into())
    }
}
