//! Plugs and relays: what they use, whether they are on, and the commands they get.

use super::Step::{Cycle, Never, Sends};
use super::{Recipe, Step, becomes, check, feeds, net, reads};

const SUN: Step = net(r#"{"net": -5000}"#);
const NIGHT: Step = net(r#"{"net": 5000}"#);

pub(crate) const TASMOTA: Recipe = Recipe {
    name: "tasmota",
    steps: &[
        Sends("cmnd/boiler/POWER", ""),
        feeds("tele/boiler/LWT", "tasmota_lwt_online"),
        becomes("boiler", "stopped", "stat/boiler/POWER", "tasmota_power_off"),
        reads("net", "tele/meter/SENSOR", "tasmota_sml_meter_status8"),
        reads("boiler", "tele/boiler/SENSOR", "tasmota_idle_sensor"),
        reads("pump", "tele/dual/SENSOR", "tasmota_dual_sensor"),
        Cycle(&[]),
        Never("cmnd/boiler/POWER", "ON"),
        Step::Says("tele/meter/SENSOR", r#"{"SML": {"Power_curr": -3000}}"#),
        Cycle(&[("net", -3000.0)]),
        Sends("cmnd/boiler/POWER", "ON"),
        becomes("boiler", "running", "stat/boiler/POWER", "tasmota_power_on"),
        reads("boiler", "tele/boiler/SENSOR", "tasmota_pow_r2_sensor"),
        reads("net", "tele/meter/SENSOR", "tasmota_sml_meter_status8"),
        Cycle(&[]),
        Never("cmnd/boiler/POWER", "OFF"),
        reads("boiler", "tele/boiler/SENSOR", "tasmota_pow_r2_status8"),
        Step::Says("tele/meter/SENSOR", r#"{"SML": {"Power_curr": 3000}}"#),
        Cycle(&[("net", 3000.0)]),
        Sends("cmnd/boiler/POWER", "OFF"),
        becomes("boiler", "stopped", "stat/boiler/POWER", "tasmota_power_off"),
        // Other plugs, other firmware, the same line.
        reads("boiler", "tele/boiler/SENSOR", "tasmota_switch_energy_sensor"),
        reads("net", "tele/meter/SENSOR", "tasmota_sml_meter_status8"),
        Cycle(&[]),
        reads("boiler", "tele/boiler/SENSOR", "tasmota_teleinfo_sensor"),
        reads("net", "tele/meter/SENSOR", "tasmota_sml_meter_status8"),
        Cycle(&[]),
        becomes("boiler", "unreachable", "tele/boiler/LWT", "tasmota_lwt_offline"),
        becomes("boiler", "stopped", "tele/boiler/LWT", "tasmota_lwt_online"),
    ],
};

const GEN1_RELAY: &str = "shellies/shellyplug-s-b0b0b0/relay/0";
const GEN1_ONLINE: &str = "shellies/shellyplug-s-b0b0b0/online";

pub(crate) const SHELLY_GEN1: Recipe = Recipe {
    name: "shelly-gen1",
    steps: &[
        Sends("shellies/shellyplug-s-b0b0b0/command", "update"),
        feeds(GEN1_ONLINE, "shelly1_online"),
        becomes("boiler", "stopped", GEN1_RELAY, "shelly1_relay_off"),
        reads("l1", "shellies/shellyem3-a0a0a0/emeter/0/power", "shelly_3em_gen1_power"),
        reads("l2", "shellies/shellyem3-a0a0a0/emeter/1/power", "shelly_3em_gen1_power_b"),
        reads("l3", "shellies/shellyem3-a0a0a0/emeter/2/power", "shelly_3em_gen1_power_c"),
        Cycle(&[("net", 0.0)]),
        Never("shellies/shellyplug-s-b0b0b0/relay/0/command", "on"),
        Step::Says("shellies/shellyem3-a0a0a0/emeter/0/power", "-2500.50"),
        Step::Says("shellies/shellyem3-a0a0a0/emeter/1/power", "-500.00"),
        Step::Says("shellies/shellyem3-a0a0a0/emeter/2/power", "300.25"),
        Cycle(&[("l1", -2500.5), ("l2", -500.0), ("l3", 300.25), ("net", -2700.25)]),
        Sends("shellies/shellyplug-s-b0b0b0/relay/0/command", "on"),
        becomes("boiler", "running", GEN1_RELAY, "shelly_plug_s_relay_on"),
        reads("boiler", "shellies/shellyplug-s-b0b0b0/relay/0/power", "shelly_plug_s_power"),
        Step::Says("shellies/shellyem3-a0a0a0/emeter/0/power", "2500.50"),
        Step::Says("shellies/shellyem3-a0a0a0/emeter/1/power", "500.00"),
        Step::Says("shellies/shellyem3-a0a0a0/emeter/2/power", "-300.25"),
        Cycle(&[("l1", 2500.5), ("l2", 500.0), ("l3", -300.25), ("net", 2700.25)]),
        Sends("shellies/shellyplug-s-b0b0b0/relay/0/command", "off"),
        becomes("boiler", "stopped", GEN1_RELAY, "shelly_25_relay_off"),
        becomes("boiler", "stopped", GEN1_RELAY, "shelly_3em_gen1_relay"),
        reads("boiler", "shellies/shellyplug-s-b0b0b0/relay/0/power", "shelly_25_power"),
        Step::Says("shellies/shellyem3-a0a0a0/emeter/0/power", "100"),
        Step::Says("shellies/shellyem3-a0a0a0/emeter/1/power", "20"),
        Step::Says("shellies/shellyem3-a0a0a0/emeter/2/power", "3"),
        Cycle(&[("l1", 100.0), ("l2", 20.0), ("l3", 3.0), ("net", 123.0)]),
        becomes("boiler", "unreachable", GEN1_ONLINE, "shelly1_offline"),
    ],
};

const GEN2_STATUS: &str = "shellyplus1pm-c0c0c0c0c0c0/status/switch:0";
const GEN2_EVENTS: &str = "shellyplus1pm-c0c0c0c0c0c0/events/rpc";
const GEN2_ONLINE: &str = "shellyplus1pm-c0c0c0c0c0c0/online";
const GEN2_RPC: &str = "shellyplus1pm-c0c0c0c0c0c0/rpc";
const GEN2_ON: &str =
    r#"{"id": 1, "src": "from-sunward", "method": "Switch.Set", "params": {"id": 0, "on": true, "toggle_after": 300}}"#;
const GEN2_OFF: &str = r#"{"id": 2, "src": "from-sunward", "method": "Switch.Set", "params": {"id": 0, "on": false}}"#;

pub(crate) const SHELLY_GEN2: Recipe = Recipe {
    name: "shelly-gen2",
    steps: &[
        Sends("shellyplus1pm-c0c0c0c0c0c0/command/switch:0", "status_update"),
        feeds(GEN2_ONLINE, "shelly_plus1pm_back"),
        becomes("boiler", "stopped", GEN2_STATUS, "shelly_plus1pm_status"),
        reads("boiler", GEN2_STATUS, "shelly_plus1pm_status"),
        reads("net", "shellypro3em-a0a0a0a0a0a0/status/em:0", "shelly_pro3em_status"),
        Step::Reads {
            key: "solar",
            topic: "shellyemg3-b0b0b0b0b0b0/status/em1:0",
            file: "shelly_em_gen3_status",
            factor: -1.0,
        },
        reads("dryer", "shellyplugpmg3-d0d0d0d0d0d0/events/rpc", "shelly_plug_pm_gen3_notify"),
        Cycle(&[]),
        Never(GEN2_RPC, GEN2_ON),
        Step::Says("shellypro3em-a0a0a0a0a0a0/status/em:0", r#"{"id": 0, "total_act_power": -2000.5}"#),
        Cycle(&[("net", -2000.5)]),
        Sends(GEN2_RPC, GEN2_ON),
        becomes("boiler", "running", GEN2_STATUS, "shelly_plus1pm_status_on"),
        reads("boiler", GEN2_STATUS, "shelly_plus1pm_status_on"),
        reads("net", "shellypro3em-a0a0a0a0a0a0/status/em:0", "shelly_pro3em_status"),
        Cycle(&[]),
        // Power and switch come in different notifications, and what isn't in one keeps its value.
        reads("boiler_now", GEN2_EVENTS, "shelly_plus1pm_notify_power"),
        Step::Says(GEN2_STATUS, r#"{"id": 0, "output": true, "apower": 1800.5}"#),
        feeds(GEN2_EVENTS, "shelly_plus1pm_notify_partial"),
        feeds(GEN2_EVENTS, "shelly_plus1pm_notify_other"),
        Step::Says("shellypro3em-a0a0a0a0a0a0/status/em:0", r#"{"id": 0, "total_act_power": 1900}"#),
        Cycle(&[("net", 1900.0), ("boiler", 1800.5)]),
        Sends(GEN2_RPC, GEN2_OFF),
        becomes("boiler", "stopped", GEN2_STATUS, "shelly_plus1pm_status"),
        reads("boiler_now", GEN2_EVENTS, "shelly_plus1pm_notify_off"),
        reads("net", "shellypro3em-a0a0a0a0a0a0/status/em:0", "shelly_pro3em_status"),
        reads("boiler", GEN2_STATUS, "shelly_plus1pm_status"),
        Cycle(&[]),
        becomes("boiler", "unreachable", GEN2_ONLINE, "shelly_plus1pm_online"),
    ],
};

const Z2M_AVAILABILITY: &str = "zigbee2mqtt/boiler/availability";

pub(crate) const ZIGBEE2MQTT: Recipe = Recipe {
    name: "zigbee2mqtt",
    steps: &[
        Sends("zigbee2mqtt/boiler/get", r#"{"state": ""}"#),
        feeds(Z2M_AVAILABILITY, "z2m_online"),
        becomes("boiler", "stopped", "zigbee2mqtt/boiler", "z2m_ts011f_off"),
        reads("boiler", "zigbee2mqtt/boiler", "z2m_ts011f_off"),
        SUN,
        Cycle(&[("net", -5000.0)]),
        Sends("zigbee2mqtt/boiler/set", r#"{"state": "ON"}"#),
        becomes("boiler", "running", "zigbee2mqtt/boiler", "z2m_ts011f_plug"),
        reads("boiler", "zigbee2mqtt/boiler", "z2m_ts011f_plug"),
        // In output mode `attribute` there are topics next door: a counter of kWh is nobody's power.
        feeds("zigbee2mqtt/boiler/energy", "z2m_attribute_topic"),
        NIGHT,
        Cycle(&[("net", 5000.0)]),
        Sends("zigbee2mqtt/boiler/set", r#"{"state": "OFF"}"#),
        becomes("boiler", "stopped", "zigbee2mqtt/boiler", "z2m_relay_off"),
        reads("boiler", "zigbee2mqtt/boiler", "z2m_relay_off"),
        NIGHT,
        Cycle(&[]),
        becomes("boiler", "unreachable", Z2M_AVAILABILITY, "z2m_offline"),
        becomes("boiler", "stopped", Z2M_AVAILABILITY, "z2m_online"),
        becomes("boiler", "unreachable", Z2M_AVAILABILITY, "z2m_offline_legacy"),
    ],
};

pub(crate) const ESPHOME: Recipe = Recipe {
    name: "esphome",
    steps: &[
        feeds("boiler/status", "esphome_online"),
        becomes("boiler", "stopped", "boiler/switch/relay/state", "esphome_switch_off"),
        reads("boiler", "boiler/sensor/power/state", "esphome_demand_zero"),
        SUN,
        Cycle(&[]),
        Sends("boiler/switch/relay/command", "ON"),
        becomes("boiler", "running", "boiler/switch/relay/state", "esphome_switch_on"),
        reads("boiler", "boiler/sensor/power/state", "esphome_demand"),
        SUN,
        Cycle(&[]),
        reads("boiler", "boiler/sensor/power/state", "esphome_power"),
        feeds("boiler/sensor/power/state", "esphome_power_nan"),
        NIGHT,
        Cycle(&[]),
        Sends("boiler/switch/relay/command", "OFF"),
        becomes("boiler", "stopped", "boiler/switch/relay/state", "esphome_restart_off"),
        becomes("boiler", "unreachable", "boiler/status", "esphome_offline"),
    ],
};

#[tokio::test]
async fn tasmota_is_a_meter_and_a_plug() {
    check(&TASMOTA).await;
}

#[tokio::test]
async fn shelly_gen1_is_a_meter_and_a_plug() {
    check(&SHELLY_GEN1).await;
}

#[tokio::test]
async fn shelly_gen2_is_a_meter_and_a_plug() {
    check(&SHELLY_GEN2).await;
}

#[tokio::test]
async fn zigbee2mqtt_is_a_plug() {
    check(&ZIGBEE2MQTT).await;
}

#[tokio::test]
async fn esphome_is_a_plug() {
    check(&ESPHOME).await;
}
