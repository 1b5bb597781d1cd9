//! A home that isn't there: sun, clouds, residents, and appliances whose physics matters to scheduling. PURE: time is an
//! argument, random numbers come from a seed, and the same seed gives the same day.
//!
//! ```text
//! sun ─▶ sky ─▶ production ─┐
//! residents ▶ base load ────┼─▶ home ─▶ flows, ledger
//!      └──▶ appliances ─────┘
//! ```
//!
//! Knows neither the scheduler nor MQTT: appliances are switched and limited from outside, and report their status.

mod appliance;
mod base_load;
mod car;
mod home;
mod ledger;
mod machine;
mod pump;
mod random;
mod residents;
mod sky;
mod tank;

pub use appliance::{Appliance, ApplianceStatus};
pub use home::SimulatedHome;
pub use ledger::{ApplianceUse, Flows, HomeLedger};
pub use sky::{Clouds, Sky};
