//! MQTT 5, spoken through rumqttc.
//!
//! There is no QoS 2 and no topic alias: in this library the first leaks slots when it is refused, the second loses topics.

use std::time::Duration;

use rumqttc_v5::mqttbytes::v5::{
    ConnAck, ConnectProperties, LastWill, Packet, PubAckReason, PublishProperties, SubscribeFilter, SubscribeReasonCode,
};
use rumqttc_v5::{
    AsyncClient, Broker, Event as Raw, EventLoop, MqttOptions, NetworkOptions, Outgoing as Written, PublishOptions, QoS,
};

use super::disconnect::Disconnect;
use super::link_event::{self, CAPACITY, CONNECT_TIMEOUT, Granted, LinkEvent};
use super::message::{Kind, Outgoing};
use super::options::Options;
use super::outbox::Dispatch;
use super::subscriptions::Request;
use super::transport::Reach;

/// Unacknowledged messages that the library reserves room for; its default of 65,536 costs 14 MB of memory.
const IN_FLIGHT: u16 = 100;

pub(super) struct V5Link {
    events: Box<EventLoop>,
    keep_alive: Duration,
}

pub(super) struct V5Requests {
    client: AsyncClient,
}

pub(super) fn open(options: &Options, will: Option<&Outgoing>) -> (V5Requests, V5Link) {
    let mut mqtt = MqttOptions::new(&options.client_id, Broker::tcp(&options.address.host, options.address.port));
    let mut network = NetworkOptions::new();
    network.set_tcp_nodelay(true);
    let reach = Reach::of(options);
    mqtt.set_network_options(network)
        .set_keep_alive(link_event::whole_seconds(options.keep_alive))
        .set_clean_start(true)
        .set_connect_timeout(CONNECT_TIMEOUT)
        .set_connect_properties(ConnectProperties::new())
        .set_max_packet_size(Some(options.max_packet_size))
        .set_outgoing_inflight_upper_limit(IN_FLIGHT)
        .set_socket_connector(move |_, network| {
            let reach = reach.clone();
            async move { reach.connect(network).await }
        });
    if let Some((name, password)) = &options.login {
        mqtt.set_credentials(name, password.clone());
    }
    if let Some(will) = will {
        mqtt.set_last_will(LastWill::new(&will.topic, will.payload.clone(), QoS::AtLeastOnce, true, None));
    }
    let (client, events) = AsyncClient::builder(mqtt).capacity(CAPACITY).build();
    (V5Requests { client }, V5Link { events: Box::new(events), keep_alive: options.keep_alive })
}

impl V5Link {
    pub(super) async fn poll(&mut self) -> Result<LinkEvent, Disconnect> {
        Ok(match self.events.poll().await? {
            Raw::Incoming(packet) => self.incoming(packet),
            Raw::Outgoing(Written::Publish(id)) => LinkEvent::Sent(id),
            Raw::Outgoing(Written::Subscribe(id)) => LinkEvent::SubscribeSent(id),
            Raw::Outgoing(Written::Disconnect) => LinkEvent::DisconnectSent,
            Raw::Outgoing(_) | Raw::Auth(_) => LinkEvent::Other,
        })
    }

    fn incoming(&mut self, packet: Packet) -> LinkEvent {
        match packet {
            Packet::ConnAck(answer) => LinkEvent::Connected(self.granted(&answer)),
            Packet::SubAck(answer) => {
                LinkEvent::Subscribed(answer.pkid, answer.return_codes.iter().map(refused_subscription).collect())
            }
            Packet::UnsubAck(_) => LinkEvent::Unsubscribed,
            Packet::PubAck(answer) => {
                let refusal = match answer.reason {
                    PubAckReason::Success | PubAckReason::NoMatchingSubscribers => None,
                    PubAckReason::NotAuthorized => Some("not authorized".into()),
                    other => Some(format!("{other:?}")),
                };
                LinkEvent::Acknowledged(answer.pkid, refusal)
            }
            Packet::Publish(publish) => {
                LinkEvent::message(publish.topic.into(), publish.payload.into(), publish.retain)
            }
            _ => LinkEvent::Other,
        }
    }

    fn granted(&mut self, answer: &ConnAck) -> Granted {
        let properties = answer.properties.as_ref();
        if properties.and_then(|properties| properties.server_keep_alive) == Some(0) {
            // The broker needs no pings. The library would send them without a pause, so we keep ours.
            self.events.options.set_keep_alive(link_event::whole_seconds(self.keep_alive));
        }
        Granted {
            session_present: answer.session_present,
            max_packet_size: properties.and_then(|properties| properties.max_packet_size),
            keep_alive: self.events.options.keep_alive(),
            acknowledges: properties.and_then(|properties| properties.max_qos) != Some(0),
            retains: properties.and_then(|properties| properties.retain_available) != Some(0),
        }
    }
}

impl V5Requests {
    pub(super) fn publish(&self, message: Dispatch, granted: Granted) -> bool {
        let qos = match message.kind {
            Kind::Telemetry => QoS::AtMostOnce,
            _ if !granted.acknowledges => QoS::AtMostOnce,
            _ => QoS::AtLeastOnce,
        };
        let retain = message.retain && granted.retains;
        let mut options = PublishOptions::new(qos).retain(retain);
        if let Some(left) = message.expiry.filter(|_| qos == QoS::AtLeastOnce) {
            options = options.properties(PublishProperties {
                message_expiry_interval: Some(whole_seconds(left)),
                ..Default::default()
            });
        }
        self.client.try_publish(message.topic, message.payload, options).is_ok()
    }

    pub(super) fn ask(&self, request: &Request) -> bool {
        match request {
            Request::Subscribe(filters) => {
                let filters = filters.iter().map(|filter| SubscribeFilter::new(filter, QoS::AtLeastOnce));
                self.client.try_subscribe_many(filters).is_ok()
            }
            Request::Unsubscribe(filter) => self.client.try_unsubscribe(filter).is_ok(),
        }
    }

    pub(super) fn disconnect(&self) -> bool {
        self.client.try_disconnect().is_ok()
    }
}

fn refused_subscription(code: &SubscribeReasonCode) -> Option<String> {
    match code {
        SubscribeReasonCode::Success(_) => None,
        SubscribeReasonCode::NotAuthorized => Some("not authorized".into()),
        other => Some(format!("{other:?}")),
    }
}

/// Rounded up: a broker drops what expires in 0 seconds at once.
fn whole_seconds(left: Duration) -> u32 {
    let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
    u32::try_from(seconds).unwrap_or(u32::MAX)
}
