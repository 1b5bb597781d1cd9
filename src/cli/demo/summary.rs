//! What the time of the demo came to, in a few lines.

use jiff::Timestamp;

use super::times::Times;
use super::words::percent;
use crate::simulate::{Appliance, HomeLedger};
use crate::units::KilowattHours;

/// Returns the lines, from the begin of the demo to this time.
pub(super) fn summary(ledger: &HomeLedger, until: Timestamp, times: &Times) -> Vec<String> {
    let local = |time: Timestamp| times.local(time, "%a %-d %b, %H:%M");
    let mut lines = vec![
        String::new(),
        format!("From {} to {}:", local(times.begin), local(until)),
        format!(
            "the sun made {}: {} used at home, {} sold; {} bought",
            ledger.produced,
            ledger.produced - ledger.exported,
            ledger.exported,
            ledger.imported
        ),
        format!(
            "self-consumption {}, self-sufficiency {}",
            percent(ledger.self_consumption()),
            percent(ledger.self_sufficiency())
        ),
        String::new(),
        format!("{:11} {:>7}  {:>9}  {:>12}", "task", "on", "energy", "from the sun"),
    ];
    for which in Appliance::ALL {
        let used = ledger.uses[which.index()];
        let minutes = used.on.as_secs() / 60;
        let on = format!("{}h {:02}m", minutes / 60, minutes % 60);
        let share = (used.energy > KilowattHours::ZERO).then(|| used.from_sun / used.energy);
        let energy = used.energy.to_string();
        lines.push(format!("{:11} {on:>7}  {energy:>9}  {:>12}", which.name(), percent(share)));
    }
    lines
}
