//! One message as the broker keeps it: the bytes, and nothing that points into a larger buffer.

use std::time::{Duration, SystemTime};

use bytes::{BufMut, Bytes, BytesMut};
use mqtt5_protocol::encoding::encode_variable_int;
use mqtt5_protocol::packet::publish::PublishPacket;
use mqtt5_protocol::{Properties, PropertyId, QoS, WillMessage};

/// What a message costs beside its bytes: the entries that refer to it.
const OVERHEAD: usize = 200;

const MESSAGE_EXPIRY: u8 = 0x02;

/// A message that was accepted.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) topic: Box<str>,
    pub(super) payload: Bytes,
    /// As on the wire, without their length, without those that belong to one hop.
    pub(super) properties: Bytes,
    pub(super) at_least_once: bool,
    pub(super) retain: bool,
    pub(super) expires: Option<SystemTime>,
}

impl Message {
    /// Copies what it needs out of the packet.
    pub(super) fn of(packet: &PublishPacket) -> Self {
        let lifetime = packet.properties.get_message_expiry_interval();
        Self {
            topic: packet.topic_name.as_str().into(),
            payload: Bytes::copy_from_slice(&packet.payload),
            properties: forwarded(&packet.properties),
            at_least_once: packet.qos != QoS::AtMostOnce,
            retain: packet.retain,
            expires: lifetime.and_then(|s| SystemTime::now().checked_add(Duration::from_secs(s.into()))),
        }
    }

    /// The last will, as it is published when its time has come.
    pub(super) fn of_will(will: &WillMessage) -> Self {
        let mut packet =
            PublishPacket::new(will.topic.clone(), will.payload.clone(), will.qos).with_retain(will.retain);
        will.properties.apply_to_publish_properties(&mut packet.properties);
        Self::of(&packet)
    }

    /// The properties, taken apart.
    pub(super) fn decoded_properties(&self) -> Properties {
        let mut encoded = BytesMut::new();
        put_variable(&mut encoded, self.properties.len());
        encoded.put_slice(&self.properties);
        // They were encoded here.
        Properties::decode(&mut encoded).unwrap_or_default()
    }

    /// Bytes that it costs.
    pub(super) fn cost(&self) -> usize {
        OVERHEAD + self.topic.len() + self.payload.len() + self.properties.len()
    }

    /// Whether its time is over.
    pub(super) fn is_expired(&self, now: SystemTime) -> bool {
        self.expires.is_some_and(|end| end <= now)
    }

    /// Writes it as a PUBLISH packet; `id` makes it one with QoS 1.
    pub(super) fn encode(&self, version: u8, id: Option<u16>, dup: bool, retain: bool, out: &mut BytesMut) {
        let left = self.expires.map(|end| end.duration_since(SystemTime::now()).unwrap_or_default().as_secs());
        let expiry = left.map(|left| u32::try_from(left).unwrap_or(u32::MAX)).filter(|_| version == 5);
        let properties = self.properties.len() + if expiry.is_some() { 5 } else { 0 };
        let mut length = 2 + self.topic.len() + self.payload.len() + if id.is_some() { 2 } else { 0 };
        if version == 5 {
            length += properties + variable_length(properties);
        }
        out.put_u8(0x30 | u8::from(dup) << 3 | u8::from(id.is_some()) << 1 | u8::from(retain));
        put_variable(out, length);
        out.put_u16(u16::try_from(self.topic.len()).unwrap_or(u16::MAX));
        out.put_slice(self.topic.as_bytes());
        if let Some(id) = id {
            out.put_u16(id);
        }
        if version == 5 {
            put_variable(out, properties);
            if let Some(expiry) = expiry {
                out.put_u8(MESSAGE_EXPIRY);
                out.put_u32(expiry);
            }
            out.put_slice(&self.properties);
        }
        out.put_slice(&self.payload);
    }

    /// An upper bound of the bytes of its packet.
    pub(super) fn packet_size(&self) -> usize {
        self.topic.len() + self.payload.len() + self.properties.len() + 20
    }
}

/// What is passed on: all but the alias and the subscription identifier, which belong to one connection, and the lifetime,
/// which is counted down.
fn forwarded(properties: &Properties) -> Bytes {
    let hop = [PropertyId::TopicAlias, PropertyId::SubscriptionIdentifier, PropertyId::MessageExpiryInterval];
    let mut kept = Properties::new();
    for (id, value) in properties.iter().filter(|(id, _)| !hop.contains(id)) {
        // It was decoded from a packet, so that it can be added again.
        let _ = kept.add(id, value.clone());
    }
    let mut encoded = BytesMut::new();
    if kept.is_empty() || kept.encode(&mut encoded).is_err() {
        return Bytes::new();
    }
    let start = encoded.iter().position(|byte| byte & 0x80 == 0).map_or(0, |end| end + 1);
    Bytes::copy_from_slice(&encoded[start..])
}

fn put_variable(out: &mut BytesMut, value: usize) {
    // Packets are limited far below what this can't encode.
    let _ = encode_variable_int(out, u32::try_from(value).unwrap_or(u32::MAX));
}

fn variable_length(value: usize) -> usize {
    match value {
        0..128 => 1,
        128..16_384 => 2,
        16_384..2_097_152 => 3,
        _ => 4,
    }
}
