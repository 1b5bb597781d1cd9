//! For programs that are tasks, or that ask the scheduler.
//!
//! A [`Task`] registers itself, publishes its state and receives what the scheduler wants of it. A [`Scheduler`] reads
//! what the scheduler tells, gives it orders and feeds it power records. Both stay connected by themselves: a broker
//! that goes and comes back is none of the caller's business, and what must be known there is published again.
//!
//! ```no_run
//! use sunward::client::{Command, Registration, State, Task};
//! use sunward::config::Mqtt;
//! use sunward::units::Watts;
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let mqtt = Mqtt { url: Some("mqtt://192.168.1.10".into()), ..Mqtt::default() };
//! let mut heater = Task::register(&mqtt, "heater".parse()?, Registration::new(Watts(2000.0)))?;
//! heater.publish_state(State::running(false))?;
//! while let Some(command) = heater.next().await {
//!     match command {
//!         Command::Start => heater.publish_state(State::running(true))?,
//!         Command::Stop => heater.publish_state(State::running(false))?,
//!         Command::Setpoint(watts) => println!("it may use {watts}"),
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Refuses to share code with the scheduler's insides: what is here is the public contract, seen from the other side.

use std::collections::BTreeMap;

use thiserror::Error;

mod knowledge;
mod registration;
mod scheduler;
mod task;

use crate::mqtt::{OptionsError, PublishError};
pub use crate::wire::CriterionSource as Criterion;
pub use crate::wire::report::{SchedulerCycle, SchedulerState, TaskReport};
pub use crate::wire::topics::BaseTopicError;
pub use crate::wire::topics::{InvalidTaskId, TaskId};
pub use registration::{Criteria, Daily, Finished, OnNoData, Priority, Registration, State};
pub use scheduler::{NotReady, Order, Scheduler};
pub use task::{Command, Task};

/// A power record: watts by key. It needs `net`, positive while importing; the rest is up to the home.
pub type PowerRecord = BTreeMap<String, f64>;

/// Why a client could not do what was asked.
#[derive(Debug, Error)]
pub enum ClientError {
    /// A setting of the connection cannot work.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// No topic can begin with `mqtt.base_topic`.
    #[error(transparent)]
    BaseTopic(#[from] BaseTopicError),
    /// The message can't be sent.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The message can't be written as JSON.
    #[error("not expressible in JSON: {0}")]
    Json(#[from] serde_json::Error),
}
