//! CONNECT: who is it, may it come in, and what was kept for it.

use std::sync::Arc;

use bytes::{BufMut as _, BytesMut};
use mqtt5_protocol::packet::MqttPacket as _;
use mqtt5_protocol::packet::connack::ConnAckPacket;
use mqtt5_protocol::packet::connect::ConnectPacket;
use mqtt5_protocol::{ReasonCode, is_valid_topic_name};
use tokio::sync::Notify;

use super::access::{Access, Permissions};
use super::hub::{Hub, Shared};
use super::link::Link;
use super::message::Message;
use super::session::{Session, Will};

/// Bytes of the longest client id.
const LONGEST_ID: usize = 256;

/// Messages that a client gets before it has to confirm one.
const WINDOW: usize = 20;

/// The longest silence that a client of MQTT 5 may ask for, in seconds: else one that vanished is never missed.
const KEEP_ALIVE: u16 = 600;

/// No account takes more than this part of the connections and sessions.
const SHARE: usize = 4;

/// A client that may come in.
#[derive(Debug)]
pub(super) struct Guest {
    pub(super) client: String,
    pub(super) link: Arc<Link>,
    /// Seconds of silence that it announced.
    pub(super) keep_alive: u16,
}

/// Returns what the account of a client may do.
///
/// # Errors
/// What to refuse it with.
pub(super) async fn authenticated(shared: &Shared, packet: &ConnectPacket) -> Result<Arc<Permissions>, ReasonCode> {
    if packet.properties.get_authentication_method().is_some() {
        return Err(ReasonCode::BadAuthenticationMethod);
    }
    let access = &shared.access;
    if let Some(own) = shared.own.permissions(packet.username.as_deref(), packet.password.as_deref()) {
        return Ok(Arc::new(own));
    }
    if access.users.is_empty() {
        return Ok(Access::of_anybody());
    }
    let refused = Err(ReasonCode::BadUsernameOrPassword);
    let (Some(name), Some(password)) = (&packet.username, &packet.password) else { return refused };
    let Some(account) = access.users.get(name) else { return refused };
    let Ok(_permit) = shared.checking.acquire().await else { return refused };
    let (hash, password) = (account.password.clone(), password.clone());
    match tokio::task::spawn_blocking(move || hash.is_of(&password)).await {
        Ok(true) => Ok(Arc::new(access.of(name, account))),
        _ => refused,
    }
}

impl Hub {
    /// Lets a client in: its former connection ends, its session goes on. Its CONNACK is the first thing it is sent.
    ///
    /// # Errors
    /// What to refuse it with, and why, for the log.
    pub(super) fn greet(
        &mut self,
        packet: ConnectPacket,
        permissions: Arc<Permissions>,
    ) -> Result<Guest, (ReasonCode, &'static str)> {
        let version = packet.protocol_version;
        let assigned = packet.client_id.is_empty();
        let link = Arc::new(link_of(&packet, permissions.clone()));
        let client =
            if assigned { format!("auto-{}-{:08x}", link.id, fastrand::u32(..)) } else { packet.client_id.clone() };
        if (assigned && version == 4 && !packet.clean_start) || client.len() > LONGEST_ID || client.contains('\0') {
            return Err((ReasonCode::ClientIdentifierNotValid, "a client id that can't be used"));
        }
        self.may_come_in(&packet, &client, &permissions)?;
        let will = self.will_of(&packet, &permissions)?;
        let former = self.take_over(&client, packet.clean_start, &permissions)?;
        let resumed = former.is_some();
        let mut session = former.unwrap_or_default();
        let asked = match (version, packet.clean_start) {
            (5, _) => packet.properties.get_session_expiry_interval().unwrap_or(0),
            (_, true) => 0,
            (_, false) => u32::MAX,
        };
        let longest = u32::try_from(self.limits.persistent_client_expiration.as_secs()).unwrap_or(u32::MAX);
        session.expiry = asked.min(longest);
        let crowd = !permissions.user.is_empty()
            && self.of_account(&permissions.user, Session::is_kept) >= (self.limits.max_sessions / SHARE).max(1);
        let full = crowd || self.kept_sessions() >= self.limits.max_sessions;
        if session.is_kept() && !permissions.own && full {
            self.complaints.say("its session will not outlive its connection (broker.max_sessions)", &client, None);
            session.expiry = 0;
        }
        session.queue.restart(&mut self.queued);
        session.will = will;
        session.will_due = None;
        session.gone_since = None;
        session.permissions = permissions;
        session.publisher = link.id;
        session.link = Some(link.clone());
        session.closing = None;
        let answer = &mut session.answers;
        let largest = link.largest_taken(&self.limits);
        let expiry = (session.expiry != asked).then_some(session.expiry);
        let server_keep_alive = (packet.keep_alive == 0 || packet.keep_alive > KEEP_ALIVE).then_some(KEEP_ALIVE);
        if version == 5 {
            welcome(answer, resumed, assigned.then_some(&client), expiry, server_keep_alive, largest);
        } else {
            answer.put_slice(&[0x20, 2, u8::from(resumed), 0]);
        }
        self.sessions.insert(client.clone(), session);
        let keep_alive = server_keep_alive.filter(|_| version == 5).unwrap_or(packet.keep_alive);
        Ok(Guest { client, link, keep_alive })
    }

    fn may_come_in(
        &self,
        packet: &ConnectPacket,
        client: &str,
        permissions: &Permissions,
    ) -> Result<(), (ReasonCode, &'static str)> {
        if packet.properties.get_maximum_packet_size() == Some(0) || packet.properties.get_receive_maximum() == Some(0)
        {
            return Err((ReasonCode::ProtocolError, "a CONNECT that makes no sense"));
        }
        let there = self.sessions.get(client).is_some_and(|session| session.link.is_some());
        if !permissions.own && !there && self.connections() >= self.limits.max_connections {
            return Err((ReasonCode::QuotaExceeded, "no more connections (broker.max_connections)"));
        }
        let most = (self.limits.max_connections / SHARE).max(1);
        let crowd = !there && !permissions.own && !permissions.user.is_empty();
        if crowd && self.of_account(&permissions.user, |session| session.link.is_some()) >= most {
            return Err((ReasonCode::QuotaExceeded, "one account has a quarter of broker.max_connections at most"));
        }
        Ok(())
    }

    fn will_of(
        &self,
        packet: &ConnectPacket,
        permissions: &Permissions,
    ) -> Result<Option<Will>, (ReasonCode, &'static str)> {
        let Some(will) = &packet.will else { return Ok(None) };
        if !is_valid_topic_name(&will.topic) || will.topic.starts_with('$') {
            return Err((ReasonCode::TopicNameInvalid, "a last will without a topic that can be published to"));
        }
        if !permissions.may_write(&will.topic) {
            return Err((ReasonCode::NotAuthorized, "this account may not write where its last will goes"));
        }
        let message = Arc::new(Message::of_will(will));
        let kept = will.retain && !will.payload.is_empty();
        if kept && !self.retained.has_room(&message, permissions.own, &self.limits) {
            return Err((ReasonCode::QuotaExceeded, "no room for its last will (broker.max_retained_bytes)"));
        }
        Ok(Some(Will { message, delay: will.properties.will_delay_interval.unwrap_or(0) }))
    }

    /// Ends what the client had, or returns it to go on with.
    fn take_over(
        &mut self,
        client: &str,
        clean: bool,
        permissions: &Permissions,
    ) -> Result<Option<Session>, (ReasonCode, &'static str)> {
        let Some(session) = self.sessions.get(client) else { return Ok(None) };
        if session.permissions.user != permissions.user && !permissions.own {
            return Err((ReasonCode::NotAuthorized, "another account uses this client id"));
        }
        if let Some(former) = &session.link {
            // It finds that the session is not its own any more.
            former.wake.notify_one();
            former.room.notify_one();
        }
        let kept = session.is_kept() && !clean;
        let broken = session.link.is_some();
        if !kept {
            self.forget(client);
            return Ok(None);
        }
        if broken {
            let link = session.link.as_ref().map_or(0, |link| link.id);
            self.disconnected(client, link, super::link::Ending::Broken(Some(ReasonCode::SessionTakenOver)));
        }
        Ok(self.sessions.remove(client))
    }
}

fn link_of(packet: &ConnectPacket, permissions: Arc<Permissions>) -> Link {
    let properties = &packet.properties;
    Link {
        id: Link::next_id(),
        version: packet.protocol_version,
        window: WINDOW.min(properties.get_receive_maximum().map_or(WINDOW, usize::from)),
        max_packet_size: properties.get_maximum_packet_size().map_or(usize::MAX, |size| size as usize),
        reasons: properties.get_request_problem_information().unwrap_or(true),
        permissions,
        wake: Notify::new(),
        room: Notify::new(),
    }
}

fn welcome(
    out: &mut BytesMut,
    resumed: bool,
    assigned: Option<&String>,
    expiry: Option<u32>,
    keep_alive: Option<u16>,
    max_packet_size: usize,
) {
    let mut packet = ConnAckPacket::new(resumed, ReasonCode::Success)
        .with_maximum_packet_size(u32::try_from(max_packet_size).unwrap_or(u32::MAX))
        .with_shared_subscription_available(false)
        .with_subscription_identifier_available(false);
    if let Some(client) = assigned {
        packet = packet.with_assigned_client_id(client.clone());
    }
    if let Some(expiry) = expiry {
        packet = packet.with_session_expiry_interval(expiry);
    }
    if let Some(keep_alive) = keep_alive {
        packet = packet.with_server_keep_alive(keep_alive);
    }
    // A CONNACK of these can always be encoded.
    let _ = packet.encode(out);
}

/// The CONNACK that refuses; 3.1.1 has fewer words.
pub(super) fn refusal(version: u8, code: ReasonCode, reason: &str) -> BytesMut {
    let mut out = BytesMut::new();
    if version == 5 {
        let _ = ConnAckPacket::new(false, code).with_reason_string(reason.to_owned()).encode(&mut out);
        return out;
    }
    let old = match code {
        ReasonCode::UnsupportedProtocolVersion => 1,
        ReasonCode::ClientIdentifierNotValid => 2,
        ReasonCode::BadUsernameOrPassword => 4,
        ReasonCode::NotAuthorized => 5,
        _ => 3,
    };
    out.put_slice(&[0x20, 2, 0, old]);
    out
}
