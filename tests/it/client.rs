//! `sunward::client` from the outside: what appears on the broker, and what a task hears.

use std::time::Duration;

use sunward::client::{Order, PowerRecord, Registration, SchedulerClient, State, TaskClient, TaskCommand, TaskId};
use sunward::config::{Mqtt, Protocol};
use sunward::mqtt::Outgoing;
use sunward::units::Watts;
use tokio::time::timeout;

use crate::mosquitto::Mosquitto;
use crate::peer::{PATIENCE, PROTOCOLS, Peer, settings};

fn register(mqtt: &Mqtt, registration: Registration) -> TaskClient {
    TaskClient::register(mqtt, TaskId::new("heater").unwrap(), registration).unwrap()
}

fn heater() -> Registration {
    Registration::new(Watts(2000.0))
}

async fn next(task: &mut TaskClient) -> TaskCommand {
    timeout(PATIENCE, task.next()).await.expect("no command came").expect("the task was closed")
}

/// Waits for a condition that only the task's own background work can bring about.
async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let check = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(timeout(PATIENCE, check).await.is_ok(), "never: {what}");
}

#[tokio::test]
async fn a_task_is_known_again_after_the_broker_lost_everything() {
    for protocol in PROTOCOLS {
        let mut broker = Mosquitto::start();
        let task = register(&settings(&broker.url(), protocol), heater());
        task.publish_state(State::running(false)).unwrap();
        for _ in 0..2 {
            let mut watcher = Peer::new(&broker.url(), &["sunward/task/heater/#"]).await;
            watcher.expect("sunward/task/heater/config", |payload| payload == r#"{"power":2000.0}"#).await;
            let mut watcher = Peer::new(&broker.url(), &["sunward/task/heater/#"]).await;
            watcher.expect("sunward/task/heater/state", |payload| payload == r#"{"running":false}"#).await;
            let mut watcher = Peer::new(&broker.url(), &["sunward/task/heater/#"]).await;
            watcher.expect("sunward/task/heater/availability", |payload| payload == "online").await;
            broker.restart();
        }
    }
}

#[tokio::test]
async fn commands_and_setpoints_arrive_in_any_spelling() {
    let broker = Mosquitto::start();
    for protocol in PROTOCOLS {
        let mut task = register(&settings(&broker.url(), protocol), heater());
        let mut peer = Peer::new(&broker.url(), &["sunward/task/heater/+"]).await;
        peer.expect("sunward/task/heater/availability", |payload| payload == "online").await;
        peer.publish("sunward/task/heater/set", " START\n").await;
        assert_eq!(next(&mut task).await, TaskCommand::Start);
        peer.publish("sunward/task/heater/set", "explode").await;
        peer.publish_retained("sunward/task/heater/setpoint", "1450").await;
        assert_eq!(next(&mut task).await, TaskCommand::Setpoint(Watts(1450.0)));
        peer.publish("sunward/task/heater/set", "stop").await;
        assert_eq!(next(&mut task).await, TaskCommand::Stop);
        let mut own = heater();
        own.payload_on = Some("1".into());
        own.payload_off = Some("0".into());
        task.update(own).unwrap();
        peer.publish("sunward/task/heater/set", "1").await;
        assert_eq!(next(&mut task).await, TaskCommand::Start);
        assert!(task.unregister().await);
        peer.handle.publish(Outgoing::clear("sunward/task/heater/setpoint")).unwrap();
        peer.expect("sunward/task/heater/setpoint", str::is_empty).await;
    }
}

#[tokio::test]
async fn a_replayed_command_is_not_obeyed() {
    let broker = Mosquitto::start();
    let mut peer = Peer::new(&broker.url(), &["sunward/#"]).await;
    peer.publish_retained("sunward/task/heater/set", "start").await;
    peer.publish_retained("sunward/task/heater/setpoint", "900").await;
    peer.expect("sunward/task/heater/setpoint", |payload| payload == "900").await;
    let mut task = register(&settings(&broker.url(), Protocol::V5), heater());
    assert_eq!(next(&mut task).await, TaskCommand::Setpoint(Watts(900.0)));
    peer.publish("sunward/task/heater/set", "stop").await;
    assert_eq!(next(&mut task).await, TaskCommand::Stop);
}

#[tokio::test]
async fn a_task_that_ends_is_offline_and_only_one_that_unregisters_is_gone() {
    let broker = Mosquitto::start();
    let config = settings(&broker.url(), Protocol::V5);
    let mut watcher = Peer::new(&broker.url(), &["sunward/#"]).await;
    for closes in [false, true] {
        let task = register(&config, heater());
        watcher.expect("sunward/task/heater/availability", |payload| payload == "online").await;
        watcher.expect("sunward/task/heater/config", |payload| !payload.is_empty()).await;
        if closes {
            assert!(task.close().await);
        } else {
            drop(task);
        }
        watcher.expect("sunward/task/heater/availability", |payload| payload == "offline").await;
        let mut late = Peer::new(&broker.url(), &["sunward/task/heater/config"]).await;
        late.expect("sunward/task/heater/config", |payload| !payload.is_empty()).await;
    }
    let task = register(&config, heater());
    assert!(task.unregister().await);
    watcher.expect("sunward/task/heater/config", str::is_empty).await;
    let mut late = Peer::new(&broker.url(), &["sunward/#"]).await;
    late.publish("sunward/end", "").await;
    assert!(late.collect_until("sunward/end").await.is_empty());
}

#[tokio::test]
async fn a_scheduler_that_is_absent_or_out_of_reach_counts_as_paused() {
    let mut broker = Mosquitto::start();
    let task = register(&settings(&broker.url(), Protocol::V5), heater());
    assert!(task.is_paused(), "nothing is known yet");
    let peer = Peer::new(&broker.url(), &[]).await;
    peer.publish_retained("sunward/scheduler/availability", "online").await;
    peer.publish_retained("sunward/scheduler/state", r#"{"state": "active", "paused": false}"#).await;
    eventually("active", || !task.is_paused()).await;
    peer.publish_retained("sunward/scheduler/state", r#"{"state": "paused", "paused": true}"#).await;
    eventually("paused by a user", || task.is_paused()).await;
    peer.publish_retained("sunward/scheduler/state", r#"{"state": "active", "paused": false}"#).await;
    eventually("active again", || !task.is_paused()).await;
    peer.publish_retained("sunward/scheduler/availability", "offline").await;
    eventually("the scheduler is gone", || task.is_paused()).await;
    peer.publish_retained("sunward/scheduler/availability", "online").await;
    eventually("the scheduler is back", || !task.is_paused()).await;
    broker.kill();
    eventually("the broker is gone", || task.is_paused()).await;
}

#[tokio::test]
async fn the_scheduler_is_asked_ordered_and_fed() {
    let broker = Mosquitto::start();
    let mut peer = Peer::new(&broker.url(), &["sunward/scheduler/set", "sunward/power"]).await;
    peer.publish_retained("sunward/scheduler/availability", "online").await;
    peer.publish_retained("sunward/scheduler/state", r#"{"paused": false, "tasks": 1}"#).await;
    peer.publish_retained("sunward/task/heater/report", r#"{"status": "stopped"}"#).await;
    peer.publish("sunward/scheduler/set", "").await;
    peer.expect("sunward/scheduler/set", str::is_empty).await;
    let mut scheduler = SchedulerClient::connect(&settings(&broker.url(), Protocol::V5)).unwrap();
    scheduler.ready(PATIENCE).await.unwrap();
    assert!(scheduler.is_online() && !scheduler.is_paused());
    assert_eq!(scheduler.state().unwrap().tasks, 1);
    assert_eq!(scheduler.reports()[&TaskId::new("heater").unwrap()].status.text(), "stopped");
    assert_eq!(scheduler.cycle(), None);
    scheduler.publish_power(&PowerRecord::from([("net".into(), -1200.0)])).unwrap();
    peer.expect("sunward/power", |payload| payload == r#"{"net":-1200.0}"#).await;
    for order in [Order::Pause, Order::Resume, Order::StopAll, Order::Schedule] {
        scheduler.order(order).unwrap();
        peer.expect("sunward/scheduler/set", |payload| payload == order.as_str()).await;
    }
    peer.publish_retained("sunward/scheduler/cycle", r#"{"skipped": null}"#).await;
    while scheduler.cycle().is_none() {
        assert!(timeout(PATIENCE, scheduler.changed()).await.unwrap());
    }
    scheduler.close().await.unwrap();
}

#[tokio::test]
async fn a_broker_that_is_not_there_is_an_answer_with_a_reason() {
    let mut scheduler = SchedulerClient::connect(&settings("mqtt://127.0.0.1:1", Protocol::V5)).unwrap();
    let error = scheduler.ready(Duration::from_millis(300)).await.unwrap_err().to_string();
    assert!(error.starts_with("127.0.0.1:1: ") && error.contains("refused"), "{error}");
}

#[tokio::test]
async fn settings_that_cannot_work_are_named_at_once() {
    let error = SchedulerClient::connect(&Mqtt::default()).unwrap_err().to_string();
    assert!(error.starts_with("mqtt.url: "), "{error}");
}
