//! What is sent to a client next: answers, then retained messages for its new subscriptions, then its queue.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::BytesMut;
use mqtt5_protocol::{ReasonCode, topic_matches_filter};

use super::hub::Hub;
use super::link::Link;
use super::message::Message;
use super::queue::Waiting;
use super::retained::Retained;
use super::session::{Replay, Session};

/// Bytes that are taken at once, or one packet.
const BATCH: usize = 16 * 1024;

/// Topics that are looked at for one batch: the rest waits for the next.
const LOOKED_AT: usize = 2_000;

/// What to send, and what comes then.
#[derive(Debug)]
pub(super) enum Next {
    Send(BytesMut),
    /// Nothing now.
    Wait,
    /// Nothing any more: the connection ends for this reason, or because another one took its place.
    End(ReasonCode),
}

impl Hub {
    /// Takes what this connection is to send next.
    pub(super) fn next(&mut self, client: &str, link: &Link) -> Next {
        let Self { sessions, retained, queued, .. } = self;
        let Some(session) = sessions.get_mut(client).filter(|session| is_of(session, link)) else {
            return Next::End(ReasonCode::SessionTakenOver);
        };
        let mut out = std::mem::take(&mut session.answers);
        link.room.notify_one();
        send_again(session, link, &mut out);
        let now = SystemTime::now();
        let mut looked_at = 0;
        while out.len() < BATCH
            && looked_at < LOOKED_AT
            && replay(session, retained, link, &mut looked_at, &mut out, queued)
        {}
        while out.len() < BATCH && session.replays.is_empty() {
            let Some(waiting) = session.queue.pop(link.window, queued) else { break };
            if !waiting.message.is_expired(now) {
                send(session, waiting, link, &mut out, queued);
            }
        }
        if !out.is_empty() {
            return Next::Send(out);
        }
        match session.closing {
            Some(reason) => Next::End(reason),
            None if looked_at >= LOOKED_AT => Next::Send(out),
            None => Next::Wait,
        }
    }
}

fn is_of(session: &Session, link: &Link) -> bool {
    session.link.as_ref().is_some_and(|own| own.id == link.id)
}

/// On a new connection: what the former one didn't confirm.
fn send_again(session: &mut Session, link: &Link, out: &mut BytesMut) {
    let window = link.window;
    for one in session.queue.unconfirmed.iter_mut().take(window).filter(|one| !one.sent) {
        if out.len() >= BATCH {
            break;
        }
        one.sent = true;
        one.waiting.message.encode(link.version, Some(one.id), true, one.waiting.retain, out);
    }
}

/// Sends one retained message; returns whether there may be another.
fn replay(
    session: &mut Session,
    retained: &Retained,
    link: &Link,
    looked_at: &mut usize,
    out: &mut BytesMut,
    queued: &mut usize,
) -> bool {
    let full = session.queue.unconfirmed.len() >= link.window;
    let Some(replay) = session.replays.front_mut() else { return false };
    if full && replay.at_least_once {
        return false;
    }
    let now = SystemTime::now();
    let found = next_retained(replay, retained, looked_at)
        .filter(|message| !message.is_expired(now) && link.permissions.may_read(&message.topic));
    let at_least_once = replay.at_least_once;
    if replay.done {
        session.replays.pop_front();
    }
    if let Some(message) = found {
        let at_least_once = at_least_once && message.at_least_once;
        send(session, Waiting::new(message, at_least_once, true, link.id), link, out, queued);
    }
    true
}

/// The next message for a subscription, as far as it looks; notes how far that was.
fn next_retained(replay: &mut Replay, retained: &Retained, looked_at: &mut usize) -> Option<Arc<Message>> {
    if !replay.filter.contains(['+', '#']) {
        *looked_at += 1;
        replay.done = true;
        return retained.get(&replay.filter).cloned();
    }
    for message in retained.after(replay.after.as_deref()) {
        *looked_at += 1;
        let matches = topic_matches_filter(&message.topic, &replay.filter);
        if matches || *looked_at >= LOOKED_AT {
            replay.after = Some(message.topic.clone());
            return matches.then(|| message.clone());
        }
    }
    replay.done = true;
    None
}

fn send(session: &mut Session, waiting: Waiting, link: &Link, out: &mut BytesMut, queued: &mut usize) {
    if waiting.message.packet_size() > link.max_packet_size {
        return;
    }
    let (message, retain) = (waiting.message.clone(), waiting.retain);
    let id = waiting.at_least_once.then(|| session.queue.keep(waiting, queued));
    message.encode(link.version, id, false, retain, out);
}
