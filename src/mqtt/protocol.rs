//! The versions of MQTT that are spoken.

use serde::{Deserialize, Serialize};

/// `mqtt.protocol`; MQTT 5 by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Protocol {
    /// MQTT 5.
    #[default]
    #[serde(rename = "5")]
    V5,
    /// MQTT 3.1.1, for ioBroker, FHEM, Node-RED's aedes and other older brokers.
    #[serde(rename = "3.1.1")]
    V311,
}
