//! The device Sunward: the switch that pauses it, its buttons, what the last cycle measured, and what is wrong.

use serde_json::json;

use super::device::{Device, power, share, with};
use crate::mqtt::topics::Topics;

/// A number of the last record. A cycle without one keeps the last value, until data is missing.
fn of_record(key: &str) -> String {
    format!(
        "{{% if value_json.record %}}{{{{ value_json.record.{key} | default(none) }}}}\
         {{% elif value_json.no_data %}}None{{% endif %}}"
    )
}

/// What started or stopped last: the task's name, the rest as attributes.
fn last(topic: &str, action: &str, icon: &str) -> serde_json::Value {
    let field = format!("value_json.last_{action}");
    json!({
        "icon": icon, "state_topic": topic, "value_template": format!("{{{{ ({field} or {{}}).name }}}}"),
        "json_attributes_topic": topic, "json_attributes_template": format!("{{{{ ({field} or {{}}) | tojson }}}}"),
    })
}

/// Its entities.
pub(super) fn describe(device: &mut Device, topics: &Topics) {
    let (state, cycle, set) = (topics.scheduler_state(), topics.scheduler_cycle(), topics.scheduler_set());
    device.add(
        "switch",
        "scheduling",
        "Scheduling",
        json!({
            "icon": "mdi:solar-power", "command_topic": set, "payload_on": "resume", "payload_off": "pause",
            "state_topic": state, "value_template": "{{ 'pause' if value_json.paused else 'resume' }}",
        }),
    );
    for (key, name, icon) in
        [("schedule", "Schedule now", "mdi:play-circle-outline"), ("stop_all", "Stop all", "mdi:stop-circle-outline")]
    {
        device.add("button", key, name, json!({"icon": icon, "command_topic": set, "payload_press": key}));
    }
    device.add(
        "sensor",
        "state",
        "State",
        json!({
            "icon": "mdi:white-balance-sunny", "device_class": "enum", "options": ["Active", "Paused", "No data"],
            "state_topic": state,
            "value_template":
                "{{ {'active': 'Active', 'paused': 'Paused', 'no_data': 'No data'}.get(value_json.state) }}",
        }),
    );
    let measured = [
        ("net", "Net power", "mdi:transmission-tower", of_record("net")),
        ("solar", "Solar power", "mdi:solar-power-variant", of_record("solar")),
        ("task_power", "Task power", "mdi:power-plug", "{{ value_json.task_power }}".into()),
    ];
    for (key, name, icon, template) in measured {
        let options = json!({"icon": icon, "state_topic": cycle, "value_template": template});
        device.add("sensor", key, name, with(power(), options));
    }
    let covered = "{{ value_json.task_ratio * 100 if value_json.task_ratio is not none else none }}";
    let options = json!({"icon": "mdi:sun-angle", "state_topic": cycle, "value_template": covered});
    device.add("sensor", "task_ratio", "Task solar coverage", with(share(), options));
    device.add("sensor", "last_started", "Last started", last(&cycle, "started", "mdi:play"));
    device.add("sensor", "last_stopped", "Last stopped", last(&cycle, "stopped", "mdi:stop"));
    device.add(
        "sensor",
        "last_cycle",
        "Last cycle",
        json!({
            "device_class": "timestamp", "entity_category": "diagnostic", "state_topic": cycle,
            "value_template": "{{ value_json.time }}",
        }),
    );
    device.add(
        "binary_sensor",
        "problem",
        "Problem",
        json!({
            "device_class": "problem", "entity_category": "diagnostic", "state_topic": state,
            "value_template": "{{ 'ON' if value_json.problem else 'OFF' }}",
            "json_attributes_topic": state,
            "json_attributes_template":
                "{{ {'problem': value_json.problem, 'warnings': value_json.warnings, 'rejected': value_json.rejected, \
                 'last_error': value_json.last_error} | tojson }}",
        }),
    );
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::super::HomeAssistant;
    use super::super::device::tests::printed;
    use super::*;

    #[test]
    fn the_device_sunward() {
        let device = HomeAssistant::new("homeassistant", &Topics::new("sunward").unwrap()).sunward();
        assert_snapshot!(printed(&device), @"");
    }
}
