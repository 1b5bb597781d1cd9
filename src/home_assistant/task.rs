//! The device of a task: its status and why, what it used today, and the mode and priority that people may set.

use serde_json::{Value, json};

use super::device::{Device, percent, power, share, with};
use crate::core::TaskId;
use crate::wire::topics::{TaskTopic, Topics};

/// A task, as far as its entities depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiscoveredTask<'a> {
    /// Its id.
    pub id: &'a TaskId,
    /// Shown to people.
    pub name: &'a str,
    /// Whether it gets set-points.
    pub has_setpoint: bool,
}

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

/// The words that are shown.
fn shown(words: &[(&'static str, &'static str)]) -> Vec<&'static str> {
    words.iter().map(|(_, shown)| *shown).collect()
}

/// Something that a person chooses. `topic` has what is chosen, `set` takes the choice.
fn select(words: &[(&'static str, &'static str)], icon: &str, topic: &str, set: &str) -> Value {
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

/// A value of the task's report, which is empty for a moment when the task goes.
fn of_report(report: &str, value: &str, options: Value) -> Value {
    let template = format!("{{{{ ({value}) if value_json is defined else none }}}}");
    with(json!({"state_topic": report, "value_template": template}), options)
}

/// Its entities.
pub(super) fn describe(device: &mut Device, topics: &Topics, task: DiscoveredTask<'_>) {
    let topic = |kind| topics.task(task.id, kind);
    let report = topic(TaskTopic::Report);
    let reported = |value: &str, options: Value| of_report(&report, value, options);
    let running = dictionary([("running", "ON"), ("stopped", "OFF"), ("unrunnable", "OFF")].into_iter());
    let running = reported(&format!("{running}.get(value_json.status)"), json!({"device_class": "running"}));
    device.add("binary_sensor", "running", "Running", running);
    let status = format!("{}.get(value_json.status)", dictionary(STATUSES.into_iter()));
    let options = json!({
        "icon": "mdi:help-circle-outline", "device_class": "enum", "options": shown(&STATUSES),
        "json_attributes_topic": report,
        "json_attributes_template":
            "{{ ({'reason': value_json.reason, 'priority': value_json.priority, 'mode_until': value_json.mode_until, \
             'held': value_json.held, 'unanswered': value_json.unanswered, 'error': value_json.error} \
             if value_json is defined else {}) | tojson }}",
    });
    device.add("sensor", "status", "Status", reported(&status, options));
    device.add("sensor", "power", "Power", reported("value_json.power", power()));
    let energy = json!({
        "device_class": "energy", "unit_of_measurement": "kWh", "state_class": "total_increasing",
        "suggested_display_precision": 2,
    });
    device.add("sensor", "energy_today", "Energy today", reported("value_json.energy_today", energy));
    let covered = with(share(), json!({"icon": "mdi:sun-angle"}));
    device.add("sensor", "ratio", "Solar coverage", reported(&percent("value_json.ratio"), covered));
    let on_today = json!({
        "device_class": "duration", "unit_of_measurement": "min", "state_class": "total_increasing",
        "suggested_display_precision": 0,
    });
    device.add("sensor", "on_today", "On today", reported("(value_json.on_today / 60) | round(1)", on_today));
    let starts = json!({
        "icon": "mdi:counter", "state_class": "total_increasing", "suggested_display_precision": 0,
        "entity_category": "diagnostic",
    });
    device.add("sensor", "starts_today", "Starts today", reported("value_json.starts_today", starts));
    let mode = select(&MODES, "mdi:auto-mode", &topic(TaskTopic::Mode), &topic(TaskTopic::ModeSet));
    device.add("select", "mode", "Mode", mode);
    let priority = select(&PRIORITIES, "mdi:sort-variant", &topic(TaskTopic::Priority), &topic(TaskTopic::PrioritySet));
    device.add("select", "priority", "Priority", with(json!({"entity_category": "config"}), priority));
    if task.has_setpoint {
        let setpoint = with(power(), json!({"icon": "mdi:speedometer"}));
        device.add("sensor", "setpoint", "Set-point", reported("value_json.setpoint", setpoint));
    } else {
        device.without("sensor", "setpoint");
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::super::device::printed;
    use super::super::discovery::HomeAssistant;
    use super::*;

    #[test]
    fn the_device_of_a_task() {
        let home = HomeAssistant::new("homeassistant", &Topics::new("sunward").unwrap());
        let id = TaskId::new("ev-charger").unwrap();
        let device = home.task(DiscoveredTask { id: &id, name: "Wallbox \"Garage\"", has_setpoint: true });
        assert_snapshot!(printed(&device), @r##"
        availability_topic: "sunward/scheduler/availability"
          energy_today: {"default_entity_id":"sensor.sunward_ev_charger_energy_today","device_class":"energy","name":"Energy today","object_id":"sunward_ev_charger_energy_today","platform":"sensor","state_class":"total_increasing","state_topic":"sunward/task/ev-charger/report","suggested_display_precision":2,"unique_id":"sunward_task_ev-charger.energy_today","unit_of_measurement":"kWh","value_template":"{{ (value_json.energy_today) if value_json is defined else none }}"}
          mode: {"command_template":"{{ {'Automatic': \"auto\", 'On': \"on\", 'Off': \"off\"}[value] }}","command_topic":"sunward/task/ev-charger/mode/set","default_entity_id":"select.sunward_ev_charger_mode","icon":"mdi:auto-mode","name":"Mode","object_id":"sunward_ev_charger_mode","options":["Automatic","On","Off"],"platform":"select","state_topic":"sunward/task/ev-charger/mode","unique_id":"sunward_task_ev-charger.mode","value_template":"{{ {'auto': \"Automatic\", 'on': \"On\", 'off': \"Off\"}.get((value.split(' ') | first)) }}"}
          on_today: {"default_entity_id":"sensor.sunward_ev_charger_on_today","device_class":"duration","name":"On today","object_id":"sunward_ev_charger_on_today","platform":"sensor","state_class":"total_increasing","state_topic":"sunward/task/ev-charger/report","suggested_display_precision":0,"unique_id":"sunward_task_ev-charger.on_today","unit_of_measurement":"min","value_template":"{{ ((value_json.on_today / 60) | round(1)) if value_json is defined else none }}"}
          power: {"default_entity_id":"sensor.sunward_ev_charger_power","device_class":"power","name":"Power","object_id":"sunward_ev_charger_power","platform":"sensor","state_class":"measurement","state_topic":"sunward/task/ev-charger/report","suggested_display_precision":0,"unique_id":"sunward_task_ev-charger.power","unit_of_measurement":"W","value_template":"{{ (value_json.power) if value_json is defined else none }}"}
          priority: {"command_template":"{{ {'Automatic': \"auto\", 'Low': \"low\", 'Medium': \"medium\", 'High': \"high\", 'Urgent': \"urgent\"}[value] }}","command_topic":"sunward/task/ev-charger/priority/set","default_entity_id":"select.sunward_ev_charger_priority","entity_category":"config","icon":"mdi:sort-variant","name":"Priority","object_id":"sunward_ev_charger_priority","options":["Automatic","Low","Medium","High","Urgent"],"platform":"select","state_topic":"sunward/task/ev-charger/priority","unique_id":"sunward_task_ev-charger.priority","value_template":"{{ {'auto': \"Automatic\", 'low': \"Low\", 'medium': \"Medium\", 'high': \"High\", 'urgent': \"Urgent\"}.get((value.split(' ') | first)) }}"}
          ratio: {"default_entity_id":"sensor.sunward_ev_charger_ratio","icon":"mdi:sun-angle","name":"Solar coverage","object_id":"sunward_ev_charger_ratio","platform":"sensor","state_class":"measurement","state_topic":"sunward/task/ev-charger/report","suggested_display_precision":0,"unique_id":"sunward_task_ev-charger.ratio","unit_of_measurement":"%","value_template":"{{ ((value_json.ratio * 100) | round if value_json.ratio is not none else none) if value_json is defined else none }}"}
          running: {"default_entity_id":"binary_sensor.sunward_ev_charger_running","device_class":"running","name":"Running","object_id":"sunward_ev_charger_running","platform":"binary_sensor","state_topic":"sunward/task/ev-charger/report","unique_id":"sunward_task_ev-charger.running","value_template":"{{ ({'running': \"ON\", 'stopped': \"OFF\", 'unrunnable': \"OFF\"}.get(value_json.status)) if value_json is defined else none }}"}
          setpoint: {"default_entity_id":"sensor.sunward_ev_charger_setpoint","device_class":"power","icon":"mdi:speedometer","name":"Set-point","object_id":"sunward_ev_charger_setpoint","platform":"sensor","state_class":"measurement","state_topic":"sunward/task/ev-charger/report","suggested_display_precision":0,"unique_id":"sunward_task_ev-charger.setpoint","unit_of_measurement":"W","value_template":"{{ (value_json.setpoint) if value_json is defined else none }}"}
          starts_today: {"default_entity_id":"sensor.sunward_ev_charger_starts_today","entity_category":"diagnostic","icon":"mdi:counter","name":"Starts today","object_id":"sunward_ev_charger_starts_today","platform":"sensor","state_class":"total_increasing","state_topic":"sunward/task/ev-charger/report","suggested_display_precision":0,"unique_id":"sunward_task_ev-charger.starts_today","value_template":"{{ (value_json.starts_today) if value_json is defined else none }}"}
          status: {"default_entity_id":"sensor.sunward_ev_charger_status","device_class":"enum","icon":"mdi:help-circle-outline","json_attributes_template":"{{ ({'reason': value_json.reason, 'priority': value_json.priority, 'mode_until': value_json.mode_until, 'held': value_json.held, 'unanswered': value_json.unanswered, 'error': value_json.error} if value_json is defined else {}) | tojson }}","json_attributes_topic":"sunward/task/ev-charger/report","name":"Status","object_id":"sunward_ev_charger_status","options":["Running","Stopped","Can't run","Unreachable","Invalid registration"],"platform":"sensor","state_topic":"sunward/task/ev-charger/report","unique_id":"sunward_task_ev-charger.status","value_template":"{{ ({'running': \"Running\", 'stopped': \"Stopped\", 'unrunnable': \"Can't run\", 'unreachable': \"Unreachable\", 'invalid': \"Invalid registration\"}.get(value_json.status)) if value_json is defined else none }}"}
        device: {"identifiers":["sunward_task_ev-charger"],"manufacturer":"Sunward","model":"Task","name":"Wallbox \"Garage\"","sw_version":"VERSION","via_device":"sunward"}
        origin: {"name":"Sunward","sw_version":"VERSION"}
        qos: 1
        "##);
    }

    #[test]
    fn a_task_of_another_home_without_a_set_point() {
        let home = HomeAssistant::new("homeassistant", &Topics::new("home/sunward").unwrap());
        let id = TaskId::new("EV").unwrap();
        let device = home.task(DiscoveredTask { id: &id, name: "EV", has_setpoint: false });
        let payload = device.payload;
        assert_eq!(device.object_id, "home_2fsunward_task_EV");
        assert_eq!(payload["device"]["via_device"], "home_2fsunward");
        assert_eq!(payload["components"]["power"]["unique_id"], "home_2fsunward_task_EV.power");
        assert_eq!(payload["components"]["power"]["default_entity_id"], "sensor.home_sunward_ev_power");
        assert_eq!(payload["components"]["power"]["state_topic"], "home/sunward/task/EV/report");
        assert_eq!(payload["components"]["setpoint"], json!({"platform": "sensor"}));
    }
}
