//! Which settings can work, and what is made of those that can.

use std::path::Path;
use std::time::Duration;

use super::link;
use super::message::Outgoing;
use super::options_builder::OptionsBuilder;
use super::protocol::Protocol;

fn plain() -> OptionsBuilder {
    OptionsBuilder::new(Some("mqtt://broker"), None)
}

fn secure() -> OptionsBuilder {
    OptionsBuilder::new(Some("mqtts://broker"), None)
}

#[track_caller]
fn refused(builder: OptionsBuilder, keys: &[&str]) {
    let problems = builder.build_or_all().unwrap_err();
    assert_eq!(problems.iter().map(|problem| problem.key).collect::<Vec<_>>(), keys, "{problems:?}");
}

#[test]
fn what_cannot_work_is_refused_naming_its_key() {
    let nowhere = Some(Path::new("/nonexistent"));
    refused(OptionsBuilder::new(None, None), &["mqtt.url"]);
    refused(OptionsBuilder::new(Some("broker:1883"), None), &["mqtt.url"]);
    refused(plain().client_id(""), &["mqtt.client_id"]);
    refused(plain().client_id("a/b"), &["mqtt.client_id"]);
    refused(plain().keep_alive(Duration::from_secs(4)), &["mqtt.keep_alive"]);
    refused(plain().max_packet_size(100), &["mqtt.max_packet_size"]);
    refused(plain().login(None, Some("x"), None), &["mqtt.password"]);
    refused(plain().login(Some("me"), None, nowhere), &["mqtt.password_file"]);
    refused(plain().certificates(nowhere, None, None), &["mqtt.ca_file"]);
    refused(secure().certificates(nowhere, None, None), &["mqtt.ca_file"]);
    refused(secure().certificates(None, nowhere, None), &["mqtt.client_cert_file", "mqtt.client_cert_file"]);
    refused(secure().certificates(None, None, nowhere), &["mqtt.client_key_file", "mqtt.client_key_file"]);
}

#[test]
fn all_problems_are_known_at_once() {
    let wrong = OptionsBuilder::new(Some("tcp://broker"), None).client_id("").max_packet_size(1);
    refused(wrong, &["mqtt.url", "mqtt.client_id", "mqtt.max_packet_size"]);
}

#[test]
fn a_password_comes_from_the_first_line_of_its_file_and_is_never_printed() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "se cret\r\nsecond line\n").unwrap();
    let builder = OptionsBuilder::new(None, Some(([0, 0, 0, 0], 1234).into()));
    let options = builder.login(Some("me"), None, Some(file.path())).build().unwrap();
    assert_eq!(options.login, Some(("me".into(), "se cret".into())));
    assert_eq!(options.broker(), "127.0.0.1:1234");
    assert!(!format!("{options:?}").contains("cret"));
}

#[test]
fn the_client_library_takes_what_is_accepted_up_to_its_limits() {
    for protocol in [Protocol::V5, Protocol::V311] {
        for (id, seconds, bytes) in [("a", 5, 4096), (" a", 65_535, 268_435_455), (&*"ü".repeat(64), 30, 65_536)] {
            for url in ["mqtt://broker", "mqtts://[::1]"] {
                let builder = OptionsBuilder::new(Some(url), None).protocol(protocol).client_id(id);
                let builder = builder.keep_alive(Duration::from_secs(seconds)).max_packet_size(bytes);
                let options = builder.login(Some(""), None, None).build().unwrap();
                let suffixed = options.clone().with_client_id_suffix("x".repeat(64));
                for options in [options, suffixed] {
                    let _ = link::open(&options, Some(&Outgoing::state("a", "offline")));
                }
            }
        }
    }
}
