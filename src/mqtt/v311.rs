//! MQTT 3.1.1, spoken through rumqttc, for the brokers that know nothing newer.
//!
//! A command has QoS 0: without an expiry, a broker would keep a start for a device that is away.

use rumqttc::{
    AsyncClient, Event as Raw, EventLoop, LastWill, MqttOptions, NetworkOptions, Outgoing as Written, Packet, QoS,
    SubscribeFilter, SubscribeReasonCode, Transport,
};
use std::time::Duration;

use super::disconnect::Disconnect;
use super::link_event::{CAPACITY, CONNECT_TIMEOUT, Granted, LinkEvent};
use super::message::{Kind, Message, Outgoing};
use super::options::Options;
use super::outbox::Dispatch;
use super::subscriptions::Request;

/// What comes in may exceed `mqtt.max_packet_size` so many times: it is dropped, and its topic reported. What is still larger
/// ends the connection.
const BEYOND: usize = 16;

pub(super) struct V311Link {
    events: Box<EventLoop>,
    keep_alive: Duration,
}

pub(super) struct V311Requests {
    client: AsyncClient,
}

pub(super) fn open(options: &Options, will: Option<&Outgoing>) -> (V311Requests, V311Link) {
    let limit = options.max_packet_size as usize;
    let mut mqtt = MqttOptions::new(&options.client_id, &options.address.host, options.address.port);
    mqtt.set_keep_alive(options.keep_alive)
        .set_clean_session(true)
        .set_max_packet_size(limit.saturating_mul(BEYOND), limit);
    if let Some(tls) = &options.tls {
        mqtt.set_transport(Transport::tls_with_config(rumqttc::TlsConfiguration::Rustls(tls.clone())));
    }
    if let Some((name, password)) = &options.login {
        mqtt.set_credentials(name, password);
    }
    if let Some(will) = will {
        mqtt.set_last_will(LastWill::new(&will.topic, will.payload.clone(), QoS::AtLeastOnce, true));
    }
    let (client, mut events) = AsyncClient::new(mqtt, CAPACITY);
    let mut network = NetworkOptions::new();
    network.set_tcp_nodelay(true);
    network.set_connection_timeout(CONNECT_TIMEOUT.as_secs());
    events.set_network_options(network);
    (V311Requests { client }, V311Link { events: Box::new(events), keep_alive: options.keep_alive })
}

impl V311Link {
    pub(super) async fn poll(&mut self) -> Result<LinkEvent, Disconnect> {
        Ok(match self.events.poll().await? {
            Raw::Incoming(packet) => self.incoming(packet),
            Raw::Outgoing(Written::Publish(id)) => LinkEvent::Sent(id),
            Raw::Outgoing(Written::Subscribe(id)) => LinkEvent::SubscribeSent(id),
            Raw::Outgoing(Written::Disconnect) => LinkEvent::DisconnectSent,
            Raw::Outgoing(_) => LinkEvent::Other,
        })
    }

    fn incoming(&self, packet: Packet) -> LinkEvent {
        match packet {
            Packet::ConnAck(answer) => LinkEvent::Connected(Granted {
                session_present: answer.session_present,
                max_packet_size: None,
                keep_alive: self.keep_alive,
                acknowledges: true,
                retains: true,
            }),
            Packet::SubAck(answer) => {
                let refused = |code: &SubscribeReasonCode| match code {
                    SubscribeReasonCode::Success(_) => None,
                    SubscribeReasonCode::Failure => Some("the broker gives no reason".into()),
                };
                LinkEvent::Subscribed(answer.pkid, answer.return_codes.iter().map(refused).collect())
            }
            Packet::UnsubAck(_) => LinkEvent::Unsubscribed,
            Packet::PubAck(answer) => LinkEvent::Acknowledged(answer.pkid, None),
            Packet::Publish(publish) if !publish.topic.is_empty() => LinkEvent::Message(Message {
                topic: publish.topic,
                payload: publish.payload.into(),
                retain: publish.retain,
            }),
            _ => LinkEvent::Other,
        }
    }
}

impl V311Requests {
    pub(super) fn publish(&self, message: Dispatch) -> bool {
        let qos = match message.kind {
            Kind::Command { .. } | Kind::Telemetry => QoS::AtMostOnce,
            Kind::Retained | Kind::Event => QoS::AtLeastOnce,
        };
        self.client.try_publish(message.topic, qos, message.retain, message.payload).is_ok()
    }

    pub(super) fn ask(&self, request: &Request) -> bool {
        match request {
            Request::Subscribe(filters) => {
                let filters =
                    filters.iter().map(|filter| SubscribeFilter { path: filter.clone(), qos: QoS::AtLeastOnce });
                self.client.try_subscribe_many(filters).is_ok()
            }
            Request::Unsubscribe(filter) => self.client.try_unsubscribe(filter).is_ok(),
        }
    }

    pub(super) fn disconnect(&self) -> bool {
        self.client.try_disconnect().is_ok()
    }
}
