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
#[allow(dead_code, unreachable_pub, reason = "another measurement uses the rest")]
mod program;

use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rumqttc_v5::mqttbytes::v5::Packet;
use serde_json::json;

use mosquitto::Mosquitto;
use program::{Peer, Sunward, field, runtime};

/// How much longer than an echo a command may take.
const LIMIT: f64 = 3.0;

/// Samples of each kind, after those that only warm up.
const SAMPLES: usize = 400;
const WARM_UP: usize = 40;

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

/// Answers every message at once, for ever.
async fn echo(address: &str, ready: mpsc::Sender<()>) {
    let mut peer = Peer::connect(address, "echo", &["echo/there"]).await;
    peer.until(|packet| matches!(packet, Packet::SubAck(_)).then_some(())).await;
    ready.send(()).unwrap();
    while let Ok(packet) = peer.poll_to_the_end().await {
        if let Some(Packet::Publish(message)) = packet {
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
