//! Who may come in to the embedded broker, and what an account reaches.

use sunward::config::{Config, Mqtt, Protocol};
use sunward::mqtt::PasswordHash;
use sunward::mqtt::broker::{Access, Account, Embedded, Limits, Role, Settings, start_with};
use tokio::io::AsyncWriteExt as _;

use crate::home::{AVAILABILITY, Sunward, program};
use crate::mosquitto::free_port;
use crate::peer::{PROTOCOLS, Peer, settings};
use crate::raw::{Hello, Raw};

const NOT_AUTHORIZED: u8 = 0x87;

async fn broker() -> Embedded {
    let account = |role| Account { password: PasswordHash::of("secret").unwrap(), role, read: vec![], write: vec![] };
    let users = [("plug", Role::Task), ("anna", Role::Steer), ("root", Role::Admin)];
    let access = Access {
        base_topic: "sunward".into(),
        discovery_prefix: "homeassistant".into(),
        users: users.into_iter().map(|(name, role)| (name.to_owned(), account(role))).collect(),
        ..Access::default()
    };
    start_with(Settings { listen: "127.0.0.1:0".into(), access, ..Settings::default() }).await.unwrap()
}

async fn login(broker: &Embedded, version: u8, login: Option<(&str, &str)>) -> (Raw, u8) {
    let id = format!("id-{}", login.map_or("nobody", |(name, _)| name));
    Raw::hello(broker.address(), Hello { id: &id, version, login, ..Hello::default() }).await
}

#[test]
fn the_configuration_has_the_limits_of_the_broker() {
    let (keys, limits) = (Config::default().broker, Limits::default());
    assert_eq!((keys.max_connections, keys.max_packet_size), (limits.max_connections, limits.max_packet_size));
    assert_eq!(
        (keys.max_queued_messages, keys.max_queued_bytes),
        (limits.max_queued_messages, limits.max_queued_bytes)
    );
    let retained = (limits.max_retained_messages, limits.max_retained_bytes);
    assert_eq!((keys.max_retained_messages, keys.max_retained_bytes), retained);
    assert_eq!((keys.max_sessions, keys.max_subscriptions), (limits.max_sessions, limits.max_subscriptions));
    assert_eq!(keys.persistent_client_expiration, limits.persistent_client_expiration);
}

#[tokio::test]
async fn one_account_does_not_take_all_connections() {
    let broker = broker().await;
    let mut taken = Vec::new();
    for number in 0..26 {
        let id = format!("plug{number}");
        let hello = Hello { id: &id, login: Some(("plug", "secret")), ..Hello::default() };
        taken.push(Raw::hello(broker.address(), hello).await);
    }
    assert_eq!(taken.iter().filter(|(_, code)| *code == 0).count(), 25);
    assert_eq!(taken[25].1, 0x97);
    assert_eq!(login(&broker, 5, Some(("anna", "secret"))).await.1, 0);
}

#[tokio::test]
async fn nobody_comes_in_without_the_password() {
    let broker = broker().await;
    for wrong in [None, Some(("plug", "wrong")), Some(("nobody", "secret")), Some(("plug", ""))] {
        assert_eq!(login(&broker, 5, wrong).await.1, 0x86, "{wrong:?}");
        assert_eq!(login(&broker, 4, wrong).await.1, 4, "{wrong:?}");
    }
    assert_eq!(login(&broker, 5, Some(("plug", "secret"))).await.1, 0);
    assert_eq!(login(&broker, 4, Some(("anna", "secret"))).await.1, 0);
}

#[tokio::test]
async fn a_task_account_reaches_its_own_branch_only() {
    let broker = broker().await;
    let (mut root, _) = login(&broker, 5, Some(("root", "secret"))).await;
    let (mut plug, _) = login(&broker, 5, Some(("plug", "secret"))).await;
    assert_eq!(plug.retain("sunward/task/plug/config", b"{}").await, 0);
    for topic in ["sunward/task/other/config", "sunward/task/plug/set", "sunward/power", "sunward/scheduler/set", "x"] {
        assert_eq!(plug.retain(topic, b"x").await, NOT_AUTHORIZED, "{topic}");
    }
    let filters = ["sunward/task/plug/set", "sunward/task/other/set", "#"];
    assert_eq!(plug.subscribe(&filters, 0).await, [0, NOT_AUTHORIZED, 0]);
    assert_eq!(root.retain("sunward/task/other/set", b"not for it").await, 0);
    assert_eq!(root.retain("sunward/task/plug/set", b"start").await, 0);
    assert!(plug.answer().await.unwrap().ends_with(b"start"), "and nothing else");
    assert_eq!(plug.soon().await, None);
    // A last will is a message like any other.
    let will = Some(("sunward/task/other/availability", b"offline".to_vec()));
    let hello = Hello { id: "p", login: Some(("plug", "secret")), will, ..Hello::default() };
    assert_eq!(Raw::hello(broker.address(), hello).await.1, NOT_AUTHORIZED);
    // Nor can it take the place of others.
    let hello = Hello { id: "id-root", login: Some(("plug", "secret")), ..Hello::default() };
    assert_eq!(Raw::hello(broker.address(), hello).await.1, NOT_AUTHORIZED);
    assert_eq!(root.retain("sunward/task/plug/set", b"stop").await, 0);
}

#[tokio::test]
async fn beyond_this_computer_it_wants_accounts_or_to_be_told() {
    let open = Settings { listen: "0.0.0.0:0".into(), ..Settings::default() };
    let error = start_with(open.clone()).await.unwrap_err().to_string();
    assert!(error.contains("broker.listen") && error.contains("[broker.users.NAME]"), "{error}");
    assert!(error.contains("broker.insecure = true"), "{error}");
    start_with(Settings { insecure: true, ..open }).await.unwrap().shutdown().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sunward.toml");
    for (command, toml, status) in [
        ("check", "[broker]\nlisten = '0.0.0.0:0'", 2),
        ("run", "[broker]\nlisten = '[::]:0'", 2),
        ("check", "[broker]\nlisten = '0.0.0.0:0'\ninsecure = true", 0),
        ("check", "[broker]\nlisten = '0.0.0.0:0'\n[mqtt]\nurl = 'mqtt://x'", 0),
        ("check", "[broker.users.a]\npassword = 'not hashed'", 2),
        ("check", "[broker.users.'a/+']\npassword = ''", 2),
    ] {
        std::fs::write(&file, toml).unwrap();
        let output = program(folder.path()).args([command, "-c", "sunward.toml"]).output().await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{toml}: {said}");
        assert!(status == 0 || said.contains("hash-password"), "{toml}: {said}");
        assert!(!said.contains("not hashed"), "{said}");
    }
}

#[tokio::test]
async fn a_hash_of_the_program_lets_a_task_and_the_command_line_in() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = program(folder.path());
    command.arg("hash-password").stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut process = command.spawn().unwrap();
    process.stdin.take().unwrap().write_all(b"secret\n").await.unwrap();
    let output = process.wait_with_output().await.unwrap();
    let hash = String::from_utf8(output.stdout).unwrap();
    let (hash, port) = (hash.trim(), free_port());
    let toml = format!(
        "[mqtt]\nusername = 'anna'\npassword = 'secret'\n[broker]\nlisten = '127.0.0.1:{port}'\n[broker.users]\n\
         heater = {{ password = '{hash}' }}\nanna = {{ password = '{hash}', role = 'steer' }}"
    );
    let mut sunward = Sunward::spawn(None, Protocol::V5, &toml);
    let url = format!("mqtt://127.0.0.1:{port}");
    for protocol in PROTOCOLS {
        let login = |name: &str| Mqtt {
            username: Some(name.into()),
            password: Some("secret".into()),
            ..settings(&url, protocol)
        };
        let mut anna = Peer::start(&login("anna"), &["sunward/#"], None);
        anna.expect(AVAILABILITY, |payload| payload == "online").await;
        let heater = Peer::start(&login("heater"), &["sunward/task/heater/set"], None);
        heater.publish_retained("sunward/task/heater/config", r#"{"power": 2000}"#).await;
        anna.expect("sunward/task/heater/report", |payload| !payload.is_empty()).await;
    }
    std::fs::write(folder.path().join("sunward.toml"), &toml).unwrap();
    let status = program(folder.path()).arg("status").output().await.unwrap();
    assert!(String::from_utf8_lossy(&status.stdout).contains("heater"), "{status:?}");
    assert!(sunward.stop().await.success(), "{}", sunward.log());
}
