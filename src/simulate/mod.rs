//! A home that isn't there: sun, clouds, people, and appliances whose physics matters to scheduling. PURE: time is an
//! argument, chance comes from a seed, and the same seed gives the same day.
//!
//! ```text
//! sun ─▶ sky ─▶ production ─┐
//! people ─▶ base load ──────┼─▶ home ─▶ flows, ledger
//!      └──▶ appliances ─────┘
//! ```
//!
//! Refuses to know the scheduler and MQTT: appliances are switched and limited from outside, and say how they are.

mod appliance;
mod base;
mod car;
mod chance;
mod home;
mod ledger;
mod machine;
mod people;
mod pump;
mod sky;
mod tank;

pub use appliance::{Appliance, Status};
pub use home::Home;
pub use ledger::{Flows, Ledger, Use};
pub use sky::{Clouds, Sky};
