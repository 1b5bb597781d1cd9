//! Answers, as bytes.

use bytes::{BufMut as _, BytesMut};
use mqtt5_protocol::packet::MqttPacket;
use mqtt5_protocol::packet::disconnect::DisconnectPacket;
use mqtt5_protocol::packet::puback::PubAckPacket;
use mqtt5_protocol::packet::publish::PublishPacket;
use mqtt5_protocol::packet::pubrec::PubRecPacket;
use mqtt5_protocol::packet::suback::{SubAckPacket, SubAckReasonCode};
use mqtt5_protocol::packet::unsuback::{UnsubAckPacket, UnsubAckReasonCode};
use mqtt5_protocol::{QoS, ReasonCode};

use super::link::Link;

const PUBACK: u8 = 0x40;
const PUBREC: u8 = 0x50;
const PUBCOMP: u8 = 0x70;

fn put(out: &mut BytesMut, packet: &impl MqttPacket) {
    let start = out.len();
    if packet.encode(out).is_err() {
        // None of these can't be encoded; half a packet would be worse than none.
        out.truncate(start);
    }
}

fn put_short(out: &mut BytesMut, kind: u8, id: u16) {
    out.put_u8(kind);
    out.put_u8(2);
    out.put_u16(id);
}

/// PUBACK or PUBREC; nothing for QoS 0. 3.1.1 has no words for a refusal.
pub(super) fn confirm_publish(
    out: &mut BytesMut,
    link: &Link,
    packet: &PublishPacket,
    verdict: Result<(), (ReasonCode, &'static str)>,
) {
    let Some(id) = packet.packet_id else { return };
    let twice = packet.qos == QoS::ExactlyOnce;
    match verdict {
        Err((code, reason)) if link.version == 5 => {
            let reason = if link.reasons { reason } else { "" };
            if twice {
                let refusal = PubRecPacket::new_with_reason(id, code);
                put(out, &if reason.is_empty() { refusal } else { refusal.with_reason_string(reason.into()) });
            } else {
                let refusal = PubAckPacket::new_with_reason(id, code);
                put(out, &if reason.is_empty() { refusal } else { refusal.with_reason_string(reason.into()) });
            }
        }
        _ => put_short(out, if twice { PUBREC } else { PUBACK }, id),
    }
}

/// PUBCOMP.
pub(super) fn completed(out: &mut BytesMut, id: u16) {
    put_short(out, PUBCOMP, id);
}

/// SUBACK.
pub(super) fn granted(out: &mut BytesMut, link: &Link, id: u16, codes: &[SubAckReasonCode]) {
    let mut packet = if link.version == 5 { SubAckPacket::new(id) } else { SubAckPacket::new_v311(id) };
    let in_old_words = |code: &SubAckReasonCode| match code {
        code if link.version == 5 || code.is_success() => *code,
        _ => SubAckReasonCode::UnspecifiedError,
    };
    packet.reason_codes = codes.iter().map(in_old_words).collect();
    put(out, &packet);
}

/// UNSUBACK.
pub(super) fn removed(out: &mut BytesMut, link: &Link, id: u16, codes: &[UnsubAckReasonCode]) {
    let mut packet = if link.version == 5 { UnsubAckPacket::new(id) } else { UnsubAckPacket::new_v311(id) };
    if link.version == 5 {
        packet.reason_codes = codes.to_vec();
    }
    put(out, &packet);
}

/// PINGRESP.
pub(super) fn pong(out: &mut BytesMut) {
    out.put_slice(&[0xd0, 0]);
}

/// DISCONNECT, which 3.1.1 doesn't have from this side.
pub(super) fn disconnect(out: &mut BytesMut, version: u8, code: ReasonCode) {
    if version == 5 {
        put(out, &DisconnectPacket::new(code));
    }
}
