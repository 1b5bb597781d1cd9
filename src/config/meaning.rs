//! What the settings mean to those who live by them: the scheduler's settings, criteria, sensors and tasks.
//!
//! Refuses what can't be meant, by its key; of settings that were loaded nothing is refused any more.

use jiff::tz::TimeZone;

use super::checks::time_zone;
use super::{Config, ConfigError, Place, Problem};
use crate::core::{Criteria, Settings};
use crate::devices::{Devices, Sensors};
use crate::replay::PlannedTask;
use crate::wire::{self, PayloadError};

impl Config {
    /// The settings of the scheduler.
    ///
    /// # Errors
    /// Names the key that can't be meant.
    pub fn settings(&self) -> Result<Settings, ConfigError> {
        let time_zone = match &self.time_zone {
            Some(name) => time_zone(name).map_err(|message| refused(PayloadError::field("time_zone", message)))?,
            None => TimeZone::system(),
        };
        Ok(Settings {
            cycle: self.scheduler.cycle,
            window_size: self.scheduler.window_size,
            confirm_records: self.scheduler.confirm_records,
            headroom: self.scheduler.headroom,
            ignore_power_threshold: self.scheduler.ignore_power_threshold,
            max_record_gap: self.scheduler.max_record_gap,
            expire_after: self.power.expire_after,
            task_expire_after: self.scheduler.task_expire_after,
            reserve: self.power.reserve,
            setpoint_interval: self.scheduler.setpoint_interval,
            time_zone,
            dry_run: self.scheduler.dry_run,
        })
    }

    /// The criteria of tasks that bring none of their own.
    ///
    /// # Errors
    /// Names the key that can't be meant.
    pub fn criteria(&self) -> Result<Criteria, ConfigError> {
        let written = &self.scheduler.criteria;
        let criteria = wire::criteria(Some(&written.start), written.keep.as_ref(), &Criteria::default());
        Ok(criteria.map_err(|problem| refused(problem.within("scheduler")))?)
    }

    /// The sensors and derived keys.
    ///
    /// # Errors
    /// Names every key that can't be meant.
    pub fn sensors(&self) -> Result<Sensors, ConfigError> {
        let sensors = Sensors::new(&self.power.sensor, &self.power.derived, self.power.expire_after);
        sensors.map_err(|problems| {
            problems.into_iter().map(|problem| refused(problem.within("power"))).collect::<Vec<_>>().into()
        })
    }

    /// The off-the-shelf devices.
    ///
    /// # Errors
    /// Names the first key that can't be meant.
    pub fn tasks(&self) -> Result<Devices, ConfigError> {
        Ok(Devices::new(&self.task, &self.criteria()?).map_err(refused)?)
    }

    /// The tasks of a replay.
    ///
    /// # Errors
    /// Names the first key that can't be meant.
    pub fn replay_tasks(&self) -> Result<Vec<PlannedTask>, ConfigError> {
        let criteria = self.criteria()?;
        let read = |(number, table)| {
            let task = PlannedTask::read(table, &self.task, &criteria);
            task.map_err(|problem| refused(problem.within(&format!("replay.task[{number}]"))).into())
        };
        self.replay.task.iter().enumerate().map(read).collect()
    }
}

/// A key that can't be meant, whoever wrote it.
fn refused(problem: PayloadError) -> Problem {
    Problem {
        place: Place::Default,
        key: problem.named().unwrap_or_default().to_owned(),
        message: problem.problem().to_owned(),
    }
}
