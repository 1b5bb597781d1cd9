//! What a client subscribes to.

use mqtt5_protocol::QoS;
use mqtt5_protocol::packet::suback::SubAckReasonCode as Granted;
use mqtt5_protocol::packet::subscribe::{RetainHandling, SubscribePacket, TopicFilter};
use mqtt5_protocol::packet::unsuback::UnsubAckReasonCode as Removed;
use mqtt5_protocol::packet::unsubscribe::UnsubscribePacket;
use mqtt5_protocol::{PropertyId, is_valid_topic_filter};

use super::hub::Hub;
use super::link::Link;
use super::outgoing;
use super::session::{Replay, Subscription};

/// Bytes of the longest filter.
const LONGEST_FILTER: usize = 1_024;

/// Bytes of all filters of one client.
const MOST_BYTES: usize = 32 * 1024;

impl Hub {
    /// Adds subscriptions, and answers.
    pub(super) fn subscribe(&mut self, client: &str, link: &Link, packet: SubscribePacket) {
        let id = packet.packet_id;
        let identified = packet.properties.contains(PropertyId::SubscriptionIdentifier);
        let granted: Vec<Granted> = packet
            .filters
            .into_iter()
            .map(|filter| {
                if identified {
                    Granted::SubscriptionIdentifiersNotSupported
                } else {
                    self.add_subscription(client, link, filter)
                }
            })
            .collect();
        let full = granted.contains(&Granted::QuotaExceeded);
        if let Some(session) = self.session(client, link.id) {
            outgoing::granted(&mut session.answers, link, id, &granted);
            session.wake();
        }
        if full {
            self.complaints.say("no more subscriptions (broker.max_subscriptions)", client, None);
        }
    }

    fn add_subscription(&mut self, client: &str, link: &Link, wanted: TopicFilter) -> Granted {
        let TopicFilter { filter, options } = wanted;
        if filter.starts_with("$share/") {
            return Granted::SharedSubscriptionsNotSupported;
        }
        if !is_valid_topic_filter(&filter) || filter.len() > LONGEST_FILTER {
            return Granted::TopicFilterInvalid;
        }
        if !link.permissions.may_subscribe(&filter) {
            self.complaints.say("this account may not read there", client, Some(&filter));
            return Granted::NotAuthorized;
        }
        let most = self.limits.max_subscriptions;
        let Some(session) = self.session(client, link.id) else { return Granted::UnspecifiedError };
        let is_new = !session.subscriptions.contains_key(&filter);
        let bytes = filter.len() + session.subscriptions.keys().map(String::len).sum::<usize>();
        if is_new && (session.subscriptions.len() >= most || bytes > MOST_BYTES) {
            return Granted::QuotaExceeded;
        }
        let at_least_once = options.qos != QoS::AtMostOnce;
        let subscription = Subscription {
            at_least_once,
            no_local: options.no_local,
            retain_as_published: options.retain_as_published,
        };
        session.subscriptions.insert(filter.clone(), subscription);
        let replayed = match options.retain_handling {
            RetainHandling::SendAtSubscribe => true,
            RetainHandling::SendAtSubscribeIfNew => is_new,
            RetainHandling::DoNotSend => false,
        };
        if replayed {
            // Asked for again, it begins anew.
            session.replays.retain(|replay| replay.filter != filter);
            session.replays.push_back(Replay { filter, at_least_once, after: None, done: false });
        }
        if at_least_once { Granted::GrantedQoS1 } else { Granted::GrantedQoS0 }
    }

    /// Takes subscriptions away, and answers.
    pub(super) fn unsubscribe(&mut self, client: &str, link: &Link, packet: &UnsubscribePacket) {
        let Some(session) = self.session(client, link.id) else { return };
        let removed: Vec<Removed> = packet
            .filters
            .iter()
            .map(|filter| match session.subscriptions.remove(filter) {
                Some(_) => {
                    session.replays.retain(|replay| replay.filter != *filter);
                    Removed::Success
                }
                None => Removed::NoSubscriptionExisted,
            })
            .collect();
        outgoing::removed(&mut session.answers, link, packet.packet_id, &removed);
        session.wake();
    }
}
