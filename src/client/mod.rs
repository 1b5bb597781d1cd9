//! For programs that are tasks, or that ask the scheduler.
//!
//! A [`TaskClient`] registers itself, publishes its state and receives the scheduler's commands. A [`SchedulerClient`] reads what the
//! scheduler publishes, sends it commands and power records. Both stay connected by themselves: when the broker goes and
//! comes back, what it must know is published again.
//!
//! ```no_run
//! use sunward::client::{Registration, State, TaskClient, TaskCommand};
//! use sunward::config::Mqtt;
//! use sunward::units::Watts;
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let mqtt = Mqtt { url: Some("mqtt://192.168.1.10".into()), ..Mqtt::default() };
//! let mut heater = TaskClient::register(&mqtt, "heater".parse()?, Registration::new(Watts(2000.0)))?;
//! heater.publish_state(State::running(false))?;
//! while let Some(command) = heater.next().await {
//!     match command {
//!         TaskCommand::Start => heater.publish_state(State::running(true))?,
//!         TaskCommand::Stop => heater.publish_state(State::running(false))?,
//!         TaskCommand::Setpoint(watts) => println!("it may use {watts}"),
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Nothing of the scheduler's insides is needed here: this is the public contract, seen from the other side.

mod error;
mod knowledge;
mod power_record;
mod registration;
mod scheduler;
mod task;

pub use crate::wire::CriterionSource as Criterion;
pub use crate::wire::report::{SchedulerCycle, SchedulerState, TaskReport};
pub use crate::wire::topics::BaseTopicError;
pub use crate::wire::topics::{InvalidTaskId, TaskId};
pub use error::ClientError;
pub use power_record::PowerRecord;
pub use registration::{Criteria, Daily, Finished, OnNoData, Priority, Registration, State};
pub use scheduler::{NotReady, Order, SchedulerClient};
pub use task::{TaskClient, TaskCommand};
