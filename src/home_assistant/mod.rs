//! Home Assistant's view of Sunward: what to publish so that it finds Sunward and every task by itself. PURE.
//!
//! A device is one retained message that describes its entities (MQTT discovery, device based). The entities read and
//! write Sunward's public topics through templates: nothing is published twice. What the broker holds, and when to publish,
//! is not known here: [`HomeAssistant`] returns what should be there, and the same task always gives the same bytes.

mod device;
mod discovery;
mod sunward;
mod task;

pub use discovery::{DeviceOf, HomeAssistant};
pub use task::DiscoveredTask;
