//! From `schedule` to a command on the wire, against the bare echo of a message over the same broker in the same run.
//!
//! Both cross a real Mosquitto twice: once to whoever answers, once back. The echo is the client library and nothing
//! else; Sunward is the program as it is released. The two are measured in turn, so that a busy machine is busy for both.
//!
//! ```sh
//! cargo bench --bench latency
//! ```

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, reason = "a measurement, not a program")]

#[allow(dead_code, unreachable_pub, reason = "the tests use all of it")]
#[path = "../tests/it/mosquitto.rs"]
mod mosquitto;

use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rumqttc_v5::mqttbytes::v5::{Packet, Publish};
use rumqttc_v5::{AsyncClient, Broker, Event, EventLoop, MqttOptions, NetworkOptions, PublishOptions, QoS};
use serde_json::{Value, json};
use tokio::time::timeout;

use mosquitto::Mosquitto;

/// How much longer than an echo a command may take.
const LIMIT: f64 = 3.0;

/// Samples of each kind, after those that only warm up.
const SAMPLES: usize = 400;
const WARM_UP: usize = 40;

/// Whatever takes longer than this has gone wrong.
const PATIENCE: Duration = Duration::from_secs(20);

fn main() -> ExitCode {
    let mut fine = true;
    for tasks in [1, 100] {
        let mosquitto = Mosquitto::start();
        let url = mosquitto.url();
        let sunward = Sunward::start(&url);
        let address = url.trim_start_matches("mqtt://").to_owned();
        let (ready, is_ready) = mpsc::channel();
        thread::spawn(move || runtime().block_on(echo(&address, ready)));
        is_ready.recv().unwrap();
        let (mut echo, mut command) = runtime().block_on(measure(url.trim_start_matches("mqtt://"), tasks));
        drop(sunward);
        let ratio = middle(&mut command).as_secs_f64() / middle(&mut echo).as_secs_f64();
        fine &= ratio <= LIMIT;
        let verdict = if ratio <= LIMIT { "ok" } else { "TOO MUCH" };
        println!("{tasks:>3} tasks: echo {}, schedule to command {}", spread(&mut echo), spread(&mut command));
        println!("           {ratio:.2} times the echo, limit {LIMIT:.0}: {verdict}");
    }
    if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// The released program, for as long as this lives.
struct Sunward {
    process: Child,
    _folder: tempfile::TempDir,
}

impl Sunward {
    fn start(url: &str) -> Self {
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
}

impl Drop for Sunward {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A bare client of the broker.
struct Peer {
    client: AsyncClient,
    events: EventLoop,
}

impl Peer {
    async fn connect(address: &str, id: &str, filters: &[&str]) -> Self {
        let (host, port) = address.split_once(':').unwrap();
        let mut options = MqttOptions::new(id, Broker::tcp(host, port.parse().unwrap()));
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        options.set_network_options(network).set_outgoing_inflight_upper_limit(100);
        let (client, events) = AsyncClient::builder(options).capacity(400).build();
        for filter in filters {
            client.subscribe(*filter, QoS::AtLeastOnce).await.unwrap();
        }
        Self { client, events }
    }

    async fn publish(&self, topic: &str, retain: bool, payload: impl Into<Vec<u8>>) {
        self.client.publish(topic, payload.into(), PublishOptions::new(QoS::AtLeastOnce).retain(retain)).await.unwrap();
    }

    /// Passes over everything until `pick` answers something.
    async fn until<T>(&mut self, mut pick: impl FnMut(&Packet) -> Option<T>) -> T {
        let found = async {
            loop {
                if let Event::Incoming(packet) = self.events.poll().await.unwrap()
                    && let Some(found) = pick(&packet)
                {
                    return found;
                }
            }
        };
        timeout(PATIENCE, found).await.expect("what was waited for never came")
    }

    /// Until a message on a topic pleases.
    async fn message(&mut self, topic: &str, pleases: impl Fn(&[u8]) -> bool) {
        self.until(|packet| match packet {
            Packet::Publish(Publish { topic: on, payload, .. }) => (on == topic && pleases(payload)).then_some(()),
            _ => None,
        })
        .await;
    }

    /// How long it takes from publishing to the answer.
    async fn time(&mut self, topic: &str, payload: &str, answer: &str, text: &str) -> Duration {
        let began = Instant::now();
        self.publish(topic, false, payload).await;
        self.message(answer, |payload| payload == text.as_bytes()).await;
        began.elapsed()
    }
}

/// Answers every message at once, for ever.
async fn echo(address: &str, ready: mpsc::Sender<()>) {
    let mut peer = Peer::connect(address, "echo", &["echo/there"]).await;
    peer.until(|packet| matches!(packet, Packet::SubAck(_)).then_some(())).await;
    ready.send(()).unwrap();
    // Ends with the broker.
    while let Ok(event) = peer.events.poll().await {
        if let Event::Incoming(Packet::Publish(message)) = event {
            peer.publish("echo/back", false, message.payload.to_vec()).await;
        }
    }
}

/// The samples of both kinds, taken in turn.
async fn measure(address: &str, tasks: usize) -> (Vec<Duration>, Vec<Duration>) {
    let filters = ["echo/back", "sunward/scheduler/+", "sunward/task/plug/set", "sunward/task/plug/report"];
    let mut peer = Peer::connect(address, "latency", &filters).await;
    register(&mut peer, tasks).await;
    let (mut echoes, mut commands) = (Vec::new(), Vec::new());
    let mut running = false;
    for _ in 0..WARM_UP + SAMPLES {
        let net = if running { 2000 } else { -2000 };
        let record = json!({"net": net, "plug": if running { 1000 } else { 0 }});
        peer.publish("sunward/power", false, record.to_string()).await;
        let command = if running { "stop" } else { "start" };
        // The first echo gives Sunward the time to take the record in, and the line the time to fall silent.
        peer.time("echo/there", "first", "echo/back", "first").await;
        echoes.push(peer.time("echo/there", command, "echo/back", command).await);
        commands.push(peer.time("sunward/scheduler/set", "schedule", "sunward/task/plug/set", command).await);
        running = !running;
        peer.message("sunward/scheduler/cycle", |payload| field(payload, "skipped").is_null()).await;
        peer.publish("sunward/task/plug/state", true, json!({"running": running}).to_string()).await;
        let status = if running { "running" } else { "stopped" };
        peer.message("sunward/task/plug/report", |payload| field(payload, "status") == status).await;
    }
    (echoes.split_off(WARM_UP), commands.split_off(WARM_UP))
}

/// One task that is switched, and others that are judged in every cycle and never switched.
async fn register(peer: &mut Peer, tasks: usize) {
    peer.message("sunward/scheduler/availability", |payload| payload == b"online").await;
    for number in 0..tasks {
        let (id, power) = if number == 0 { ("plug".into(), 1000) } else { (format!("idle_{number}"), 50_000) };
        let branch = |kind: &str| format!("sunward/task/{id}/{kind}");
        peer.publish(&branch("config"), true, json!({"power": power, "keys": [id]}).to_string()).await;
        peer.publish(&branch("state"), true, json!({"running": false}).to_string()).await;
    }
    peer.message("sunward/scheduler/state", |payload| field(payload, "tasks") == tasks).await;
}

fn field(payload: &[u8], name: &str) -> Value {
    serde_json::from_slice::<Value>(payload).map(|mut value| value[name].take()).unwrap_or_default()
}

fn middle(samples: &mut [Duration]) -> Duration {
    at(samples, 50)
}

fn at(samples: &mut [Duration], percent: usize) -> Duration {
    samples.sort_unstable();
    samples[(samples.len() - 1) * percent / 100]
}

fn spread(samples: &mut [Duration]) -> String {
    format!("{:.0?} (95 %: {:.0?})", middle(samples), at(samples, 95))
}
