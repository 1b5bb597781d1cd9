//! The program as somebody calls it: exit status, what it prints, and where.

use insta::assert_snapshot;
use serde_json::json;
use sunward::config::Protocol;

use crate::home::{AVAILABILITY, Home, STATE, both, program};
use crate::mosquitto::{Mosquitto, Setup, free_port};
use crate::peer::Peer;

/// One call, as a person sees it. `hidden` is replaced in what is printed.
async fn call(arguments: &[&str], toml: &str, hidden: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("sunward.toml"), toml).unwrap();
    let output = program(folder.path()).args(arguments).output().await.unwrap();
    let status = output.status.code().unwrap();
    let mut said = format!("status: {status}\n");
    for (name, stream) in [("stdout", output.stdout), ("stderr", output.stderr)] {
        let text = String::from_utf8(stream).unwrap();
        said.push_str(&format!("--- {name}\n{text}"));
    }
    hidden.iter().fold(said, |said, (value, shown)| said.replace(value, shown))
}

fn settings(url: &str, protocol: Protocol) -> String {
    let protocol = if protocol == Protocol::V5 { "5" } else { "3.1.1" };
    format!("[mqtt]\nurl = '{url}'\nprotocol = '{protocol}'")
}

#[tokio::test]
async fn a_wrong_key_is_named_with_its_file_and_the_one_that_was_meant() {
    let toml = "[scheduler]\nwindw_size = 3";
    assert_snapshot!(call(&["check"], toml, &[]).await, @r"
    status: 2
    --- stdout
    --- stderr
    error: sunward.toml: scheduler.windw_size: unknown key, did you mean `window_size`?
    ");
    let run = call(&[], toml, &[]).await;
    assert_eq!(run, call(&["check"], toml, &[]).await, "nothing starts");
    assert_eq!(run, call(&["pause"], toml, &[]).await);
}

#[tokio::test]
async fn a_valid_configuration_is_printed_with_its_sources() {
    let said = call(&["check", "-c", "sunward.toml"], "[scheduler]\ncycle = '2m'", &[]).await;
    assert!(said.starts_with("status: 0\n--- stdout\n# file: sunward.toml\n"), "{said}");
    assert!(said.contains("cycle = \"2m\"                             # file\n"), "{said}");
    assert!(said.ends_with("\nconfiguration is valid\n--- stderr\n"), "{said}");
}

#[tokio::test]
async fn a_file_that_is_not_there_and_a_command_that_is_none_are_wrong_calls() {
    assert_snapshot!(call(&["--config", "nowhere.toml"], "", &[]).await, @r"
    status: 2
    --- stdout
    --- stderr
    error: nowhere.toml: there is no such file
    ");
    assert_snapshot!(call(&["puase"], "", &[]).await, @r"
    status: 2
    --- stdout
    --- stderr
    error: unrecognized subcommand 'puase'

      tip: a similar subcommand exists: 'pause'

    Usage: sunward [OPTIONS] [COMMAND]

    For more information, try '--help'.
    ");
}

#[tokio::test]
async fn nobody_is_there_to_pause() {
    let broker = Mosquitto::start();
    let url = broker.url();
    let address = url.strip_prefix("mqtt://").unwrap();
    let toml = settings(&url, Protocol::V5);
    assert_snapshot!(call(&["pause"], &toml, &[(address, "broker")]).await, @r"
    status: 1
    --- stdout
    --- stderr
    error: no scheduler is online at mqtt://broker (topic sunward/scheduler/availability)
    ");
    Peer::new(&url, &[]).await.publish_retained(AVAILABILITY, "offline").await;
    for command in ["status", "resume", "stop-all", "schedule"] {
        let said = call(&[command], &toml, &[]).await;
        assert!(said.starts_with("status: 1\n--- stdout\n--- stderr\nerror: no scheduler is online"), "{said}");
    }
}

#[tokio::test]
async fn a_broker_that_is_not_there_is_named() {
    let address = format!("127.0.0.1:{}", free_port());
    let toml = settings(&format!("mqtt://{address}"), Protocol::V5);
    assert_snapshot!(call(&["pause"], &toml, &[(&address, "broker")]).await, @r"
    status: 1
    --- stdout
    --- stderr
    error: can't connect to broker: Connection refused (os error 111)
    ");
}

#[tokio::test]
async fn a_command_that_the_broker_refuses_has_failed() {
    let acl = "topic read sunward/#\ntopic write sunward/scheduler/availability\n";
    let broker = Mosquitto::start_with(&Setup { acl: Some(acl.into()), ..Setup::default() });
    let mut peer = Peer::new(&broker.url(), &[AVAILABILITY]).await;
    peer.publish_retained(AVAILABILITY, "online").await;
    peer.expect(AVAILABILITY, |payload| payload == "online").await;
    let toml = settings(&broker.url(), Protocol::V5);
    assert_snapshot!(call(&["pause"], &toml, &[]).await, @r"
    status: 1
    --- stdout
    --- stderr
    error: the broker refused publishing on sunward/scheduler/set: not authorized
    ");
}

#[tokio::test]
async fn commands_reach_the_scheduler() {
    both(async |protocol| {
        let mut home = Home::new(protocol, "").await;
        let toml = settings(&home.broker.url(), protocol);
        home.register("heater", json!({"power": 2000})).await;
        home.running("heater", true).await;
        for (command, paused) in [("pause", true), ("resume", false), ("stop-all", true)] {
            assert_eq!(call(&[command], &toml, &[]).await, "status: 0\n--- stdout\n--- stderr\n");
            home.scheduler(|state| state["paused"] == paused).await;
        }
        home.commanded(&["heater=stop"]).await;
        assert_eq!(call(&["schedule"], &toml, &[]).await, "status: 0\n--- stdout\n--- stderr\n");
        assert_eq!(home.next_cycle(0).await.commands, ["heater=stop"]);
    })
    .await;
}

#[tokio::test]
async fn status_is_a_table_of_tasks_and_reasons() {
    let mut home = Home::new(Protocol::V5, "").await;
    let toml = settings(&home.broker.url(), Protocol::V5);
    let since = home.scheduler(|state| state["since"].is_string()).await["since"].clone();
    let hidden = [(since.as_str().unwrap(), "2026-06-01T12:00:00.000Z")];
    assert_snapshot!(call(&["status"], &toml, &hidden).await, @r"
    status: 0
    --- stdout
    Sunward is active since 2026-06-01T12:00:00.000Z
    no task has registered yet
    --- stderr
    ");

    home.register("heater", json!({"power": 2000, "keys": ["heater"], "priority": "high"})).await;
    home.running("heater", true).await;
    home.register("pool-pump", json!({"power": 1100})).await;
    home.running("pool-pump", false).await;
    home.register("ev", json!({"power": 4000})).await;
    home.register("typo", json!({"power": 1, "kyes": []})).await;
    home.cycle_with(json!({"net": -400, "heater": 1980})).await;
    home.report("heater", |report| report["ratio"] == 1.0).await;
    home.report("pool-pump", |report| report["ratio"].is_number()).await;
    home.until("the state", |home| home.seen(STATE).contains("kyes").then_some(())).await;
    assert_snapshot!(call(&["status"], &toml, &hidden).await, @r"
    status: 0
    --- stdout
    Sunward is active since 2026-06-01T12:00:00.000Z
    task       status          power  ratio  priority  why
    ev         unreachable       0 W      -  low       no state has come from it yet
    heater     running        1980 W   1.00  high      the sun covers 1.00 of it
    pool-pump  stopped           0 W   0.16  low       needs ratio 1.00, has 0.16: 920 W short (200 W are held back for more important tasks)
    typo       invalid           0 W      -  low       refused: kyes: unknown field, did you mean `keys`?
    --- stderr
    ");
}
