//! What a client publishes: may it, has it room, and who gets it.

use std::sync::Arc;

use mqtt5_protocol::packet::publish::PublishPacket;
use mqtt5_protocol::{QoS, ReasonCode, is_valid_topic_name, topic_matches_filter};

use super::hub::Hub;
use super::link::Link;
use super::message::Message;
use super::outgoing;
use super::queue::Waiting;
use super::session::{Session, Subscription};

impl Hub {
    /// Takes a message in, and answers. Returns how many subscriptions it was compared with.
    ///
    /// # Errors
    /// What to disconnect the client for.
    pub(super) fn publish(&mut self, client: &str, link: &Link, packet: &PublishPacket) -> Result<usize, ReasonCode> {
        if packet.topic_alias().is_some() {
            return Err(ReasonCode::TopicAliasInvalid);
        }
        // What begins with $ is the broker's own.
        if !is_valid_topic_name(&packet.topic_name) || packet.topic_name.starts_with('$') {
            return Err(ReasonCode::TopicNameInvalid);
        }
        let Some(session) = self.session(client, link.id) else { return Ok(0) };
        let again = packet.qos == QoS::ExactlyOnce && packet.packet_id.is_some_and(|id| session.taken.contains(&id));
        let taken = if again { Ok(0) } else { self.take(client, link, packet) };
        let (verdict, compared) = (taken.map(drop), taken.unwrap_or(0));
        let Some(session) = self.session(client, link.id) else { return Ok(compared) };
        if let (QoS::ExactlyOnce, Some(id), Ok(())) = (packet.qos, packet.packet_id, verdict) {
            session.taken.insert(id);
        }
        outgoing::confirm_publish(&mut session.answers, link, packet, verdict);
        session.wake();
        Ok(compared)
    }

    fn take(&mut self, client: &str, link: &Link, packet: &PublishPacket) -> Result<usize, (ReasonCode, &'static str)> {
        let topic = packet.topic_name.as_str();
        if !link.permissions.may_write(topic) {
            self.complaints.say("this account may not write there", client, Some(topic));
            return Err((ReasonCode::NotAuthorized, "this account may not write there"));
        }
        let message = Message::of(packet);
        let own = link.permissions.own;
        let full = packet.retain && !packet.payload.is_empty() && !self.retained.has_room(&message, own, &self.limits);
        if full {
            self.complaints.say(RETAINED_FULL, client, Some(topic));
            // Who can read it is told, and nothing else happens. Others at least have it passed on.
            if link.version == 5 && packet.qos != QoS::AtMostOnce {
                return Err((ReasonCode::QuotaExceeded, RETAINED_FULL));
            }
        }
        let message = Arc::new(message);
        if packet.retain && !full {
            self.retained.set(&message, own);
        }
        Ok(self.route(&message, client, link.id))
    }

    /// Publishes a last will: kept if it has room, and passed on.
    pub(super) fn pass_on(&mut self, message: &Arc<Message>, client: &str, publisher: u64, own: bool) {
        if message.retain {
            if message.payload.is_empty() || self.retained.has_room(message, own, &self.limits) {
                self.retained.set(message, own);
            } else {
                self.complaints.say(RETAINED_FULL, client, Some(&message.topic));
            }
        }
        self.route(message, client, publisher);
    }

    /// Puts a message into the queues of those who want it; returns how many subscriptions it was compared with.
    fn route(&mut self, message: &Arc<Message>, publisher: &str, publisher_link: u64) -> usize {
        let mut full = None;
        let mut compared = 0;
        for (client, session) in &mut self.sessions {
            compared += session.subscriptions.len();
            let Some(wanted) = wanted(session, &message.topic, client == publisher) else { continue };
            let at_least_once = message.at_least_once && wanted.at_least_once;
            let readable = session.permissions.may_read(&message.topic);
            // What has QoS 0 is for those who are there.
            if !readable || (session.link.is_none() && !at_least_once) {
                continue;
            }
            let retain = message.retain && wanted.retain_as_published;
            let waiting = Waiting::new(message.clone(), at_least_once, retain, publisher_link);
            if session.queue.push(waiting, &self.limits, &mut self.queued) {
                session.wake();
            } else {
                full.get_or_insert_with(|| client.clone());
            }
        }
        if let Some(client) = full {
            self.complaints.say(QUEUE_FULL, &client, Some(&message.topic));
        }
        compared
    }
}

const RETAINED_FULL: &str =
    "no room for another retained message (broker.max_retained_bytes, broker.max_retained_messages)";

const QUEUE_FULL: &str =
    "a message was not delivered, its reader is too slow (broker.max_queued_bytes, broker.max_queued_messages)";

/// How a client wants this topic, if it does: overlapping subscriptions bring one copy.
fn wanted(session: &Session, topic: &str, local: bool) -> Option<Subscription> {
    let matching = session.subscriptions.iter().filter(|(filter, _)| topic_matches_filter(topic, filter));
    matching.map(|(_, subscription)| *subscription).filter(|one| !(one.no_local && local)).reduce(|one, other| {
        Subscription {
            at_least_once: one.at_least_once || other.at_least_once,
            no_local: false,
            retain_as_published: one.retain_as_published || other.retain_as_published,
        }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mqtt5_protocol::QoS;
    use mqtt5_protocol::packet::publish::PublishPacket;

    use super::{Hub, Message, Session, Subscription};

    #[test]
    fn a_message_tells_with_how_many_subscriptions_it_was_compared() {
        let mut hub = Hub::default();
        let plain = Subscription { at_least_once: false, no_local: false, retain_as_published: false };
        for client in 0..3 {
            let subscriptions = (0..200).map(|number| (format!("other/{number}"), plain)).collect();
            hub.sessions.insert(format!("c{client}"), Session { subscriptions, ..Session::default() });
        }
        let message = Arc::new(Message::of(&PublishPacket::new("t", b"1".as_slice(), QoS::AtMostOnce)));
        assert_eq!(hub.route(&message, "publisher", 1), 600);
    }
}
