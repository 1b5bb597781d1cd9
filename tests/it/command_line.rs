//! The program as somebody calls it: exit status, what it prints, and where.

use insta::assert_snapshot;
use serde_json::json;
use sunward::config::Protocol;

use crate::home::{AVAILABILITY, Home, STATE, both, program};
use crate::mosquitto::{Mosquitto, Setup, free_port};
use crate::peer::Peer;

/// One call, as a person sees it. `hidden` is replaced in what is printed.
pub(crate) async fn call(arguments: &[&str], toml: &str, hidden: &[(&str, &str)]) -> String {
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
    let since: jiff::Timestamp = since.as_str().unwrap().parse().unwrap();
    let since = since.to_zoned_datetime(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string();
    let hidden = [(since.as_str(), "2026-06-01 12:00")];
    assert_snapshot!(call(&["status"], &toml, &hidden).await, @r"
    status: 0
    --- stdout
    Sunward is active since 2026-06-01 12:00
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
    Sunward is active since 2026-06-01 12:00
    task       status          power  ratio  priority  why
    ev         unreachable       0 W      -  low       no state has come from it yet
    heater     running        1980 W   1.00  high      the sun covers 1.00 of it
    pool-pump  stopped           0 W   0.16  low       needs ratio 1.00, has 0.16: 920 W short (200 W are held back for more important tasks)
    typo       invalid           0 W      -  low       refused: kyes: unknown field, did you mean `keys`?
    --- stderr
    ");
}

const PATIENT: &str = "[power.derived]\nhouse = 'net + solar'\n\n[[power.sensor]]\nkey = 'ev'\ntopic = 'evse/power'\n\n\
    [[task]]\nid = 'lamp'\npower = 100\ncommand_topic = 'lamp/set'\nstate_topic = 'lamp/state'\nquery_topic = 'lamp/get'\n";

/// Feeds a broker until somebody has listened to it, and answers with what was printed.
async fn listened(broker: &Mosquitto, toml: &str, feed: &[(&str, &str)]) -> String {
    let url = broker.url();
    let toml = format!("{toml}\n{}", settings(&url, Protocol::V5));
    let address = url.strip_prefix("mqtt://").unwrap();
    let hidden = [(address, "broker")];
    let mut heard = std::pin::pin!(call(&["check", "--listen", "2s"], &toml, &hidden));
    let peer = Peer::new(&url, &[]).await;
    let mut beat = tokio::time::interval(std::time::Duration::from_millis(300));
    loop {
        tokio::select! {
            said = &mut heard => return said,
            _ = beat.tick() => for (topic, payload) in feed {
                peer.handle.publish(sunward::mqtt::Outgoing::event(*topic, *payload)).unwrap();
            }
        }
    }
}

/// Without what depends on how fast this computer is: how many came, how often, how old. Without the spaces in between, too.
fn steady(said: &str) -> String {
    let lines = said.lines().map(|line| {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        if let [_, heard, every, _, age, _] = words.as_mut_slice()
            && heard.parse::<u32>().is_ok()
        {
            (*heard, *every, *age) = ("many", "often", "new");
        }
        if let Some(ago) = words.iter().position(|word| *word == "ago") {
            words[ago - 1] = "lately,";
        }
        words.join(" ")
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn who_listens_is_told_what_came_and_that_nothing_hurts() {
    let broker = Mosquitto::start();
    let mut peer = Peer::new(&broker.url(), &["lamp/get"]).await;
    peer.publish_retained("sunward/task/boiler/config", r#"{"power": 2000, "keys": ["boiler"]}"#).await;
    peer.publish_retained("sunward/task/boiler/state", "OFF").await;
    let feed = [
        ("sunward/power", r#"{"net": -1200, "solar": 3000, "boiler": 0}"#),
        ("evse/power", "450"),
        ("lamp/state", "OFF"),
    ];
    let said = listened(&broker, PATIENT, &feed).await;
    peer.expect("lamp/get", |_| true).await;
    assert!(said.lines().all(|line| line.chars().count() <= 80), "{said}");
    assert_snapshot!(steady(&said), @r#"
    status: 0
    --- stdout
    Listening to broker for 2s, Ctrl-C ends it earlier.

    power, in watts heard every now age from
    boiler many often 0 new sunward/power
    ev many often 450 new evse/power
    house many often 1800 new power.derived.house
    net many often -1200 new sunward/power
    solar many often 3000 new sunward/power

    task is told needs uses from
    boiler off retained 2000 0 sunward/task/boiler/state
    lamp off lately, ago 100 - lamp/state

    Nothing that will hurt has shown.

    This could not be told:
    - No task started or stopped. Switch one by hand while this listens: it shows
    whether its key and `net` move.
    --- stderr
    "#);
}

#[tokio::test]
async fn who_listens_is_told_what_will_hurt_and_a_running_sunward_is_not_disturbed() {
    let mut home = Home::new(Protocol::V5, "").await;
    home.register("boiler", json!({"power": 2000, "keys": ["boiler"]})).await;
    home.retain("evse/power", "450").await;
    // All that Sunward has to tell of it is told.
    home.report("boiler", |report| report["status"] == "unreachable").await;
    home.scheduler(|state| state["tasks"] == 1).await;
    let before = home.retained().await;
    let said = listened(&home.broker, PATIENT, &[("sunward/power", r#"{"solar": 3000}"#)]).await;
    assert_snapshot!(steady(&said), @r#"
    status: 1
    --- stdout
    Listening to broker for 2s, Ctrl-C ends it earlier.

    power, in watts heard every now age from
    ev retained - 450 unknown evse/power
    house nothing - - - power.derived.house
    solar many often 3000 new sunward/power

    task is told needs uses from
    boiler unknown nothing 2000 - sunward/task/boiler/state
    lamp unknown nothing 100 - lamp/state

    This will hurt:
    - The records on sunward/power have no `net`, and without it nothing is ever
    decided: rename the key of the meter, or derive it, [power.derived] net = "…".
    - task lamp, its state: nothing was published on lamp/state. Compare it with
    what mosquitto_sub -v -t '#' shows; the broker may also keep this user from
    reading it.
    - power.derived.house: no value, as `net` has not come yet.
    - task boiler: it registered and told no state, and is left alone until it does:
    publish ON or OFF, retained, on its state topic.
    - task boiler: nothing measures its key `boiler`: its declared power stands in
    for it.

    This could not be told:
    - `ev` came only as the broker had kept it. Of what is older than the start
    Sunward knows no age: it counts as unmeasured until a new value comes.
    - No task started or stopped. Switch one by hand while this listens: it shows
    whether its key and `net` move.
    --- stderr
    error: 5 things will hurt
    "#);
    assert_eq!(home.retained().await, before, "nothing is published");
    assert!(!home.sunward.as_ref().unwrap().log().contains("not connected"), "nobody is thrown out");
}

#[tokio::test]
async fn who_listens_to_no_broker_is_told_so() {
    let address = format!("127.0.0.1:{}", free_port());
    let toml = settings(&format!("mqtt://{address}"), Protocol::V5);
    let said = call(&["check", "--listen=1s"], &toml, &[(&address, "broker")]).await;
    assert!(said.starts_with("status: 1\n--- stdout\n--- stderr\nerror: can't connect to broker: "), "{said}");
    assert_snapshot!(call(&["check", "--listen", "never"], "", &[]).await, @r#"
    status: 2
    --- stdout
    --- stderr
    error: invalid value 'never' for '--listen [<TIME>]': expected 1s to 1day, such as 30s or 10m

    For more information, try '--help'.
    "#);
}
