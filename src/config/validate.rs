//! Refuses settings that can be read but can't be meant.
//!
//! Says what was expected and what to type. Refuses to repair: a setting is obeyed or refused, never bent. Looks at the
//! file system only to see whether the files that are named can be read.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use jiff::tz;

use super::problem::closest;
use super::url::BrokerUrl;
use super::{Config, Criteria, CriterionSource, Mqtt, Protocol, Scheduler};
use crate::units::Watts;

/// A setting that can't be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// The full key, `scheduler.window_size`.
    pub key: &'static str,
    /// Another key that it doesn't fit to, if that is what is wrong.
    pub against: Option<&'static str>,
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
    criteria(&config.scheduler.criteria, &mut found);
    found.expect("broker.listen", listen(&config.broker.listen));
    found.expect("power.reserve", not_negative(config.power.reserve));
    for (key, topic) in [("power.topic", &config.power.topic), ("power.fallback_topic", &config.power.fallback_topic)] {
        if let Some(topic) = topic {
            found.expect(key, plain_topic(topic));
        }
    }
    if let Some(zone) = &config.time_zone {
        found.expect("time_zone", time_zone(zone));
    }
    found.0
}

/// THE HOOK for criteria that are expressions: whether they compile is known to the scheduler only, which will offer
/// `Criterion::parse`. Call it here; its message goes behind the key.
fn expression(_source: &CriterionSource) -> Result<(), String> {
    Ok(())
}

const DAY: Duration = Duration::from_secs(86_400);

/// The largest packet that MQTT can express.
const LARGEST_PACKET: u32 = 268_435_455;

/// Topics below the base need room, and longer ones are not meant.
const LONGEST_BASE_TOPIC: usize = 200;

const LONGEST_CLIENT_ID: usize = 64;

#[derive(Default)]
struct Findings(Vec<Invalid>);

impl Findings {
    fn expect(&mut self, key: &'static str, outcome: Result<(), String>) {
        if let Err(message) = outcome {
            self.0.push(Invalid { key, against: None, message });
        }
    }

    fn against(&mut self, key: &'static str, other: &'static str, message: String) {
        self.0.push(Invalid { key, against: Some(other), message });
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
    let base = &mqtt.base_topic;
    found.expect(
        "mqtt.base_topic",
        if base.starts_with('$') {
            Err(format!("topics that begin with $ belong to the broker, found \"{base}\""))
        } else if base.starts_with('/') || base.ends_with('/') {
            Err(format!("expected no / at the ends, write \"{}\"", base.trim_matches('/')))
        } else if base.len() > LONGEST_BASE_TOPIC {
            Err(format!("expected at most {LONGEST_BASE_TOPIC} bytes, found {}", base.len()))
        } else {
            plain_topic(base)
        },
    );
}

fn credentials(mqtt: &Mqtt, found: &mut Findings) {
    if mqtt.password.is_some() && mqtt.password_file.is_some() {
        found.against("mqtt.password_file", "mqtt.password", "mqtt.password is set too, keep one of them".into());
    } else if let Some(file) = &mqtt.password_file {
        found.expect("mqtt.password_file", readable(file));
    }
    let password = if mqtt.password.is_some() { "mqtt.password" } else { "mqtt.password_file" };
    let has_password = mqtt.password.is_some() || mqtt.password_file.is_some();
    if has_password && mqtt.username.is_none() && mqtt.protocol == Protocol::V311 {
        found.against(password, "mqtt.protocol", "MQTT 3.1.1 needs mqtt.username beside it".into());
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

fn criteria(criteria: &Criteria, found: &mut Findings) {
    const START: &str = "scheduler.criteria.start";
    const KEEP: &str = "scheduler.criteria.keep";
    let share = |x: f64| {
        if x.is_finite() && x >= 0.0 { Ok(()) } else { Err(format!("expected a number, 0 or more, found {x}")) }
    };
    let start = match &criteria.start {
        CriterionSource::Number(start) => {
            found.expect(START, share(*start));
            share(*start).is_ok().then_some(*start)
        }
        source @ CriterionSource::Expression(_) => {
            found.expect(START, expression(source));
            None
        }
    };
    match &criteria.keep {
        Some(CriterionSource::Number(keep)) => match (share(*keep), start) {
            (Err(message), _) => found.expect(KEEP, Err(message)),
            (Ok(()), Some(start)) if *keep > start => {
                found.against(KEEP, START, format!("expected at most {START}, which is {start}, found {keep}"));
            }
            // More than all of a task's usage can't be covered: it would be stopped in each cycle after its start.
            (Ok(()), _) if *keep > 1.0 => found.expect(KEEP, Err(format!("expected at most 1, found {keep}"))),
            _ => {}
        },
        Some(source) => found.expect(KEEP, expression(source)),
        None => {}
    }
}

/// Values that print themselves for the message: durations in the way they are written.
trait Shown {
    fn shown(&self) -> String;
}

impl Shown for Duration {
    fn shown(&self) -> String {
        humantime::format_duration(*self).to_string()
    }
}

impl Shown for usize {
    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Shown for u32 {
    fn shown(&self) -> String {
        self.to_string()
    }
}

fn within<T: PartialOrd + Shown>(value: T, allowed: std::ops::RangeInclusive<T>) -> Result<(), String> {
    if allowed.contains(&value) {
        return Ok(());
    }
    Err(format!("expected {} to {}, found {}", allowed.start().shown(), allowed.end().shown(), value.shown()))
}

fn not_negative(power: Watts) -> Result<(), String> {
    if power.0.is_finite() && power.0 >= 0.0 {
        return Ok(());
    }
    Err(format!("expected watts, 0 or more, found {}", power.0))
}

/// A topic to publish to or to name one sensor: no patterns.
fn plain_topic(topic: &str) -> Result<(), String> {
    if topic.trim() != topic || topic.is_empty() {
        return Err(format!("expected a topic, without spaces at its ends, found \"{topic}\""));
    }
    if let Some(wildcard) = topic.chars().find(|c| "+#".contains(*c)) {
        return Err(format!("expected one topic, without the wildcard {wildcard}, found \"{topic}\""));
    }
    if topic.contains(char::is_control) {
        return Err(format!("expected a topic without control characters, found {topic:?}"));
    }
    if topic.len() > usize::from(u16::MAX) {
        return Err(format!("expected at most {} bytes, found {}", u16::MAX, topic.len()));
    }
    Ok(())
}

fn listen(address: &str) -> Result<(), String> {
    if address.parse::<SocketAddr>().is_ok() {
        return Ok(());
    }
    let meant = [
        address.replace("localhost", "127.0.0.1"),
        format!("127.0.0.1:{}", address.trim_start_matches(':')),
        format!("{address}:1883"),
    ];
    let hint = match meant.into_iter().find(|meant| meant.parse::<SocketAddr>().is_ok()) {
        Some(meant) => format!(", write \"{meant}\""),
        None => String::new(),
    };
    Err(format!("expected an address and a port, such as \"127.0.0.1:1883\", found \"{address}\"{hint}"))
}

fn readable(file: &Path) -> Result<(), String> {
    let opened = std::fs::File::open(file).and_then(|file| file.metadata());
    match opened {
        Ok(about) if about.is_dir() => Err(format!("\"{}\" is a folder, expected a file", file.display())),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(format!("there is no file \"{}\"", file.display()))
        }
        Err(error) => Err(format!("\"{}\" can't be read: {error}", file.display())),
    }
}

fn time_zone(name: &str) -> Result<(), String> {
    let known = tz::db();
    if known.get(name).is_ok() {
        return Ok(());
    }
    if known.is_definitively_empty() {
        return Err("this computer has no time zone data, install the package tzdata".into());
    }
    let names: Vec<String> = known.available().map(|name| name.to_string()).collect();
    let city = |name: &str| name.rsplit('/').next().unwrap_or_default().to_lowercase();
    let wanted = name.trim().replace(' ', "_");
    let meant = names.iter().find(|known| city(known) == city(&wanted)).map(String::as_str);
    let hint = match meant.or_else(|| closest(&wanted, names.iter().map(String::as_str))) {
        Some(meant) => format!(", did you mean \"{meant}\"?"),
        None => String::new(),
    };
    Err(format!("expected a time zone such as \"Europe/Berlin\", found \"{name}\"{hint}"))
}
