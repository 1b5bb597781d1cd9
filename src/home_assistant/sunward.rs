//! The device Sunward: the switch that pauses it, its buttons, what the last cycle measured, and what is wrong.

use serde_json::json;

use super::device::{Device, percent, power, share, with};
use crate::wire::topics::Topics;

/// A value of the last record. A cycle without one keeps the last value, until data is missing.
fn of_record(value: &str) -> String {
    format!("{{% if value_json.record %}}{{{{ {value} }}}}{{% elif value_json.no_data %}}None{{% endif %}}")
}

/// What started or stopped last: the task's name, the rest as attributes.
fn last(topic: &str, action: &str, icon: &str) -> serde_json::Value {
    let field = format!("value_json.last_{action}");
    // Not `name`, which is Home Assistant's own.
    let attributes = ["task", "rule", "reason", "time"].map(|key| format!("'{key}': {field}.{key}")).join(", ");
    json!({
        "icon": icon, "state_topic": topic, "value_template": format!("{{{{ {field}.name if {field} else none }}}}"),
        "json_attributes_topic": topic,
        "json_attributes_template": format!("{{{{ ({{{attributes}}} if {field} else {{}}) | tojson }}}}"),
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
        ("net", "Net power", "mdi:transmission-tower", "value_json.record.net"),
        ("solar", "Solar power", "mdi:solar-power-variant", "value_json.record.solar | default(none)"),
        ("task_power", "Task power", "mdi:power-plug", "value_json.task_power"),
    ];
    for (key, name, icon, value) in measured {
        let options = json!({"icon": icon, "state_topic": cycle, "value_template": of_record(value)});
        device.add("sensor", key, name, with(power(), options));
    }
    let covered = of_record(&percent("value_json.task_ratio"));
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

    use super::super::device::printed;
    use super::super::discovery::HomeAssistant;
    use super::*;

    #[test]
    fn the_device_sunward() {
        let device = HomeAssistant::new("homeassistant", &Topics::new("sunward").unwrap()).sunward();
        assert_snapshot!(printed(&device), @r##"
        availability_topic: "sunward/scheduler/availability"
          last_cycle: {"default_entity_id":"sensor.sunward_last_cycle","device_class":"timestamp","entity_category":"diagnostic","name":"Last cycle","object_id":"sunward_last_cycle","platform":"sensor","state_topic":"sunward/scheduler/cycle","unique_id":"sunward.last_cycle","value_template":"{{ value_json.time }}"}
          last_started: {"default_entity_id":"sensor.sunward_last_started","icon":"mdi:play","json_attributes_template":"{{ ({'task': value_json.last_started.task, 'rule': value_json.last_started.rule, 'reason': value_json.last_started.reason, 'time': value_json.last_started.time} if value_json.last_started else {}) | tojson }}","json_attributes_topic":"sunward/scheduler/cycle","name":"Last started","object_id":"sunward_last_started","platform":"sensor","state_topic":"sunward/scheduler/cycle","unique_id":"sunward.last_started","value_template":"{{ value_json.last_started.name if value_json.last_started else none }}"}
          last_stopped: {"default_entity_id":"sensor.sunward_last_stopped","icon":"mdi:stop","json_attributes_template":"{{ ({'task': value_json.last_stopped.task, 'rule': value_json.last_stopped.rule, 'reason': value_json.last_stopped.reason, 'time': value_json.last_stopped.time} if value_json.last_stopped else {}) | tojson }}","json_attributes_topic":"sunward/scheduler/cycle","name":"Last stopped","object_id":"sunward_last_stopped","platform":"sensor","state_topic":"sunward/scheduler/cycle","unique_id":"sunward.last_stopped","value_template":"{{ value_json.last_stopped.name if value_json.last_stopped else none }}"}
          net: {"default_entity_id":"sensor.sunward_net","device_class":"power","icon":"mdi:transmission-tower","name":"Net power","object_id":"sunward_net","platform":"sensor","state_class":"measurement","state_topic":"sunward/scheduler/cycle","suggested_display_precision":0,"unique_id":"sunward.net","unit_of_measurement":"W","value_template":"{% if value_json.record %}{{ value_json.record.net }}{% elif value_json.no_data %}None{% endif %}"}
          problem: {"default_entity_id":"binary_sensor.sunward_problem","device_class":"problem","entity_category":"diagnostic","json_attributes_template":"{{ {'problem': value_json.problem, 'warnings': value_json.warnings, 'rejected': value_json.rejected, 'last_error': value_json.last_error} | tojson }}","json_attributes_topic":"sunward/scheduler/state","name":"Problem","object_id":"sunward_problem","platform":"binary_sensor","state_topic":"sunward/scheduler/state","unique_id":"sunward.problem","value_template":"{{ 'ON' if value_json.problem else 'OFF' }}"}
          schedule: {"command_topic":"sunward/scheduler/set","default_entity_id":"button.sunward_schedule","icon":"mdi:play-circle-outline","name":"Schedule now","object_id":"sunward_schedule","payload_press":"schedule","platform":"button","unique_id":"sunward.schedule"}
          scheduling: {"command_topic":"sunward/scheduler/set","default_entity_id":"switch.sunward_scheduling","icon":"mdi:solar-power","name":"Scheduling","object_id":"sunward_scheduling","payload_off":"pause","payload_on":"resume","platform":"switch","state_topic":"sunward/scheduler/state","unique_id":"sunward.scheduling","value_template":"{{ 'pause' if value_json.paused else 'resume' }}"}
          solar: {"default_entity_id":"sensor.sunward_solar","device_class":"power","icon":"mdi:solar-power-variant","name":"Solar power","object_id":"sunward_solar","platform":"sensor","state_class":"measurement","state_topic":"sunward/scheduler/cycle","suggested_display_precision":0,"unique_id":"sunward.solar","unit_of_measurement":"W","value_template":"{% if value_json.record %}{{ value_json.record.solar | default(none) }}{% elif value_json.no_data %}None{% endif %}"}
          state: {"default_entity_id":"sensor.sunward_state","device_class":"enum","icon":"mdi:white-balance-sunny","name":"State","object_id":"sunward_state","options":["Active","Paused","No data"],"platform":"sensor","state_topic":"sunward/scheduler/state","unique_id":"sunward.state","value_template":"{{ {'active': 'Active', 'paused': 'Paused', 'no_data': 'No data'}.get(value_json.state) }}"}
          stop_all: {"command_topic":"sunward/scheduler/set","default_entity_id":"button.sunward_stop_all","icon":"mdi:stop-circle-outline","name":"Stop all","object_id":"sunward_stop_all","payload_press":"stop_all","platform":"button","unique_id":"sunward.stop_all"}
          task_power: {"default_entity_id":"sensor.sunward_task_power","device_class":"power","icon":"mdi:power-plug","name":"Task power","object_id":"sunward_task_power","platform":"sensor","state_class":"measurement","state_topic":"sunward/scheduler/cycle","suggested_display_precision":0,"unique_id":"sunward.task_power","unit_of_measurement":"W","value_template":"{% if value_json.record %}{{ value_json.task_power }}{% elif value_json.no_data %}None{% endif %}"}
          task_ratio: {"default_entity_id":"sensor.sunward_task_ratio","icon":"mdi:sun-angle","name":"Task solar coverage","object_id":"sunward_task_ratio","platform":"sensor","state_class":"measurement","state_topic":"sunward/scheduler/cycle","suggested_display_precision":0,"unique_id":"sunward.task_ratio","unit_of_measurement":"%","value_template":"{% if value_json.record %}{{ (value_json.task_ratio * 100) | round if value_json.task_ratio is not none else none }}{% elif value_json.no_data %}None{% endif %}"}
        device: {"identifiers":["sunward"],"manufacturer":"Sunward","model":"Scheduler","name":"Sunward","sw_version":"VERSION"}
        origin: {"name":"Sunward","sw_version":"VERSION"}
        qos: 1
        "##);
    }
}
