//! One connection, from its first packet to its end: one side listens, the other sends, and neither waits for the other.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use mqtt5_protocol::ReasonCode;
use mqtt5_protocol::packet::Packet;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::time::timeout;

use super::complaints::shown;
use super::delivery::Next;
use super::frames::{FrameError, Frames};
use super::greeting::{self, Guest};
use super::hub::Shared;
use super::link::Ending;
use super::outgoing;
use super::pace::{self, Pace};

/// The first packet has so long to come.
pub(super) const FIRST_PACKET: Duration = Duration::from_secs(10);

/// Bytes of the first packet.
const LARGEST_CONNECT: usize = 32 * 1024;

/// Who takes nothing for so long, although something is there, is gone.
const STALLED: Duration = Duration::from_secs(30);

/// Bytes of answers that wait for a client before it is listened to again.
const ANSWERS: usize = 64 * 1024;

/// Bytes that are thrown away after last words.
const DISCARDED: usize = 8 * 1024 * 1024;

/// Serves a client until it is gone. `welcomed` is called when it is no stranger any more.
pub(super) async fn serve(stream: TcpStream, shared: Arc<Shared>, welcomed: impl FnOnce()) {
    let (reader, mut writer) = stream.into_split();
    let largest = shared.limits.max_packet_size as usize;
    let mut frames = Frames::new(reader, largest.min(LARGEST_CONNECT));
    let Some(guest) = greet(&mut frames, &mut writer, &shared).await else {
        return close(frames, writer, &shared).await;
    };
    welcomed();
    frames.limit = guest.link.largest_taken(&shared.limits);
    let ending = tokio::select! {
        ending = listen(&mut frames, &guest, &shared) => ending,
        ending = send(&mut writer, &guest, &shared) => ending,
    };
    if let Ending::Broken(Some(reason)) = ending {
        let mut goodbye = BytesMut::new();
        outgoing::disconnect(&mut goodbye, guest.link.version, reason);
        // It may be gone already.
        let _ = timeout(Duration::from_secs(1), writer.write_all(&goodbye)).await;
    }
    shared.hub().disconnected(&guest.client, guest.link.id, ending);
    shared.changed.notify_one();
    if matches!(ending, Ending::Broken(Some(_))) {
        close(frames, writer, &shared).await;
    }
}

/// Closes a line on which something was said last.
async fn close(mut frames: Frames, mut writer: OwnedWriteHalf, shared: &Shared) {
    let _ = timeout(Duration::from_secs(1), writer.shutdown()).await;
    if let Ok(_permit) = shared.discarding.try_acquire() {
        let _ = timeout(Duration::from_secs(1), frames.discard(DISCARDED)).await;
    }
}

async fn greet(frames: &mut Frames, writer: &mut OwnedWriteHalf, shared: &Shared) -> Option<Guest> {
    let connect = match timeout(FIRST_PACKET, frames.next(5)).await {
        Ok(Ok((Packet::Connect(connect), _))) => *connect,
        Ok(Ok(_)) => {
            shared.hub().complaints.say("the first packet was no CONNECT", "unknown", None);
            return None;
        }
        Ok(Err(FrameError::TooLarge { .. })) => {
            shared.hub().complaints.say("a CONNECT that is too large (broker.max_packet_size)", "unknown", None);
            // Its version is not known yet; MQTT 5 clients understand this, others see the line closed.
            let _ = writer.write_all(&greeting::refusal(5, ReasonCode::PacketTooLarge, "CONNECT is too large")).await;
            return None;
        }
        Ok(Err(problem)) => {
            tracing::debug!("the embedded broker: {problem} before a CONNECT");
            return None;
        }
        Err(_) => {
            shared.hub().complaints.say("a connection that said nothing for 10 s is closed", "unknown", None);
            return None;
        }
    };
    let (version, client) = (connect.protocol_version, connect.client_id.clone());
    let outcome = match greeting::authenticated(shared, &connect).await {
        Ok(permissions) => shared.hub().greet(connect, permissions),
        Err(code) => Err((code, "no such account, or another password (broker.users)")),
    };
    match outcome {
        Ok(guest) => {
            tracing::debug!("the embedded broker: client {} has connected", shown(&guest.client));
            Some(guest)
        }
        Err((code, reason)) => {
            shared.hub().complaints.say(reason, &client, None);
            let _ = timeout(STALLED, writer.write_all(&greeting::refusal(version, code, reason))).await;
            None
        }
    }
}

async fn listen(frames: &mut Frames, guest: &Guest, shared: &Shared) -> Ending {
    let Guest { client, link, keep_alive } = guest;
    let silence = (*keep_alive > 0).then(|| Duration::from_secs(u64::from(*keep_alive) * 3 / 2));
    let mut pace = Pace::new();
    loop {
        let packet = async {
            match silence {
                Some(silence) => timeout(silence, frames.next(link.version)).await.ok(),
                None => Some(frames.next(link.version).await),
            }
        };
        let (packet, size) = match packet.await {
            Some(Ok(packet)) => packet,
            Some(Err(problem)) => return broken(shared, client, &problem),
            None => return Ending::Broken(Some(ReasonCode::KeepAliveTimeout)),
        };
        let things = match &packet {
            Packet::Subscribe(packet) => packet.filters.len(),
            Packet::Unsubscribe(packet) => packet.filters.len(),
            _ => 1,
        };
        let things = match take(packet, guest, shared) {
            Ok(compared) => things + pace::of_comparisons(compared),
            Err(ending) => return ending,
        };
        if !link.permissions.own {
            pace.heard(size, things).await;
        }
        // Else one client that sends without a break would keep all others waiting.
        tokio::task::yield_now().await;
        loop {
            let waiting = shared.hub().session(client, link.id).map(|session| session.answers.len());
            match waiting {
                Some(bytes) if bytes > ANSWERS => link.room.notified().await,
                Some(_) => break,
                // The sending side says so.
                None => pending().await,
            }
        }
    }
}

/// Does what a packet asks for; returns how many subscriptions were looked at for it.
fn take(packet: Packet, guest: &Guest, shared: &Shared) -> Result<usize, Ending> {
    let Guest { client, link, .. } = guest;
    let mut hub = shared.hub();
    match packet {
        Packet::Publish(packet) => {
            let compared = hub.publish(client, link, &packet).map_err(|reason| Ending::Broken(Some(reason)))?;
            if hub.retained.has_unsaved() {
                shared.changed.notify_one();
            }
            return Ok(compared);
        }
        Packet::Subscribe(packet) => hub.subscribe(client, link, packet),
        Packet::Unsubscribe(packet) => hub.unsubscribe(client, link, &packet),
        Packet::PubAck(packet) => hub.confirm(client, link.id, packet.packet_id),
        Packet::PubRel(packet) => hub.let_go(client, link.id, packet.packet_id),
        Packet::PingReq => {
            if let Some(session) = hub.session(client, link.id) {
                outgoing::pong(&mut session.answers);
                session.wake();
            }
        }
        Packet::Disconnect(packet) => {
            let longest = u32::try_from(shared.limits.persistent_client_expiration.as_secs()).unwrap_or(u32::MAX);
            if let (Some(asked), Some(session)) =
                (packet.properties.get_session_expiry_interval(), hub.session(client, link.id))
            {
                // One that was to end with its connection can't be made to stay.
                session.expiry = asked.min(if session.expiry == 0 { 0 } else { longest });
            }
            let with_will = packet.reason_code == ReasonCode::DisconnectWithWillMessage;
            return Err(if with_will { Ending::Broken(None) } else { Ending::Goodbye });
        }
        _ => return Err(Ending::Broken(Some(ReasonCode::ProtocolError))),
    }
    Ok(0)
}

fn broken(shared: &Shared, client: &str, problem: &FrameError) -> Ending {
    match problem {
        FrameError::TooLarge { .. } => {
            shared.hub().complaints.say("a packet that is too large (broker.max_packet_size)", client, None);
            Ending::Broken(Some(ReasonCode::PacketTooLarge))
        }
        FrameError::Malformed(_) | FrameError::Stalled => {
            shared.hub().complaints.say("a packet that can't be read", client, None);
            tracing::debug!("the embedded broker: client {}: {problem}", shown(client));
            Ending::Broken(Some(ReasonCode::MalformedPacket))
        }
        FrameError::Io(_) | FrameError::Closed => Ending::Broken(None),
    }
}

async fn send(writer: &mut OwnedWriteHalf, guest: &Guest, shared: &Shared) -> Ending {
    let Guest { client, link, .. } = guest;
    loop {
        let next = shared.hub().next(client, link);
        match next {
            Next::Send(bytes) => match timeout(STALLED, writer.write_all(&bytes)).await {
                Ok(Ok(())) => tokio::task::yield_now().await,
                Ok(Err(_)) => return Ending::Broken(None),
                Err(_) => {
                    shared.hub().complaints.say("a client that took nothing for 30 s is disconnected", client, None);
                    return Ending::Broken(None);
                }
            },
            Next::Wait => link.wake.notified().await,
            Next::End(reason) => return Ending::Broken(Some(reason)),
        }
    }
}
