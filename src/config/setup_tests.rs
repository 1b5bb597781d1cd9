//! What can be meant and what can't, one line of TOML each.

use super::settings::Config;
use super::setup::Setup;

/// What is said about the defaults with these lines of TOML on top, in the order of the checks.
pub(super) fn check(toml: &str, expect: &[&str]) {
    let file = config::File::from_str(toml, config::FileFormat::Toml);
    let tree = config::Config::builder().add_source(file).build().unwrap();
    let config: Config = tree.try_deserialize().unwrap();
    let invalid = Setup::make(config).map(drop).err().unwrap_or_default();
    let said: Vec<String> =
        invalid.into_iter().map(|invalid| format!("{}: {}", invalid.key, invalid.message)).collect();
    assert_eq!(said, expect, "{toml}");
}

#[test]
fn the_defaults_can_be_meant() {
    check("", &[]);
}

#[test]
fn limits_of_the_scheduler_hold_on_both_sides() {
    check("scheduler.cycle = 1", &[]);
    check("scheduler.cycle = \"1day\"", &[]);
    check("scheduler.cycle = 0.9", &["scheduler.cycle: expected 1s to 1day, found 900ms"]);
    check("scheduler.cycle = \"1day 1s\"", &["scheduler.cycle: expected 1s to 1day, found 1day 1s"]);
    check("scheduler.window_size = 1000", &[]);
    check("scheduler.window_size = 1001", &["scheduler.window_size: expected 1 to 1000, found 1001"]);
    check("scheduler.confirm_records = 12", &[]);
    check("scheduler.confirm_records = 0", &["scheduler.confirm_records: expected at least 1, found 0"]);
    check(
        "scheduler.confirm_records = 13",
        &["scheduler.confirm_records: expected at most scheduler.window_size, which is 12, found 13"],
    );
    check("scheduler.max_record_gap = 0", &["scheduler.max_record_gap: expected more than 0s"]);
    check("scheduler.headroom = 0", &[]);
    check("scheduler.headroom = -1", &["scheduler.headroom: expected watts, 0 or more, found -1"]);
    check("power.reserve = inf", &["power.reserve: expected watts, 0 or more, found inf"]);
    check(
        "scheduler.ignore_power_threshold = nan",
        &["scheduler.ignore_power_threshold: expected watts, 0 or more, found NaN"],
    );
}

#[test]
fn keep_is_at_most_start_and_at_most_one() {
    let keep = |start: &str, keep: &str, expect: &[&str]| {
        check(&format!("[scheduler.criteria]\nstart = {start}\nkeep = {keep}"), expect);
    };
    keep("0.7", "0.7", &[]);
    keep("0.7", "0.71", &["scheduler.criteria.keep: expected at most 0.7 (1, and never above `start`), found 0.71"]);
    keep("2", "1", &[]);
    keep("2", "1.1", &["scheduler.criteria.keep: expected at most 1 (1, and never above `start`), found 1.1"]);
    keep(
        "\"running\"",
        "1.1",
        &["scheduler.criteria.keep: expected at most 1 (1, and never above `start`), found 1.1"],
    );
    keep("\"running\"", "\"running\"", &[]);
    keep("1", "-0.1", &["scheduler.criteria.keep: expected 0 or more, or a Jinja expression, found -0.1"]);
    keep("-1", "0.5", &["scheduler.criteria.start: expected 0 or more, or a Jinja expression, found -1"]);
    keep("nan", "0.5", &["scheduler.criteria.start: expected 0 or more, or a Jinja expression, found NaN"]);
}

#[test]
fn names_that_a_broker_would_refuse_are_refused_here() {
    let base = |topic: &str, expect: &str| check(&format!("mqtt.base_topic = \"{topic}\""), &[expect]);
    base("", "mqtt.base_topic: expected a topic, without spaces at its ends, found \"\"");
    base("a/+", "mqtt.base_topic: expected one topic, without the wildcard +, found \"a/+\"");
    base("a\\u0000", "mqtt.base_topic: expected a topic without control characters, found \"a\\0\"");
    base("/a/", "mqtt.base_topic: expected no / at the ends and no two in a row, write \"a\"");
    base("$SYS/a", "mqtt.base_topic: topics that begin with $ belong to the broker, found \"$SYS/a\"");
    base(&"a".repeat(129), "mqtt.base_topic: expected at most 128 bytes, found 129");
    check("mqtt.base_topic = \"home/sunward\"", &[]);
    let expect = "homeassistant.discovery_prefix: expected no / at the ends and no two in a row, write \"ha\"";
    check("homeassistant.discovery_prefix = \"ha/\"", &[expect]);
    check("mqtt.client_id = \"\"", &["mqtt.client_id: expected a name, found \"\""]);
    check(
        &format!("mqtt.client_id = \"{}\"", "ü".repeat(65)),
        &["mqtt.client_id: expected at most 64 characters, found 65"],
    );
    check("power.topic = \"a/#\"", &["power.topic: expected one topic, without the wildcard #, found \"a/#\""]);
}

#[test]
fn a_client_id_is_one_that_every_broker_takes() {
    check("mqtt.client_id = \"a/b\"", &["mqtt.client_id: expected a name without /, + and #, found \"a/b\""]);
    check(&format!("mqtt.client_id = \"{}\"", "ü".repeat(64)), &[]);
}

#[test]
fn an_address_may_be_of_ipv6_and_in_capitals() {
    for url in ["mqtt://[::1]", "mqtts://[::1]:8884", "MQTT://host", "Mqtts://Host"] {
        check(&format!("mqtt.url = \"{url}\""), &[]);
    }
}

#[test]
fn the_folder_of_the_embedded_broker_can_be_one() {
    check("broker.storage = \"target/not/there/yet\"", &[]);
    check("broker.storage = \"Cargo.toml/folder\"", &["broker.storage: \"Cargo.toml\" is a file, expected a folder"]);
}

#[test]
fn an_estimate_needs_a_place_and_panels() {
    let panels = |items: &str| format!("[power.estimate]\nlatitude = 52.5\nlongitude = -13.4\npanels = [{items}]");
    check(&panels("{ azimuth = 360, tilt = 90, peak_power = 5000 }"), &[]);
    check("power.estimate.base_load = 250", &[]);
    check("power.estimate.clear_sky_share = 1.1", &["power.estimate.clear_sky_share: expected 0 to 1, found 1.1"]);
    check("power.estimate.base_load = -1", &["power.estimate.base_load: expected watts, 0 or more, found -1"]);
    check(
        "power.estimate.latitude = 90.5",
        &[
            "power.estimate.latitude: expected -90 to 90, found 90.5",
            "power.estimate.longitude: is needed beside the other keys of [power.estimate], for example 13.4",
            "power.estimate.panels: is needed beside the other keys of [power.estimate], for example [{ azimuth = 180, \
             tilt = 35, peak_power = 5000 }]",
        ],
    );
    check(
        &panels("{ azimuth = 180, tilt = 35, peak_power = 1 }, { azimuth = -90, tilt = 91, peak_power = nan }"),
        &[
            "power.estimate.panels[1].azimuth: expected 0 to 360, found -90",
            "power.estimate.panels[1].tilt: expected 0 to 90, found 91",
            "power.estimate.panels[1].peak_power: expected watts, 0 or more, found NaN",
        ],
    );
}

#[test]
fn limits_of_the_connection_hold_on_both_sides() {
    check("mqtt.keep_alive = 5", &[]);
    check("mqtt.keep_alive = 65535", &[]);
    check("mqtt.keep_alive = 4", &["mqtt.keep_alive: expected 5s to 18h 12m 15s, found 4s"]);
    check("mqtt.keep_alive = 65536", &["mqtt.keep_alive: expected 5s to 18h 12m 15s, found 18h 12m 16s"]);
    check("mqtt.max_packet_size = 4096", &[]);
    check("mqtt.max_packet_size = 268435455", &[]);
    check("mqtt.max_packet_size = 4095", &["mqtt.max_packet_size: expected 4096 to 268435455, found 4095"]);
    check("mqtt.max_packet_size = 268435456", &["mqtt.max_packet_size: expected 4096 to 268435455, found 268435456"]);
}

#[test]
fn passwords_and_certificates_come_in_pairs_that_fit() {
    check(
        "mqtt.username = \"a\"\nmqtt.password = \"a\"\nmqtt.password_file = \"/b\"",
        &["mqtt.password_file: mqtt.password is set too, keep one of them"],
    );
    check(
        "mqtt.username = \"a\"\nmqtt.password_file = \"/nowhere/b\"",
        &["mqtt.password_file: there is no file \"/nowhere/b\""],
    );
    check(
        "mqtt.username = \"a\"\nmqtt.password_file = \"/\"",
        &["mqtt.password_file: \"/\" is a folder, expected a file"],
    );
    check("mqtt.password = \"a\"\nmqtt.username = \"b\"", &[]);
    check("mqtt.password = \"a\"", &["mqtt.password: needs mqtt.username beside it"]);
    check("mqtt.password_file = \"Cargo.toml\"", &["mqtt.password_file: needs mqtt.username beside it"]);
    check(
        "mqtt.url = \"mqtts://a\"\nmqtt.client_key_file = \"Cargo.toml\"",
        &["mqtt.client_key_file: needs mqtt.client_cert_file beside it"],
    );
    check(
        "mqtt.url = \"mqtts://a\"\nmqtt.ca_file = \"Cargo.toml\"",
        &["mqtt.ca_file: no certificate in Cargo.toml: expected PEM"],
    );
    check(
        "mqtt.url = \"mqtt://a\"\nmqtt.ca_file = \"Cargo.toml\"",
        &["mqtt.ca_file: is of use with mqtts:// only, mqtt.url begins with mqtt://"],
    );
    check("mqtt.ca_file = \"Cargo.toml\"", &["mqtt.ca_file: is of use with mqtt.url = \"mqtts://…\" only"]);
}
