//! The device of a task: how it is and why, what it used today, and what people may wish of it.

use serde_json::{Value, json};

use super::Task;
use super::device::{Device, power, share, with};
use crate::mqtt::topics::{TaskTopic, Topics};

/// `Automatic`, `On`, … as they are shown, and the words of the wire.
const MODES: [(&str, &str); 3] = [("auto", "Automatic"), ("on", "On"), ("off", "Off")];
const PRIORITIES: [(&str, &str); 5] =
    [("auto", "Automatic"), ("low", "Low"), ("medium", "Medium"), ("high", "High"), ("urgent", "Urgent")];
const STATUSES: [(&str, &str); 5] = [
    ("running", "Running"),
    ("stopped", "Stopped"),
    ("unrunnable", "Can't run"),
    ("unreachable", "Unreachable"),
    ("invalid", "Invalid registration"),
];

/// A dictionary of Jinja.
fn dictionary(pairs: impl Iterator<Item = (&'static str, &'static str)>) -> String {
    let pairs: Vec<String> = pairs.map(|(key, value)| format!("'{key}': \"{value}\"")).collect();
    format!("{{{}}}", pairs.join(", "))
}

/// What is shown for the words of the wire.
fn shown(words: &[(&'static str, &'static str)]) -> Vec<&'static str> {
    words.iter().map(|(_, shown)| *shown).collect()
}

/// Something that a person chooses: the topic tells what is chosen, and takes the choice with `/set` behind it.
fn choice(words: &[(&'static str, &'static str)], icon: &str, topic: &str, set: &str) -> Value {
    let to_shown = dictionary(words.iter().copied());
    let to_wire = dictionary(words.iter().map(|(wire, shown)| (*shown, *wire)));
    json!({
        "icon": icon, "options": shown(words),
        "state_topic": topic,
        // `on 2h` is on for that long.
        "value_template": format!("{{{{ {to_shown}.get((value.split(' ') | first)) }}}}"),
        "command_topic": set, "command_template": format!("{{{{ {to_wire}[value] }}}}"),
    })
}

/// Its entities.
pub(super) fn describe(device: &mut Device, topics: &Topics, task: Task<'_>) {
    let topic = |kind| topics.task(task.id, kind);
    let report = topic(TaskTopic::Report);
    device.add(
        "binary_sensor",
        "running",
        "Running",
        json!({
            "device_class": "running", "state_topic": report,
            "value_template": "{{ {'running': 'ON', 'stopped': 'OFF', 'unrunnable': 'OFF'}.get(value_json.status) }}",
        }),
    );
    let status = dictionary(STATUSES.into_iter());
    device.add(
        "sensor",
        "status",
        "Status",
        json!({
            "icon": "mdi:help-circle-outline", "device_class": "enum", "options": shown(&STATUSES),
            "state_topic": report, "value_template": format!("{{{{ {status}.get(value_json.status) }}}}"),
            "json_attributes_topic": report,
            "json_attributes_template":
                "{{ {'reason': value_json.reason, 'priority': value_json.priority, \
                 'unanswered': value_json.unanswered, 'error': value_json.error} | tojson }}",
        }),
    );
    let told =
        |options: Value, template: &str| with(options, json!({"state_topic": report, "value_template": template}));
    device.add("sensor", "power", "Power", told(power(), "{{ value_json.power }}"));
    let energy = json!({
        "device_class": "energy", "unit_of_measurement": "kWh", "state_class": "total_increasing",
        "suggested_display_precision": 2,
    });
    device.add("sensor", "energy_today", "Energy today", told(energy, "{{ value_json.energy_today }}"));
    let ratio = "{{ value_json.ratio * 100 if value_json.ratio is not none else none }}";
    let covered = with(share(), json!({"icon": "mdi:sun-angle"}));
    device.add("sensor", "ratio", "Solar coverage", told(covered, ratio));
    let on_today = json!({
        "device_class": "duration", "unit_of_measurement": "min", "state_class": "total_increasing",
        "suggested_display_precision": 0,
    });
    device.add("sensor", "on_today", "On today", told(on_today, "{{ (value_json.on_today / 60) | round(1) }}"));
    let starts = json!({
        "icon": "mdi:counter", "state_class": "total_increasing", "suggested_display_precision": 0,
        "entity_category": "diagnostic",
    });
    device.add("sensor", "starts_today", "Starts today", told(starts, "{{ value_json.starts_today }}"));
    let mode = choice(&MODES, "mdi:auto-mode", &topic(TaskTopic::Mode), &topic(TaskTopic::ModeSet));
    device.add("select", "mode", "Mode", mode);
    let priority = choice(&PRIORITIES, "mdi:sort-variant", &topic(TaskTopic::Priority), &topic(TaskTopic::PrioritySet));
    device.add("select", "priority", "Priority", with(json!({"entity_category": "config"}), priority));
    if task.has_setpoint {
        let setpoint = json!({"icon": "mdi:speedometer", "state_topic": topic(TaskTopic::Setpoint)});
        device.add("sensor", "setpoint", "Set-point", with(power(), setpoint));
    } else {
        device.without("sensor", "setpoint");
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::super::HomeAssistant;
    use super::super::device::tests::printed;
    use super::*;
    use crate::scheduler::TaskId;

    #[test]
    fn the_device_of_a_task() {
        let home = HomeAssistant::new("homeassistant", &Topics::new("sunward").unwrap());
        let id = TaskId::new("ev-charger").unwrap();
        let device = home.task(Task { id: &id, name: "Wallbox \"Garage\"", has_setpoint: true });
        assert_snapshot!(printed(&device), @"");
    }

    #[test]
    fn a_task_of_another_home_without_a_set_point() {
        let home = HomeAssistant::new("homeassistant", &Topics::new("home/sunward").unwrap());
        let id = TaskId::new("EV").unwrap();
        let device = home.task(Task { id: &id, name: "EV", has_setpoint: false });
        let payload = device.payload;
        assert_eq!(device.object_id, "home_2fsunward_task_EV");
        assert_eq!(payload["device"]["via_device"], "home_2fsunward");
        assert_eq!(payload["components"]["power"]["unique_id"], "home_2fsunward_task_EV.power");
        assert_eq!(payload["components"]["power"]["default_entity_id"], "sensor.home_sunward_ev_power");
        assert_eq!(payload["components"]["power"]["state_topic"], "home/sunward/task/EV/report");
        assert_eq!(payload["components"]["setpoint"], json!({"platform": "sensor"}));
    }
}
