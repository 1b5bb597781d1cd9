//! Refuses settings that can be read but can't be meant.
//!
//! Says what was expected and what to type. Refuses to repair: a setting is obeyed or refused, never bent.

use std::time::Duration;

use super::checks::{listen, not_negative, readable, time_zone, within};
use super::estimate;
use super::url::BrokerUrl;
use super::{Config, ConfigError, Mqtt, Problem, Scheduler, tasks};
use crate::wire::topic::{check_base, check_topic};

/// A setting that can't be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// The full key, `scheduler.window_size`.
    pub key: String,
    /// Another key that it doesn't fit to, if that is what is wrong.
    pub against: Option<String>,
    /// What is wrong and what was expected.
    pub message: String,
}

/// Everything that can't be meant in these settings.
#[must_use]
pub fn validate(config: &Config) -> Vec<Invalid> {
    let mut found = Findings::default();
    connection(&config.mqtt, &mut found);
    identity(&config.mqtt, &mut found);
    credentials(&config.mqtt, &mut found);
    scheduler(&config.scheduler, &mut found);
    found.all(config.criteria());
    found.expect("broker.listen", listen(&config.broker.listen));
    found.expect("power.reserve", not_negative(config.power.reserve));
    for (key, topic) in [("power.topic", &config.power.topic), ("power.fallback_topic", &config.power.fallback_topic)] {
        if let Some(topic) = topic {
            found.expect(key, check_topic(topic));
        }
    }
    for (key, message) in estimate::problems(&config.power.estimate) {
        found.expect(&key, Err(message));
    }
    found.all(config.sensors());
    found.0.extend(tasks::problems(config));
    found.expect("homeassistant.discovery_prefix", check_base(&config.homeassistant.discovery_prefix));
    if let Some(zone) = &config.time_zone {
        found.expect("time_zone", time_zone(zone).map(drop));
    }
    found.0
}

const DAY: Duration = Duration::from_secs(86_400);

/// The largest packet that MQTT can express.
const LARGEST_PACKET: u32 = 268_435_455;

const LONGEST_CLIENT_ID: usize = 64;

#[derive(Default)]
struct Findings(Vec<Invalid>);

impl Findings {
    fn expect(&mut self, key: &str, outcome: Result<(), String>) {
        if let Err(message) = outcome {
            self.0.push(Invalid { key: key.to_owned(), against: None, message });
        }
    }

    fn all<T>(&mut self, outcome: Result<T, ConfigError>) {
        let problems = outcome.err().map(ConfigError::into_problems).unwrap_or_default();
        self.0.extend(problems.into_iter().map(|Problem { key, message, .. }| Invalid { key, against: None, message }));
    }

    fn against(&mut self, key: &str, other: &str, message: String) {
        self.0.push(Invalid { key: key.to_owned(), against: Some(other.to_owned()), message });
    }
}

fn connection(mqtt: &Mqtt, found: &mut Findings) {
    let url = mqtt.url.as_deref().map(BrokerUrl::parse);
    let keep_alive = Duration::from_secs(5)..=Duration::from_secs(65_535);
    found.expect("mqtt.keep_alive", within(mqtt.keep_alive, keep_alive));
    found.expect("mqtt.max_packet_size", within(mqtt.max_packet_size, 1024..=LARGEST_PACKET));

    let files = [
        ("mqtt.ca_file", &mqtt.ca_file),
        ("mqtt.client_cert_file", &mqtt.client_cert_file),
        ("mqtt.client_key_file", &mqtt.client_key_file),
    ];
    for (key, file) in files {
        let Some(file) = file else { continue };
        // With a wrong address nobody knows yet whether it would be encrypted.
        match &url {
            Some(Ok(url)) if !url.tls => {
                found.against(key, "mqtt.url", "is of use with mqtts:// only, mqtt.url begins with mqtt://".into());
            }
            None => found.against(key, "mqtt.url", "is of use with mqtt.url = \"mqtts://…\" only".into()),
            Some(_) => found.expect(key, readable(file)),
        }
    }
    let (certificate, key) = ("mqtt.client_cert_file", "mqtt.client_key_file");
    match (&mqtt.client_cert_file, &mqtt.client_key_file) {
        (Some(_), None) => found.against(certificate, key, format!("needs {key} beside it")),
        (None, Some(_)) => found.against(key, certificate, format!("needs {certificate} beside it")),
        _ => {}
    }
    if let Some(Err(message)) = url {
        found.expect("mqtt.url", Err(message));
    }
}

fn identity(mqtt: &Mqtt, found: &mut Findings) {
    let id = &mqtt.client_id;
    found.expect(
        "mqtt.client_id",
        match id.chars().count() {
            0 => Err("expected a name, found \"\"".into()),
            n if n > LONGEST_CLIENT_ID => Err(format!("expected at most {LONGEST_CLIENT_ID} characters, found {n}")),
            _ if id.contains(char::is_control) => Err("expected a name without control characters".into()),
            _ => Ok(()),
        },
    );
    found.expect("mqtt.base_topic", check_base(&mqtt.base_topic));
}

fn credentials(mqtt: &Mqtt, found: &mut Findings) {
    if mqtt.password.is_some() && mqtt.password_file.is_some() {
        found.against("mqtt.password_file", "mqtt.password", "mqtt.password is set too, keep one of them".into());
    } else if let Some(file) = &mqtt.password_file {
        found.expect("mqtt.password_file", readable(file));
    }
    let password = if mqtt.password.is_some() { "mqtt.password" } else { "mqtt.password_file" };
    let has_password = mqtt.password.is_some() || mqtt.password_file.is_some();
    if has_password && mqtt.username.is_none() {
        found.against(password, "mqtt.username", "needs mqtt.username beside it".into());
    }
}

fn scheduler(settings: &Scheduler, found: &mut Findings) {
    let Scheduler { cycle, window_size, confirm_records, .. } = *settings;
    found.expect("scheduler.cycle", within(cycle, Duration::from_secs(1)..=DAY));
    found.expect("scheduler.window_size", within(window_size, 1..=1000));
    if confirm_records == 0 {
        found.expect("scheduler.confirm_records", Err("expected at least 1, found 0".into()));
    } else if confirm_records > window_size {
        found.against(
            "scheduler.confirm_records",
            "scheduler.window_size",
            format!("expected at most scheduler.window_size, which is {window_size}, found {confirm_records}"),
        );
    }
    found.expect("scheduler.headroom", not_negative(settings.headroom));
    found.expect("scheduler.ignore_power_threshold", not_negative(settings.ignore_power_threshold));
    for (key, time) in [
        ("scheduler.max_record_gap", settings.max_record_gap),
        ("scheduler.task_expire_after", settings.task_expire_after),
    ] {
        found.expect(key, if time.is_zero() { Err("expected more than 0s".into()) } else { Ok(()) });
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::validate;
    use crate::config::Config;

    /// What is said about the defaults with these lines of TOML on top, in the order of the checks.
    pub(in crate::config) fn check(toml: &str, expect: &[&str]) {
        let file = config::File::from_str(toml, config::FileFormat::Toml);
        let tree = config::Config::builder().add_source(file).build().unwrap();
        let config: Config = tree.try_deserialize().unwrap();
        let said: Vec<String> =
            validate(&config).into_iter().map(|invalid| format!("{}: {}", invalid.key, invalid.message)).collect();
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
        keep(
            "0.7",
            "0.71",
            &["scheduler.criteria.keep: expected at most 0.7 (1, and never above `start`), found 0.71"],
        );
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
        check("mqtt.max_packet_size = 1023", &["mqtt.max_packet_size: expected 1024 to 268435455, found 1023"]);
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
        check("mqtt.url = \"mqtts://a\"\nmqtt.ca_file = \"Cargo.toml\"", &[]);
        check(
            "mqtt.url = \"mqtt://a\"\nmqtt.ca_file = \"Cargo.toml\"",
            &["mqtt.ca_file: is of use with mqtts:// only, mqtt.url begins with mqtt://"],
        );
        check("mqtt.ca_file = \"Cargo.toml\"", &["mqtt.ca_file: is of use with mqtt.url = \"mqtts://…\" only"]);
    }
}
