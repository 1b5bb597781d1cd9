//! A retained message as a file: JSON, one file per topic.
//!
//! The form is that of the storage which earlier versions wrote, so that their files are read, and the other way round.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mqtt5_protocol::packet::publish::PublishPacket;
use mqtt5_protocol::{Properties, PropertyId, PropertyValue, QoS, is_valid_topic_name};
use serde::{Deserialize, Serialize};

use super::message::Message;

/// Bytes of the longest file name that is made of a topic.
const LONGEST_NAME: usize = 180;

#[derive(Serialize, Deserialize)]
struct Stored {
    topic: String,
    payload: Vec<u8>,
    qos: QoS,
    retain: bool,
    stored_at_secs: u64,
    message_expiry_interval: Option<u32>,
    #[serde(default)]
    user_properties: Vec<(String, String)>,
    #[serde(default)]
    content_type: Option<String>,
    #[serde(default)]
    response_topic: Option<String>,
    #[serde(default)]
    correlation_data: Option<Vec<u8>>,
    #[serde(default)]
    payload_format_indicator: Option<bool>,
}

/// Returns the content of the file of a message.
pub(super) fn written(message: &Message) -> Vec<u8> {
    let now = SystemTime::now();
    let left = message.expires.map(|end| end.duration_since(now).unwrap_or_default().as_secs());
    let properties = message.decoded_properties();
    let text = |id| match properties.get(id) {
        Some(PropertyValue::Utf8String(text)) => Some(text.clone()),
        _ => None,
    };
    let pairs = properties.get_all(PropertyId::UserProperty).unwrap_or_default().iter();
    let stored = Stored {
        topic: message.topic.to_string(),
        payload: message.payload.to_vec(),
        qos: if message.at_least_once { QoS::AtLeastOnce } else { QoS::AtMostOnce },
        retain: true,
        stored_at_secs: now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
        message_expiry_interval: left.map(|left| u32::try_from(left).unwrap_or(u32::MAX)),
        user_properties: pairs
            .filter_map(|value| match value {
                PropertyValue::Utf8StringPair(key, value) => Some((key.clone(), value.clone())),
                _ => None,
            })
            .collect(),
        content_type: text(PropertyId::ContentType),
        response_topic: text(PropertyId::ResponseTopic),
        correlation_data: match properties.get(PropertyId::CorrelationData) {
            Some(PropertyValue::BinaryData(data)) => Some(data.to_vec()),
            _ => None,
        },
        payload_format_indicator: match properties.get(PropertyId::PayloadFormatIndicator) {
            Some(PropertyValue::Byte(byte)) => Some(*byte != 0),
            _ => None,
        },
    };
    // There is nothing in it that JSON can't hold.
    serde_json::to_vec(&stored).unwrap_or_default()
}

/// Reads the content of a file; `None` for a message whose time is over.
///
/// # Errors
/// When it is damaged.
pub(super) fn read(content: &[u8]) -> Result<Option<Arc<Message>>, String> {
    let stored: Stored = serde_json::from_slice(content).map_err(|problem| problem.to_string())?;
    if !is_valid_topic_name(&stored.topic) || stored.payload.is_empty() {
        return Err("it is no retained message".into());
    }
    let mut packet = PublishPacket::new(stored.topic, stored.payload, stored.qos).with_retain(true);
    let properties: &mut Properties = &mut packet.properties;
    for (key, value) in stored.user_properties {
        properties.add_user_property(key, value);
    }
    if let Some(text) = stored.content_type {
        properties.set_content_type(text);
    }
    if let Some(topic) = stored.response_topic {
        properties.set_response_topic(topic);
    }
    if let Some(data) = stored.correlation_data {
        properties.set_correlation_data(data.into());
    }
    if let Some(is_text) = stored.payload_format_indicator {
        properties.set_payload_format_indicator(is_text);
    }
    let mut message = Message::of(&packet);
    if let Some(lifetime) = stored.message_expiry_interval {
        let seconds = stored.stored_at_secs.saturating_add(lifetime.into());
        message.expires = UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
        if message.is_expired(SystemTime::now()) {
            return Ok(None);
        }
    }
    Ok(Some(Arc::new(message)))
}

/// The name of the file of a topic.
pub(super) fn file_name(topic: &str) -> String {
    let mut name = String::with_capacity(topic.len() + 8);
    for character in topic.chars() {
        match character {
            '%' | '/' | '+' | '#' | '$' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' | '\0' => {
                name.push_str(&format!("%{:02X}", u32::from(character)));
            }
            _ => name.push(character),
        }
    }
    if name.len() > LONGEST_NAME {
        let digest = ring::digest::digest(&ring::digest::SHA256, topic.as_bytes());
        name = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        name.insert(0, '~');
    }
    name.push_str(".json");
    name
}

#[cfg(test)]
mod tests {
    use super::{file_name, read, written};

    const OLD: &str = r#"{"topic": "a/b", "payload": [79, 78], "qos": "AtLeastOnce", "retain": true, "stored_at_secs": 1,
        "message_expiry_interval": null, "user_properties": [["k", "v"], ["k", "w"]], "content_type": "text/plain"}"#;

    #[test]
    fn files_of_earlier_versions_are_read_and_written_the_same() {
        let message = read(OLD.as_bytes()).unwrap().unwrap();
        assert_eq!((&*message.topic, &*message.payload, message.at_least_once), ("a/b", b"ON".as_slice(), true));
        let again = read(&written(&message)).unwrap().unwrap();
        // On the wire the properties of a message have no order among themselves.
        let form = |message| {
            let mut form: serde_json::Value = serde_json::from_slice(&written(message)).unwrap();
            form["stored_at_secs"] = 0.into();
            form
        };
        assert_eq!(form(&again), form(&message));
        let text = String::from_utf8(written(&message)).unwrap();
        assert!(text.contains(r#"[["k","v"],["k","w"]]"#) && text.contains("text/plain"), "{text}");
    }

    #[test]
    fn a_message_whose_time_is_over_is_none_and_a_damaged_one_an_error() {
        let over = OLD.replace(r#"_interval": null"#, r#"_interval": 60"#);
        assert!(read(over.as_bytes()).unwrap().is_none());
        for damaged in ["", "{", "[]", &OLD[..60], &OLD.replace("a/b", "a/#")] {
            assert!(read(damaged.as_bytes()).is_err(), "{damaged}");
        }
    }

    #[test]
    fn every_topic_has_a_file_name_of_its_own() {
        assert_eq!(file_name("a/b%"), "a%2Fb%25.json");
        let (long, longer) = ("x".repeat(300), "x".repeat(301));
        assert!(file_name(&long).len() < 200 && file_name(&long) != file_name(&longer));
    }
}
