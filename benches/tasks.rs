//! What many tasks cost the whole program on a real Mosquitto: to be registered, to speak, and to start all at once.
//!
//! ```sh
//! cargo bench --bench tasks [-- 100 1000]
//! ```

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, reason = "a measurement, not a program")]

#[allow(dead_code, unreachable_pub, reason = "the tests use all of it")]
#[path = "../tests/it/mosquitto.rs"]
mod mosquitto;
#[allow(dead_code, unreachable_pub, reason = "another measurement uses the rest")]
mod program;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::json;

use mosquitto::{Mosquitto, Setup};
use program::{Peer, Sunward, field, runtime};

/// Until all that is retained is known.
const REGISTERED: Duration = Duration::from_secs(5);
/// Of the processor, for a message of one task.
const MESSAGE: Duration = Duration::from_micros(100);
/// From `schedule` to the report of the cycle.
const CYCLE: Duration = Duration::from_millis(250);

/// How many messages are averaged.
const MESSAGES: usize = 2_000;

fn main() -> ExitCode {
    let asked: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let mut fine = true;
    for tasks in if asked.is_empty() { vec![100, 1_000, 4_096] } else { asked } {
        println!("{tasks} tasks");
        fine &= runtime().block_on(measure(tasks));
    }
    if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn measure(tasks: usize) -> bool {
    // Everything retained is handed over at once: the default of 1,000 messages would lose some of it.
    let setup = Setup { extra: "max_queued_messages 20000\n".into(), ..Setup::default() };
    let mosquitto = Mosquitto::start_with(&setup);
    let url = mosquitto.url();
    let address = url.trim_start_matches("mqtt://");
    let mut peer = Peer::connect(address, "tasks", &["sunward/scheduler/+", "sunward/task/t0/report"]).await;
    for number in 0..tasks {
        let branch = |kind: &str| format!("sunward/task/t{number}/{kind}");
        let registration = json!({"name": format!("Task {number}"), "power": 1000, "keys": [format!("t{number}")]});
        peer.publish_and_go_on(&branch("config"), true, registration.to_string()).await;
        peer.publish_and_go_on(&branch("state"), true, r#"{"running": false}"#).await;
        peer.publish_and_go_on(&branch("availability"), true, "online").await;
    }
    peer.is_heard().await;

    let began = Instant::now();
    let sunward = Sunward::start(&url);
    peer.message("sunward/scheduler/state", |payload| field(payload, "tasks") == tasks).await;
    let mut fine = within("registered from what is retained", began.elapsed(), REGISTERED);

    // What is published of all tasks at the start is over by then.
    let spent = sunward.when_idle().await;
    println!("  {:<48} {spent:>9.1?}", "of the processor for it, with all reports");
    for number in 0..MESSAGES {
        let state = json!({"running": false, "power": 1000 + number % 2}).to_string();
        peer.publish_and_go_on(&format!("sunward/task/t{}/state", number % tasks), true, state).await;
    }
    peer.publish_and_go_on("sunward/task/t0/state", true, r#"{"running": true}"#).await;
    peer.message("sunward/task/t0/report", |payload| field(payload, "status") == "running").await;
    fine &= within("of the processor for a message", (sunward.spent() - spent) / MESSAGES as u32, MESSAGE);
    peer.publish_and_go_on("sunward/task/t0/state", true, r#"{"running": false}"#).await;
    peer.message("sunward/task/t0/report", |payload| field(payload, "status") == "stopped").await;

    for (what, net) in
        [("a cycle in which nothing starts", 100_000), ("a cycle in which every task starts", -9_000_000)]
    {
        peer.publish_and_go_on("sunward/power", false, json!({"net": net}).to_string()).await;
        peer.is_heard().await;
        let decided = if net < 0 { tasks } else { 0 };
        let began = Instant::now();
        peer.publish("sunward/scheduler/set", false, "schedule").await;
        peer.message("sunward/scheduler/cycle", |payload| {
            let starts = field(payload, "started").as_array().map_or(0, Vec::len);
            assert!(starts == decided, "{starts} started, expected {decided}");
            true
        })
        .await;
        fine &= within(what, began.elapsed(), CYCLE);
    }
    fine
}

fn within(what: &str, is: Duration, limit: Duration) -> bool {
    let fine = is <= limit;
    println!("  {what:<48} {is:>9.1?}, limit {limit:>6.0?}: {}", if fine { "ok" } else { "TOO MUCH" });
    fine
}
