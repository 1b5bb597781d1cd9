//! The checks of single values: topics, addresses, files, time zones, numbers.
//!
//! Each returns the end of a sentence that began with the key. They look at the file system and change nothing there.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use jiff::tz::{self, TimeZone};

use super::problem::closest;
use crate::units::Watts;

/// Between the two, both included.
pub(super) fn within<T: PartialOrd + Shown>(value: T, allowed: std::ops::RangeInclusive<T>) -> Result<(), String> {
    if allowed.contains(&value) {
        return Ok(());
    }
    Err(format!("expected {} to {}, found {}", allowed.start().shown(), allowed.end().shown(), value.shown()))
}

/// A power that can be compared with.
pub(super) fn not_negative(power: Watts) -> Result<(), String> {
    if power.0.is_finite() && power.0 >= 0.0 {
        return Ok(());
    }
    Err(format!("expected watts, 0 or more, found {}", power.0))
}

/// An address to listen on: numbers, so that nothing has to be looked up before the network is there.
pub(super) fn listen(address: &str) -> Result<SocketAddr, String> {
    if let Ok(address) = address.parse() {
        return Ok(address);
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

/// A folder, or what can become one.
pub(super) fn folder(path: &Path) -> Result<(), String> {
    match path.ancestors().find(|path| path.exists()) {
        Some(existing) if !existing.is_dir() => Err(format!("\"{}\" is a file, expected a folder", existing.display())),
        _ => Ok(()),
    }
}

/// A time zone that this computer knows.
pub(super) fn time_zone(name: &str) -> Result<TimeZone, String> {
    let known = tz::db();
    if let Ok(zone) = known.get(name) {
        return Ok(zone);
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

/// Values that print themselves for the message: durations in the way they are written.
pub(super) trait Shown {
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

#[cfg(test)]
mod tests {
    use super::{listen, time_zone};

    #[test]
    fn a_listening_address_has_a_port() {
        let refused = |address: &str, hint: &str| {
            let said = format!("expected an address and a port, such as \"127.0.0.1:1883\", found \"{address}\"{hint}");
            assert_eq!(listen(address), Err(said));
        };
        assert_eq!(listen("[::1]:0"), Ok(([0, 0, 0, 0, 0, 0, 0, 1], 0).into()));
        refused("localhost:1883", ", write \"127.0.0.1:1883\"");
        refused("1884", ", write \"127.0.0.1:1884\"");
        refused(":1884", ", write \"127.0.0.1:1884\"");
        refused("0.0.0.0", ", write \"0.0.0.0:1883\"");
        refused("example.com:1", "");
        refused("127.0.0.1:70000", "");
    }

    #[test]
    fn a_time_zone_is_one_that_exists() {
        let refused = |name: &str, hint: &str| {
            let said = format!("expected a time zone such as \"Europe/Berlin\", found \"{name}\"{hint}");
            assert_eq!(time_zone(name), Err(said));
        };
        assert!(time_zone("Europe/Berlin").is_ok());
        assert!(time_zone("UTC").is_ok());
        refused("Berlin", ", did you mean \"Europe/Berlin\"?");
        refused("Europe/Berln", ", did you mean \"Europe/Berlin\"?");
        refused("new york", ", did you mean \"America/New_York\"?");
        refused("", "");
    }
}
