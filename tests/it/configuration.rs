//! What is accepted when it is checked runs, and what can't run is refused when it is checked.

use std::cell::Cell;
use std::path::Path;

use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use sunward::cli::check::check;
use sunward::config::{Loaded, load};
use sunward::mqtt::{Outgoing, connect};

use crate::command_line::call;
use crate::home::program;
use crate::mqtt_wire::Certificates;

/// A value as it stands in a file, and whether it can be meant.
type Written = (String, bool);

const NO_VARIABLES: [(&str, &str); 0] = [];

fn port() -> impl Strategy<Value = Written> {
    let number = (1_u32..=65_535).prop_map(|port| (format!(":{port}"), true));
    let usual = select(vec!["", "/", ":1883/"]).prop_map(|port| (port.to_owned(), true));
    let wrong = select(vec![":", ":0", ":65536", ":mqtt", ":1883/a", "/a"]).prop_map(|port| (port.to_owned(), false));
    prop_oneof![8 => number, 8 => usual, 1 => wrong]
}

fn host() -> impl Strategy<Value = Written> {
    let v4 = any::<std::net::Ipv4Addr>().prop_map(|ip| (ip.to_string(), true));
    let v6 = any::<std::net::Ipv6Addr>().prop_map(|ip| (format!("[{ip}]"), true));
    let name =
        "[a-zA-Z]([a-zA-Z0-9-]{0,8}[a-zA-Z0-9])?(\\.[a-zA-Z][a-zA-Z0-9]{0,5}){0,2}".prop_map(|name| (name, true));
    let wrong = select(vec!["", "::1", "[::1", "[broker]", "a b", "me:secret@broker", "a#b"]);
    prop_oneof![4 => v4, 4 => v6, 6 => name, 1 => wrong.prop_map(|host| (host.to_owned(), false))]
}

/// With its scheme in lower case.
fn url() -> impl Strategy<Value = (Written, String)> {
    let schemes = vec![("mqtt", 6), ("mqtts", 12), ("MQTT", 2), ("Mqtts", 4), ("tcp", 1), ("ws", 1)];
    let schemes = schemes.into_iter().flat_map(|(scheme, times)| std::iter::repeat_n(scheme, times));
    (select(schemes.collect::<Vec<_>>()), host(), port()).prop_map(|(scheme, host, port)| {
        let lower = scheme.to_lowercase();
        let valid = ["mqtt", "mqtts"].contains(&&*lower) && host.1 && port.1;
        ((format!("{scheme}://{}{}", host.0, port.0), valid), lower)
    })
}

fn client_id() -> impl Strategy<Value = Written> {
    let any = prop_oneof![12 => "[A-Za-z0-9_. -]{1,64}", 1 => "[a-z/+#\u{1}\u{e4}\u{20ac}]{0,70}"];
    any.prop_map(|id: String| {
        let valid = (1..=64).contains(&id.chars().count()) && id.len() <= 128 && !id.contains(['/', '+', '#', '\u{1}']);
        (id, valid)
    })
}

fn number(near: [u32; 2]) -> impl Strategy<Value = (u32, bool)> {
    let around = |limit: u32| limit - 2..limit + 3;
    let [least, most] = near;
    prop_oneof![12 => least..=most, 1 => around(least), 1 => around(most)]
        .prop_map(move |number| (number, (least..=most).contains(&number)))
}

fn topic() -> impl Strategy<Value = Written> {
    let valid = "[a-z]{1,6}(/[a-zA-Z0-9_]{1,6}){0,3}".prop_map(|topic| (topic, true));
    let wrong = select(vec!["", "a/#", "+/a", " a", "a\u{1}"]);
    prop_oneof![25 => valid, 1 => wrong.prop_map(|topic| (topic.to_owned(), false))]
}

/// A file that may be named, and whether it holds what is wanted.
type Named = Option<(&'static str, bool)>;

/// The authority, the certificate and its key.
fn certificates() -> impl Strategy<Value = [Named; 3]> {
    let right = ["ca.pem", "client.pem", "client.key"].map(|file| Some((file, true)));
    let file = |right| option::of(select(vec![(right, true), ("nowhere.pem", false), ("empty", false)]));
    let any = (file("ca.pem"), file("client.pem"), file("client.key")).prop_map(|(ca, one, key)| [ca, one, key]);
    prop_oneof![6 => Just([None; 3]), 3 => Just(right), 1 => Just([right[0], None, None]), 1 => any]
}

/// A file of settings below this folder of certificates, and whether it can be meant.
fn settings() -> impl Strategy<Value = Written> {
    let connection = (option::weighted(0.9, url()), client_id(), number([5, 65_535]), number([4096, 268_435_455]));
    let password_file = option::weighted(0.2, select(vec![("secret", true), ("secret", true), ("empty", false)]));
    let login = (prop::bool::weighted(0.9), prop::bool::weighted(0.3), password_file);
    let topics = (topic(), option::of(topic()), option::of(topic()));
    let protocol = select(vec!["5", "3.1.1"]);
    (connection, certificates(), login, topics, protocol).prop_map(
        |(connection, certificates, login, topics, protocol)| {
            let (url, client_id, keep_alive, max_packet_size) = connection;
            let quoted = |text: &str| serde_json::to_string(text).unwrap();
            let mut mqtt = vec![
                format!("protocol = '{protocol}'"),
                format!("client_id = {}", quoted(&client_id.0)),
                format!("keep_alive = {}", keep_alive.0),
                format!("max_packet_size = {}", max_packet_size.0),
                format!("base_topic = {}", quoted(&topics.0.0)),
            ];
            let mut valid = client_id.1 && keep_alive.1 && max_packet_size.1 && topics.0.1;
            let scheme = url.as_ref().map(|(_, scheme)| scheme.as_str());
            if let Some(((url, url_valid), _)) = &url {
                mqtt.push(format!("url = {}", quoted(url)));
                valid &= url_valid;
            }
            let [ca, certificate, key] = certificates;
            for (name, file) in [("ca_file", ca), ("client_cert_file", certificate), ("client_key_file", key)] {
                if let Some((file, right)) = file {
                    mqtt.push(format!("{name} = 'FOLDER/{file}'"));
                    valid &= right && scheme == Some("mqtts");
                }
            }
            valid &= certificate.is_some() == key.is_some();
            let (name, password, file) = login;
            mqtt.extend(name.then(|| "username = 'me'".into()));
            mqtt.extend(password.then(|| "password = 'secret'".into()));
            mqtt.extend(file.map(|(file, _)| format!("password_file = 'FOLDER/{file}'")));
            valid &= file.is_none_or(|(_, right)| right && !password) && (name || !password && file.is_none());
            let mut power = Vec::new();
            for (key, topic) in [("topic", topics.1), ("fallback_topic", topics.2)] {
                if let Some((topic, topic_valid)) = topic {
                    power.push(format!("{key} = {}", quoted(&topic)));
                    valid &= topic_valid;
                }
            }
            (format!("[mqtt]\n{}\n[power]\n{}\n", mqtt.join("\n"), power.join("\n")), valid)
        },
    )
}

/// All that `sunward run` does before it waits for the broker.
async fn begins(path: &Path) -> Result<(), String> {
    let Loaded { setup, .. } = load(Some(path), NO_VARIABLES).map_err(|error| error.to_string())?;
    setup.needs_broker().map_err(|error| error.to_string())?;
    let mut filters = setup.topics.filters();
    filters.extend([setup.power_topic, setup.fallback_topic]);
    let will = Outgoing::state(setup.topics.scheduler_availability(), "offline");
    // The task that connects is dropped before it gets a turn.
    connect(setup.connection, filters, Some(will)).map(drop).map_err(|error| error.to_string())
}

#[test]
fn what_check_accepts_runs_and_what_it_refuses_does_not() {
    let certificates = Certificates::new();
    std::fs::write(certificates.path("empty"), "").unwrap();
    std::fs::write(certificates.path("secret"), "secret\n").unwrap();
    let file = certificates.path("sunward.toml");
    let folder = file.parent().unwrap().display().to_string();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let accepted = Cell::new(0);
    proptest!(ProptestConfig::with_cases(600), |((text, valid) in settings())| {
        let text = text.replace("FOLDER", &folder);
        std::fs::write(&file, &text).unwrap();
        let checked = check(Some(&file), NO_VARIABLES, std::io::sink()).map_err(|error| error.to_string());
        let begun = runtime.block_on(begins(&file));
        prop_assert_eq!(&checked, &begun, "{}", text);
        prop_assert_eq!(checked.is_ok(), valid, "{:?}: {}", checked, text);
        accepted.set(accepted.get() + usize::from(valid));
    });
    let accepted = accepted.get();
    assert!((60..540).contains(&accepted), "{accepted} of 600 were accepted");
}

#[tokio::test]
async fn the_authorities_of_the_system_are_those_that_the_environment_names() {
    let certificates = Certificates::new();
    let file = certificates.path("sunward.toml");
    std::fs::write(&file, "[mqtt]\nurl = 'mqtts://broker'").unwrap();
    std::fs::write(certificates.path("empty"), "").unwrap();
    for (authorities, expect) in [("ca.pem", None), ("empty", Some("")), ("nowhere", Some("nowhere"))] {
        let mut program = program(file.parent().unwrap());
        program.arg("check").env("SSL_CERT_FILE", certificates.path(authorities)).env_remove("SSL_CERT_DIR");
        let output = program.output().await.unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(if expect.is_some() { 2 } else { 0 }), "{said}");
        if let Some(expect) = expect {
            let hint = "mqtt.ca_file: no usable certificate where the environment variable SSL_CERT_FILE says";
            assert!(
                said.contains(hint) && said.contains(expect) && said.contains("name a PEM file of yours"),
                "{said}"
            );
        }
    }
}

#[tokio::test]
async fn a_configuration_that_can_not_run_is_refused_with_its_file_and_key() {
    for (key, toml) in [
        ("mqtt.client_id", "client_id = 'a/b'"),
        ("mqtt.max_packet_size", "max_packet_size = 4095"),
        ("mqtt.url", "url = 'mqtts://a..b'"),
        ("mqtt.ca_file", "url = 'mqtts://a'\nca_file = 'sunward.toml'"),
        ("mqtt.client_key_file", "url = 'mqtts://a'\nclient_cert_file = 'a.pem'\nclient_key_file = 'b.pem'"),
        ("mqtt.password_file", "username = 'me'\npassword_file = 'nowhere'"),
    ] {
        let toml = format!("[mqtt]\n{toml}");
        let said = call(&["run"], &toml, &[]).await;
        assert!(said.starts_with("status: 2\n--- stdout\n--- stderr\nerror: sunward.toml: mqtt."), "{said}");
        assert!(said.contains(&format!("sunward.toml: {key}: ")), "{said}");
        for command in ["check", "status"] {
            assert_eq!(call(&[command], &toml, &[]).await, said);
        }
    }
}
