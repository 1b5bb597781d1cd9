//! Off-the-shelf devices that are tasks, `[[task]]`: plugs, relays and chargers, by the topics that they have anyway.

mod all;
mod assembled;
mod binary;
mod configured;
mod outgoing;
#[cfg(test)]
mod outgoing_tests;
mod table;
#[cfg(test)]
mod tests;
mod tracked;

pub use all::Devices;
pub use configured::DeviceTask;
#[cfg(test)]
pub(crate) use configured::FIELDS;
pub(crate) use configured::MIN_TIME;
pub use outgoing::ToDevice;
