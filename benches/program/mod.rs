//! The released program, and a bare client of the broker beside it.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rumqttc_v5::mqttbytes::v5::{Packet, Publish};
use rumqttc_v5::{
    AsyncClient, Broker, ConnectionError, Event, EventLoop, MqttOptions, NetworkOptions, PublishOptions, QoS,
};
use serde_json::Value;
use tokio::time::timeout;

/// Whatever takes longer than this has gone wrong.
const PATIENCE: Duration = Duration::from_secs(60);

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// The released program, for as long as this lives.
pub struct Sunward {
    process: Child,
    _folder: tempfile::TempDir,
}

impl Sunward {
    pub fn start(url: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sunward.toml");
        // One record decides, so that every cycle of the measurement has something to say.
        let text =
            format!("[mqtt]\nurl = \"{url}\"\n[scheduler]\ncycle = \"1h\"\nwindow_size = 1\nconfirm_records = 1\n");
        std::fs::write(&file, text).unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_sunward"))
            .arg("--config")
            .arg(&file)
            .env("SUNWARD_LOG", "warn")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        Self { process, _folder: folder }
    }

    /// Waits until it has nothing to do. Returns the time that it has spent on a processor so far.
    pub async fn when_idle(&self) -> Duration {
        loop {
            let before = self.spent();
            tokio::time::sleep(Duration::from_millis(500)).await;
            let spent = self.spent();
            if spent - before < Duration::from_millis(5) {
                return spent;
            }
        }
    }

    /// The time that it has spent on a processor so far.
    pub fn spent(&self) -> Duration {
        let file = format!("/proc/{}/schedstat", self.process.id());
        let text = std::fs::read_to_string(file).unwrap();
        Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
    }
}

impl Drop for Sunward {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A bare client of the broker.
pub struct Peer {
    client: AsyncClient,
    events: EventLoop,
    published: usize,
    acknowledged: usize,
}

impl Peer {
    pub async fn connect(address: &str, id: &str, filters: &[&str]) -> Self {
        let (host, port) = address.split_once(':').unwrap();
        let mut options = MqttOptions::new(id, Broker::tcp(host, port.parse().unwrap()));
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        options.set_network_options(network).set_outgoing_inflight_upper_limit(100);
        options.set_max_packet_size(Some(20_000_000));
        let (client, events) = AsyncClient::builder(options).capacity(400).build();
        for filter in filters {
            client.subscribe(*filter, QoS::AtLeastOnce).await.unwrap();
        }
        Self { client, events, published: 0, acknowledged: 0 }
    }

    pub async fn publish(&mut self, topic: &str, retain: bool, payload: impl Into<Vec<u8>>) {
        self.client.publish(topic, payload.into(), PublishOptions::new(QoS::AtLeastOnce).retain(retain)).await.unwrap();
        self.published += 1;
    }

    /// Publishes while the line is kept busy: for many messages in a row.
    pub async fn publish_and_go_on(&mut self, topic: &str, retain: bool, payload: impl Into<Vec<u8>>) {
        self.publish(topic, retain, payload).await;
        while self.published - self.acknowledged >= 50 {
            self.poll().await;
        }
    }

    /// Until the broker has taken everything.
    pub async fn is_heard(&mut self) {
        while self.acknowledged < self.published {
            self.poll().await;
        }
    }

    /// Waits for the next packet of any kind.
    pub async fn poll(&mut self) -> Option<Packet> {
        self.poll_to_the_end().await.unwrap()
    }

    /// The same, also when the broker has ended.
    pub async fn poll_to_the_end(&mut self) -> Result<Option<Packet>, ConnectionError> {
        Ok(match self.events.poll().await? {
            Event::Incoming(packet) => {
                self.acknowledged += usize::from(matches!(packet, Packet::PubAck(_)));
                Some(packet)
            }
            _ => None,
        })
    }

    /// Passes over everything until `pick` answers something.
    pub async fn until<T>(&mut self, mut pick: impl FnMut(&Packet) -> Option<T>) -> T {
        let found = async {
            loop {
                if let Some(packet) = self.poll().await
                    && let Some(found) = pick(&packet)
                {
                    return found;
                }
            }
        };
        timeout(PATIENCE, found).await.expect("what was waited for never came")
    }

    /// Until a message on a topic pleases.
    pub async fn message(&mut self, topic: &str, pleases: impl Fn(&[u8]) -> bool) {
        self.until(|packet| match packet {
            Packet::Publish(Publish { topic: on, payload, .. }) => (on == topic && pleases(payload)).then_some(()),
            _ => None,
        })
        .await;
    }

    /// How long it takes from publishing to the answer.
    pub async fn time(&mut self, topic: &str, payload: &str, answer: &str, text: &str) -> Duration {
        let began = Instant::now();
        self.publish(topic, false, payload).await;
        self.message(answer, |payload| payload == text.as_bytes()).await;
        began.elapsed()
    }
}

pub fn field(payload: &[u8], name: &str) -> Value {
    serde_json::from_slice::<Value>(payload).map(|mut value| value[name].take()).unwrap_or_default()
}
