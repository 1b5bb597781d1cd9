//! One discovery message in the making: a device and its entities. Which entities there are, its callers know.

use serde_json::{Map, Value, json};

/// A device with its entities.
#[derive(Debug)]
pub(super) struct Device {
    /// Its place in the discovery topic, and what the unique ids of its entities begin with.
    pub(super) object_id: String,
    /// What the entity ids begin with.
    slug: String,
    pub(super) payload: Value,
}

impl Device {
    pub(super) fn new(object_id: String, slug: String, name: &str, model: &str) -> Self {
        let version = env!("CARGO_PKG_VERSION");
        let payload = json!({
            "device": {
                "identifiers": [object_id], "name": name, "manufacturer": "Sunward", "model": model,
                "sw_version": version,
            },
            "origin": {"name": "Sunward", "sw_version": version},
            "components": {},
            "qos": 1,
        });
        Self { object_id, slug, payload }
    }

    /// Names the device through which this one is reached.
    pub(super) fn via(&mut self, identifier: &str) {
        self.payload["device"]["via_device"] = identifier.into();
    }

    /// Names the topic that says `online` or `offline` for all entities.
    pub(super) fn available_with(&mut self, topic: String) {
        self.payload["availability_topic"] = topic.into();
    }

    /// Adds an entity. `key` names it for ever, `name` is what people read behind the device's name.
    pub(super) fn add(&mut self, platform: &str, key: &str, name: &str, options: Value) {
        let entity = format!("{}_{key}", self.slug);
        let mut component = Map::new();
        component.insert("platform".into(), platform.into());
        // Not `_`: ids of tasks may hold that.
        component.insert("unique_id".into(), format!("{}.{key}", self.object_id).into());
        component.insert("name".into(), name.into());
        component.insert("default_entity_id".into(), format!("{platform}.{entity}").into());
        // The same for Home Assistant before 2025.10.
        component.insert("object_id".into(), entity.into());
        if let Value::Object(options) = options {
            component.extend(options);
        }
        self.payload["components"][key] = component.into();
    }

    /// Removes an entity that the device may have had before: it has to be named without its options.
    pub(super) fn without(&mut self, platform: &str, key: &str) {
        self.payload["components"][key] = json!({"platform": platform});
    }
}

/// A power in watts.
pub(super) fn power() -> Value {
    json!({
        "device_class": "power", "unit_of_measurement": "W", "state_class": "measurement",
        "suggested_display_precision": 0,
    })
}

/// A share in percent.
pub(super) fn share() -> Value {
    json!({"unit_of_measurement": "%", "state_class": "measurement", "suggested_display_precision": 0})
}

/// A ratio in percent, in Jinja. Rounded, as 0.29 times 100 is 28.999999999999996.
pub(super) fn percent(ratio: &str) -> String {
    format!("({ratio} * 100) | round if {ratio} is not none else none")
}

/// Both sets of options.
pub(super) fn with(mut options: Value, more: Value) -> Value {
    if let (Value::Object(options), Value::Object(more)) = (&mut options, more) {
        options.extend(more);
    }
    options
}

/// Text as Home Assistant writes it in entity ids, where there must be some.
pub(super) fn slug(text: &str) -> String {
    let words: Vec<_> = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    if words.is_empty() { "sunward".into() } else { words.join("_").to_ascii_lowercase() }
}

/// A discovery message as tests read it, one line for each entity.
#[cfg(test)]
pub(super) fn printed(device: &Device) -> String {
    let mut lines = Vec::new();
    for (key, value) in device.payload.as_object().unwrap() {
        if key == "components" {
            let components = value.as_object().unwrap().iter();
            lines.extend(components.map(|(key, component)| format!("  {key}: {component}")));
        } else {
            lines.push(format!("{key}: {value}"));
        }
    }
    lines.join("\n").replace(env!("CARGO_PKG_VERSION"), "VERSION")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entity_ids_hold_what_home_assistant_allows() {
        let check = |text: &str, expect: &str| assert_eq!(slug(text), expect, "{text}");
        check("sunward", "sunward");
        check("home/sunward EV-charger_2", "home_sunward_ev_charger_2");
        check("sunward -", "sunward");
        check("Zuhause/Sonne ☀", "zuhause_sonne");
        check("☀", "sunward");
    }
}
