//! MQTT 3.1.1, spoken through rumqttc, for the brokers that know nothing newer.
//!
//! A command has QoS 0: without an expiry, a broker would keep a start for a device that is away.

use std::time::Duration;

use rumqttc_v4::{
    AsyncClient, Broker, Event as Raw, EventLoop, LastWill, MqttOptions, NetworkOptions, Outgoing as Written, Packet,
    PublishOptions, QoS, SubscribeFilter, SubscribeReasonCode,
};

use super::disconnect::Disconnect;
use super::link_event::{CAPACITY, CONNECT_TIMEOUT, Granted, LinkEvent, whole_seconds};
use super::message::{Kind, Outgoing};
use super::options::Options;
use super::outbox::Dispatch;
use super::oversized;
use super::subscriptions::Request;
use super::transport::Reach;

pub(super) struct V311Link {
    events: Box<EventLoop>,
    keep_alive: Duration,
}

pub(super) struct V311Requests {
    client: AsyncClient,
}

pub(super) fn open(options: &Options, will: Option<&Outgoing>) -> (V311Requests, V311Link) {
    let (limit, address) = (options.max_packet_size, &options.address);
    let mut mqtt = MqttOptions::new(&options.client_id, Broker::tcp(&address.host, address.port));
    mqtt.set_keep_alive(whole_seconds(options.keep_alive))
        .set_clean_session(true)
        .set_max_packet_size(oversized::largest_kept(limit), limit as usize);
    let reach = Reach::of(options);
    mqtt.set_socket_connector(move |_, network| {
        let reach = reach.clone();
        async move { Ok(oversized::Shortened::new(reach.connect(network).await?, limit)) }
    });
    if let Some((name, password)) = &options.login {
        mqtt.set_credentials(name, password.clone());
    }
    if let Some(will) = will {
        mqtt.set_last_will(LastWill::new(&will.topic, will.payload.clone(), QoS::AtLeastOnce, true));
    }
    let (client, mut events) = AsyncClient::builder(mqtt).capacity(CAPACITY).build();
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
            Packet::Publish(publish) => {
                LinkEvent::message(publish.topic.into(), publish.payload.into(), publish.retain)
            }
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
        self.client.try_publish(message.topic, message.payload, PublishOptions::new(qos).retain(message.retain)).is_ok()
    }

    pub(super) fn ask(&self, request: &Request) -> bool {
        match request {
            Request::Subscribe(filters) => {
                let filters = filters.iter().map(|filter| SubscribeFilter::new(filter.clone(), QoS::AtLeastOnce));
                self.client.try_subscribe_many(filters).is_ok()
            }
            Request::Unsubscribe(filter) => self.client.try_unsubscribe(filter).is_ok(),
        }
    }

    pub(super) fn disconnect(&self) -> bool {
        self.client.try_disconnect().is_ok()
    }
}
