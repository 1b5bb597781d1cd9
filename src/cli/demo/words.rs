//! Numbers and addresses as the demo writes them, on the screen and in lines.

use crate::units::{Share, Watts};

/// Returns `412 W` or `6.42 kW`.
pub(super) fn power(watts: Watts) -> String {
    if watts.0 < 999.5 { watts.to_string() } else { format!("{:.2} kW", watts.0 / 1000.0) }
}

/// Returns whole percents, rounded down, or `-` where there is no share yet.
pub(super) fn percent(share: Option<Share>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{:.0} %", (share.0 * 100.0).floor()))
}

/// Returns the call that publishes a command of the scheduler, such as `pause`, to the broker at this URL.
pub(super) fn mosquitto_pub(broker: &str, command: &str) -> String {
    let port = match broker.rsplit_once(':') {
        Some((_, "1883")) | None => String::new(),
        Some((_, port)) => format!("-p {port} "),
    };
    format!("mosquitto_pub {port}-t sunward/scheduler/set -m {command}")
}
